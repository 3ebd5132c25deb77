//! The subjects of OIDC tokens.

use super::Project;
use crate::manifest::SubjectFormat;

impl Project {
    /// The subjects of a claim such as `environment:prod`, in the form or forms that the repository emits
    /// ([GitHub: OIDC reference](https://docs.github.com/en/actions/reference/security/oidc)).
    #[must_use]
    pub fn subjects(&self, claim: &str) -> Vec<String> {
        let legacy = format!("repo:{}:{claim}", self.repository);
        let immutable = || {
            let (owner, name) = self.repository.as_str().split_once('/')?;
            let (owner_id, repository_id) = (self.owner_id?, self.repository_id?);
            Some(format!("repo:{owner}@{owner_id}/{name}@{repository_id}:{claim}"))
        };
        match self.subject_format {
            SubjectFormat::Legacy => vec![legacy],
            SubjectFormat::Immutable => immutable().into_iter().collect(),
            SubjectFormat::Both => std::iter::once(legacy).chain(immutable()).collect(),
        }
    }
}
