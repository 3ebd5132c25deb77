//! Names: what may become part of a job id, an artifact, a concurrency group or a shell variable.

use std::fmt;

/// Declares a string that is checked when it is read, with its pattern in the schema.
macro_rules! checked_string {
    ($(#[$documentation:meta])* $name:ident, pattern: $pattern:literal, max: $max:literal, check: $check:expr, says: $says:literal) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let check: fn(&str) -> bool = $check;
                if text.len() <= $max && check(&text) { Ok(Self(text)) } else { Err($says) }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": $pattern, "maxLength": $max, "description": $says })
            }
        }
    };
}
pub(super) use checked_string;

checked_string! {
    /// A lower-case name: `^[a-z][a-z0-9-]*$`, at most 40 characters. It becomes part of job ids, artifact
    /// names and role names, so that nothing has to be slugged and nothing can collide by case.
    Slug, pattern: "^[a-z][a-z0-9-]*$", max: 40,
    check: |text| text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')),
    says: "a name is lower-case letters, digits and dashes, starts with a letter, and has at most 40 characters"
}

checked_string! {
    /// The name of a secret or variable that GitHub holds: `^[A-Za-z_][A-Za-z0-9_]*$`, not `GITHUB_…`
    /// ([GitHub: naming your secrets](https://docs.github.com/en/actions/reference/security/secrets)).
    GitHubName, pattern: "^(?![Gg][Ii][Tt][Hh][Uu][Bb]_)[A-Za-z_][A-Za-z0-9_]*$", max: 100,
    check: |text| is_identifier(text) && !text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("github_")),
    says: "a secret or variable is named with letters, digits and underscores, does not start with a digit or `GITHUB_`"
}

checked_string! {
    /// The name of a Terraform variable ([Terraform: identifiers](https://developer.hashicorp.com/terraform/language/syntax/configuration#identifiers)).
    VariableName, pattern: "^[A-Za-z_][A-Za-z0-9_-]*$", max: 100,
    check: |text| is_identifier(&text.replace('-', "_")) && !text.starts_with('-'),
    says: "a Terraform variable is named with letters, digits, underscores and dashes, and does not start with a digit"
}

fn is_identifier(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Slug {
    /// The names of two slugs joined: still a slug in form, whatever its length.
    #[must_use]
    pub fn join(parts: &[&dyn fmt::Display]) -> String {
        parts.iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
    }
}

impl std::borrow::Borrow<str> for Slug {
    fn borrow(&self) -> &str {
        &self.0
    }
}
