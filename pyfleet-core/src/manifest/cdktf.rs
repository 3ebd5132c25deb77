//! A stack that CDKTF synthesises.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::path::RelativePath;
use super::version::{NodeVersion, ToolVersion};

/// A stack that the CDK for Terraform synthesises: a program writes what Terraform then plans and applies.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cdktf {
    /// The program's directory: it has `cdktf.json`, `package.json` and `package-lock.json`.
    pub directory: RelativePath,
    /// The exact version of its command line, in quotes: "0.21.0". `package-lock.json` has the same.
    pub version: ToolVersion,
    /// The Node version. Default: "20".
    pub node: Option<NodeVersion>,
    /// Where Terraform's lock files are committed: `STACK/.terraform.lock.hcl` for each stack.
    pub lock_files: RelativePath,
    /// How it is applied: `reviewed`, or `{ direct: { reason: … } }`, which plans again and applies that in the same
    /// job. Default: `reviewed`, a saved plan.
    pub apply: Option<CdktfApply>,
}

/// How a synthesised stack is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CdktfApply {
    /// The plan that was looked at is the one that is applied.
    Reviewed,
    /// It is planned and applied in one go. That it says why is looked at where everything else is.
    Direct(Option<CdktfDirect>),
}

/// Why a stack is applied by a plan that nobody has looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CdktfDirect {
    /// The reason, in a few words.
    pub reason: String,
}

impl<'de> Deserialize<'de> for CdktfApply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Alone {
            Reviewed,
            Direct,
        }

        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Explained {
            direct: CdktfDirect,
        }

        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = CdktfApply;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`reviewed`, or `direct` with its reason")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Alone::deserialize(StrDeserializer::<E>::new(text)).map(|alone| match alone {
                    Alone::Reviewed => CdktfApply::Reviewed,
                    Alone::Direct => CdktfApply::Direct(None),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
                Explained::deserialize(MapAccessDeserializer::new(entries))
                    .map(|explained| CdktfApply::Direct(Some(explained.direct)))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for CdktfApply {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CdktfApply".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let direct = generator.subschema_for::<CdktfDirect>();
        schemars::json_schema!({
            "description": "How a synthesised stack is applied.",
            "oneOf": [
                {
                    "description": "The plan that was looked at is the one that is applied.",
                    "type": "string",
                    "const": "reviewed"
                },
                {
                    "description": "It is planned and applied in one go, for a reason. Only where nobody has to agree.",
                    "type": "object",
                    "properties": { "direct": direct },
                    "required": ["direct"],
                    "additionalProperties": false
                }
            ]
        })
    }
}
