//! What a step or a job uses: an action, a reusable workflow, an image.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::value::Text;
use crate::expression::opens_in;

/// The value of `uses:` (GitHub docs, "Workflow syntax", `jobs.<job_id>.steps[*].uses`).
///
/// ```
/// use pyfleet_core::workflow::Uses;
///
/// let uses: Uses = "github/codeql-action/upload-sarif@v4".parse().unwrap();
/// assert_eq!(uses.slug(), Some("github/codeql-action/upload-sarif"));
/// assert_eq!(uses.to_string(), "github/codeql-action/upload-sarif@v4");
/// assert!("actions/checkout".parse::<Uses>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "Text", into = "String")]
pub enum Uses {
    /// `owner/name@reference` or `owner/name/path@reference`.
    Repository {
        /// `owner/name` or `owner/name/path`.
        slug: String,
        /// A commit, tag or branch.
        reference: String,
    },
    /// `./path`, in the checked-out files; without the leading `./`.
    Local(String),
    /// `$/path`, in this repository at the commit of the workflow; without the leading `$/`.
    SelfRepository(String),
    /// `docker://image`; without the scheme.
    Docker(String),
    /// `${{ 'text' }}`, which GitHub evaluates before it looks for an action; as written.
    Computed(String),
}

impl Uses {
    /// `owner/name[/path]`, for an action in a repository.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        match self {
            Self::Repository { slug, .. } => Some(slug),
            Self::Local(_) | Self::SelfRepository(_) | Self::Docker(_) | Self::Computed(_) => None,
        }
    }

    /// The folder or file in another repository; none for its root.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.slug()?.splitn(3, '/').nth(2)
    }

    /// The commit, tag or branch, for an action in a repository.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Repository { reference, .. } => Some(reference),
            Self::Local(_) | Self::SelfRepository(_) | Self::Docker(_) | Self::Computed(_) => None,
        }
    }

    /// Whether this is the action with the given slug; GitHub ignores case here.
    #[must_use]
    pub fn is_action(&self, slug: &str) -> bool {
        self.slug().is_some_and(|own| own.eq_ignore_ascii_case(slug))
    }
}

impl FromStr for Uses {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if opens_in(text) {
            return Ok(Self::Computed(text.to_owned()));
        }
        if let Some(path) = text.strip_prefix("./") {
            return Ok(Self::Local(path.to_owned()));
        }
        if let Some(path) = text.strip_prefix("$/") {
            return Ok(Self::SelfRepository(path.to_owned()));
        }
        if let Some(image) = text.strip_prefix("docker://") {
            return Ok(Self::Docker(image.to_owned()));
        }
        let expected = || {
            format!(
                "expected `owner/name@reference`, `owner/name/path@reference`, `./path` or `docker://image`, \
                 found `{text}`"
            )
        };
        let (slug, reference) = text.split_once('@').ok_or_else(expected)?;
        let mut parts = slug.splitn(3, '/');
        let (owner, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let path = parts.next();
        if owner.is_empty() || name.is_empty() || path == Some("") || reference.is_empty() {
            return Err(expected());
        }
        Ok(Self::Repository { slug: slug.to_owned(), reference: reference.to_owned() })
    }
}

impl TryFrom<Text> for Uses {
    type Error = String;

    fn try_from(text: Text) -> Result<Self, Self::Error> {
        text.0.parse()
    }
}

impl From<Uses> for String {
    fn from(uses: Uses) -> Self {
        uses.to_string()
    }
}

impl fmt::Display for Uses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository { slug, reference } => write!(f, "{slug}@{reference}"),
            Self::Local(path) => write!(f, "./{path}"),
            Self::SelfRepository(path) => write!(f, "$/{path}"),
            Self::Docker(image) => write!(f, "docker://{image}"),
            Self::Computed(text) => f.write_str(text),
        }
    }
}
