//! Each kind of workflow in a few words, for people who run it.

use crate::manifest::Kind;

/// A kind of workflow, for people who run it. The texts are Markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// What it does.
    pub does: &'static str,
    /// How what it did is undone.
    pub undo: &'static str,
    /// What a run that was cancelled may leave behind.
    pub cancelled: Option<&'static str>,
}

const CHANGES_NOTHING: &str = "It changes nothing outside of GitHub: there is nothing to undo.";

/// A kind in a few words.
#[must_use]
pub const fn about(kind: Kind) -> About {
    match kind {
        Kind::Build => About {
            does: "Builds the images that a change concerns, checks their size, user and health, and scans them for \
                   vulnerabilities. It pushes none of them.",
            undo: CHANGES_NOTHING,
            cancelled: None,
        },
        Kind::CheckState => About {
            does: "Checks for every stack that its state parses, is encrypted, versioned and private, that it can be \
                   locked, and that its lock is free.",
            undo: "It changes nothing but one object of its own in the state's bucket, which it removes.",
            cancelled: None,
        },
        Kind::Terraform => About {
            does: "Formats, validates, tests and scans the stacks that a change concerns, and plans them where a role \
                   that only reads is declared. It applies nothing.",
            undo: CHANGES_NOTHING,
            cancelled: None,
        },
        Kind::Test => About {
            does: "Runs every test suite, and comments results and coverage on the pull request where that is asked for.",
            undo: CHANGES_NOTHING,
            cancelled: None,
        },
        Kind::TestOidc => About {
            does: "Shows what the token of each kind of job opens on AWS, that it opens nothing else, and which \
                   variables and secrets are empty.",
            undo: CHANGES_NOTHING,
            cancelled: None,
        },
        Kind::Tf => About {
            does: "Plans, applies, promotes and destroys one stack of one environment; makes and removes the state's \
                   bucket, and releases a lock that nobody holds any more. What changes something asks for a typed \
                   phrase, and applies the plan that was shown.",
            undo: "No run takes an apply back by itself, but for a promotion with `auto-revert`. Revert the commit, \
                   merge it, and apply again: the plan shows what returns. What was promoted is promoted back with the \
                   other colour. What was destroyed is made anew, without its data. The bucket keeps earlier versions \
                   of every state; put one back only if no resource has changed since.",
            cancelled: Some(
                "an apply that is cut off may leave its lock behind, and a state that Terraform could not write. The \
                 run saves that state and names the lock's holder: read its summary before anything else.",
            ),
        },
    }
}
