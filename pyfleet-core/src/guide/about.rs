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
        Kind::Deploy => About {
            does: "Tests, builds and scans the images of the services that are chosen, pushes each by its digest, and \
                   deploys it to Amazon ECS, or to Kubernetes on Amazon EKS with what it needs beside it. The image of a \
                   commit is built once and used again.",
            undo: "A deployment that fails or does not become healthy is taken back by the run itself, which still \
                   fails; on Kubernetes only where `auto-rollback` says so. To take one back that went well, start the rollback with `previous` or the number of a \
                   revision.",
            cancelled: Some(
                "ECS and Kubernetes go on with a deployment that they have begun: look at the service, or start the \
                 rollback, which stops a deployment in progress first.",
            ),
        },
        Kind::Metrics => About {
            does: "Measures the deliveries of the last four weeks: how long their jobs ran, how many succeeded, how long \
                   a commit took, how many were taken back, and how long it took to recover; compared with `targets` \
                   of the manifest.",
            undo: CHANGES_NOTHING,
            cancelled: None,
        },
        Kind::Pipeline => About {
            does: "Takes a commit through its stages. What needs no environment comes first, and is all that a pull \
                   request runs: tests, analysis, images that are built and scanned. Then each environment of the \
                   branch has its turn, in the order of promotion: its stacks are planned, its reviewers agree, \
                   the images are pushed, the stacks applied, the services deployed. A commit that is no longer the \
                   newest of its branch changes nothing.",
            undo: "Revert the commit and merge it: the run takes what was before through the same stages. A service \
                   that does not become healthy is put back by the run itself where its target does that; the \
                   rollback workflow, where there is one, is faster than a revert.",
            cancelled: Some(
                "what was applied or deployed before stays. An apply that is cut off may leave its lock behind, and \
                 ECS goes on with a deployment that it has begun: read the summary of the job that was cut off.",
            ),
        },
        Kind::Rollback => About {
            does: "Puts a service back to an earlier revision, or a stack to the configuration \
                   of an earlier commit that was applied, by a plan of it. A golden image goes back with the commit \
                   that it was applied with, and its machines are configured again. `list` shows what there is to go back to, \
                   and changes nothing. A state is never put back, and nothing is destroyed on purpose.",
            undo: "Roll forward: deploy or apply the commit that is wanted. Git still holds what was rolled back, \
                   and the next deployment or apply of it brings it again.",
            cancelled: Some(
                "ECS and Kubernetes go on with a deployment that they have begun; an apply that is cut off may leave its lock behind.",
            ),
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
        Kind::TfAuto => About {
            does: "Plans and applies every stack of the environments of a branch when a push changes one of them, in \
                   the order in which stacks need each other and environments follow each other. By the clock it \
                   only compares, and fails where something differs. By hand it plans, applies, promotes or destroys one whole environment, behind a \
                   typed phrase.",
            undo: "Revert the commit and merge it: the push applies what was before, through the same plans and \
                   approvals. What was destroyed is made anew, without its data.",
            cancelled: Some(
                "an apply that is cut off may leave its lock behind, and a state that Terraform could not write. The \
                 run saves that state and names the lock's holder. Stacks behind it were not started.",
            ),
        },
        Kind::TfDrift => About {
            does: "Plans every stack without changing anything, and tells what was changed outside of Terraform from \
                   what nobody has applied yet. It keeps one issue for each stack that drifts, where that is asked \
                   for, and closes it when the drift is gone. Stacks are planned with the images that the last apply \
                   wrote down.",
            undo: CHANGES_NOTHING,
            cancelled: None,
        },
    }
}
