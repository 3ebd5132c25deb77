//! The repository on GitHub.

use super::name::checked_string;

/// The repository on GitHub.
#[derive(Debug, Clone, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GitHub {
    /// Owner and name: `acme/shop`.
    pub repository: Repository,
    /// The branch that releases come from. Default: `main`.
    pub default_branch: Option<BranchName>,
    /// Who can see the repository, and with it logs, comments and artifacts. Default: `public`, the most careful.
    pub visibility: Option<Visibility>,
    /// The account's plan; it decides which protection rules the repository can have. Default: `free`.
    pub plan: Option<Plan>,
    /// `github.com`, or `ghes` for GitHub Enterprise Server. Default: `github.com`.
    pub host: Option<Host>,
    /// The form of OIDC subjects. Default: `legacy`.
    pub subject_format: Option<SubjectFormat>,
    /// The owner's numeric id; needed for immutable subjects.
    pub owner_id: Option<u64>,
    /// The repository's numeric id; needed for immutable subjects.
    pub repository_id: Option<u64>,
}

checked_string! {
    /// Owner and name of a repository: `acme/shop`.
    Repository, pattern: "^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$", max: 140,
    check: |text| text.split_once('/').is_some_and(|(owner, name)| {
        owner.starts_with(|first: char| first.is_ascii_alphanumeric())
            && owner.len() <= 39
            && owner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && (1..=100).contains(&name.len())
            && !matches!(name, "." | "..")
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    }),
    says: "a repository is its owner and its name: `acme/shop`"
}

checked_string! {
    /// The name of one branch: no pattern, only letters, digits and `._/-`.
    BranchName, pattern: "^[A-Za-z0-9_][A-Za-z0-9._/-]*$", max: 200,
    check: |text| text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-'))
        && !text.contains("..") && !text.contains("//") && !text.ends_with(['/', '.']) && !text.ends_with(".lock"),
    says: "a branch is named with letters, digits, dots, dashes, underscores and slashes, and is not a pattern"
}

/// Who can see the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    /// Everybody: logs, comments and artifacts too.
    Public,
    /// Those with access.
    Private,
    /// Everybody in the enterprise.
    Internal,
}

/// The account's plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Plan {
    /// GitHub Free.
    Free,
    /// GitHub Pro or Team.
    Team,
    /// GitHub Enterprise.
    Enterprise,
}

/// Where GitHub runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Host {
    /// github.com.
    #[serde(rename = "github.com")]
    GitHubCom,
    /// GitHub Enterprise Server: the conservative syntax profile.
    #[serde(rename = "ghes")]
    EnterpriseServer,
}

/// The form of the `sub` claim in OIDC tokens
/// ([GitHub: OIDC reference](https://docs.github.com/en/actions/reference/security/oidc)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SubjectFormat {
    /// `repo:acme/shop:…`.
    Legacy,
    /// `repo:acme@1001/shop@2001:…`: repositories made or renamed since 2026-07-15.
    Immutable,
    /// Both are accepted, and the repository's id is demanded.
    Both,
}
