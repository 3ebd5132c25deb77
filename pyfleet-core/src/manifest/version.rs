//! Versions: strings, exact enough that two runs use the same tool.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Declares a version: a quoted string of a number of dotted parts.
macro_rules! version {
    ($(#[$documentation:meta])* $name:ident, parts: $parts:pat, pattern: $pattern:literal, says: $says:literal) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(Vec<u32>);

        impl $name {
            /// The numbers between the dots.
            #[must_use]
            pub fn parts(&self) -> &[u32] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let parts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join("."))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let numbers = deserializer.deserialize_any(Dotted)?;
                if matches!(numbers.len(), $parts) { Ok(Self(numbers)) } else { Err(D::Error::custom($says)) }
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "description": $says })
            }
        }
    };
}

version! {
    /// The exact version of a tool: `1.11.4`.
    ToolVersion, parts: 3, pattern: "^[0-9]{1,4}\\.[0-9]{1,4}\\.[0-9]{1,4}$",
    says: "a tool's version is exact: three numbers, as in \"1.11.4\""
}

version! {
    /// A Python version: `3.12` or `3.12.4`. The patch may stay open: it only ever fixes.
    PythonVersion, parts: 2 | 3, pattern: "^[0-9]{1,4}\\.[0-9]{1,4}(\\.[0-9]{1,4})?$",
    says: "a Python version is two or three numbers, as in \"3.12\""
}

version! {
    /// A Node version: `22`, `22.4` or `22.4.1`.
    NodeVersion, parts: 1..=3, pattern: "^[0-9]{1,4}(\\.[0-9]{1,4}){0,2}$",
    says: "a Node version is one to three numbers, as in \"22\""
}

struct Dotted;

impl Visitor<'_> for Dotted {
    type Value = Vec<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a version in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        text.split('.')
            .map(|part| match part {
                part if (1..=4).contains(&part.len())
                    && part.bytes().all(|byte| byte.is_ascii_digit())
                    && (part == "0" || !part.starts_with('0')) =>
                {
                    part.parse().map_err(E::custom)
                }
                _ => Err(E::custom("a version is numbers with dots between them, without a range or a `v`")),
            })
            .collect()
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(E::custom("a version stands in quotes: YAML reads 1.10 as the number 1.1"))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(E::custom("a version stands in quotes: without them YAML reads a number"))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(E::custom("a version stands in quotes: without them YAML reads a number"))
    }
}
