//! What the code of a finding means: a rule's documentation, or a paragraph for what reading and resolving find.

use crate::check::Rule;
use crate::check::rules::{self, RULES};

/// What is known of a code.
#[derive(Debug, Clone, Copy)]
pub enum Explanation {
    /// A rule found it.
    Rule(&'static Rule),
    /// It was found while a manifest or a workflow was read, resolved, planned or rendered.
    Other {
        /// The code.
        code: &'static str,
        /// What it says, why that matters, and what to do.
        about: &'static str,
    },
}

impl Explanation {
    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.code,
            Self::Other { code, .. } => code,
        }
    }

    /// One line: what holds where a rule finds nothing, or the first sentence of what else is known.
    #[must_use]
    pub fn summary(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.summary,
            Self::Other { about, .. } => about.split_once(". ").map_or(about, |(first, _)| first),
        }
    }
}

/// Every code that a finding can have, sorted.
#[must_use]
pub fn all() -> Vec<Explanation> {
    let rules = RULES.iter().map(|rule| Explanation::Rule(rule));
    let others = OTHERS.iter().map(|(code, about)| Explanation::Other { code, about });
    let mut all: Vec<_> = rules.chain(others).collect();
    all.sort_by_key(|explanation| explanation.code());
    all
}

/// What a code means, if a finding can have it.
///
/// ```
/// use pyfleet_core::explanation;
///
/// assert!(explanation::find("yaml-merge-key").unwrap().summary().contains("GitHub"));
/// assert!(explanation::find("timeout-sat").is_none());
/// ```
#[must_use]
pub fn find(code: &str) -> Option<Explanation> {
    let rule = rules::find(code).map(Explanation::Rule);
    rule.or_else(|| {
        let (code, about) = OTHERS.iter().find(|(own, _)| *own == code)?;
        Some(Explanation::Other { code, about })
    })
}

/// Codes that no rule has.
const OTHERS: &[(&str, &str)] = &[
    (
        "access-called",
        "A job calls a workflow whose text may change without anybody's noticing: by a tag or a branch, or the repository's \
         own at another commit, past the rules of its branches. Its jobs may run in any environment, and so nothing is proven. \
         Call your own workflows by their path, and others' by a commit.",
    ),
    (
        "access-edited",
        "The file in the repository is not the one that the manifest renders. What its steps do is not known, and so nothing \
         is proven. `check` shows what differs, and `render` makes it current.",
    ),
    (
        "access-started-otherwise",
        "A job gets into an environment on an event that its safety level does not allow: below level 3 nothing does, at \
         level 3 jobs only read, at level 4 whatever changes is started by hand, and whatever destroys always is. The job's \
         condition, or that of a job that it needs, has to refuse the event. A job with `actions: write` may start by its \
         token what a person should start: it has to be started by a person itself.",
    ),
    (
        "access-trust",
        "A job assumes a role in an environment that the role is not for. The role trusts the environment's name, and so \
         every job in it.",
    ),
    (
        "access-unplanned",
        "A job that the manifest does not plan runs in an environment of it, or a run decides in which. It gets that \
         environment's secrets and, with `id-token: write`, a token that the environment's roles trust. Give it an \
         environment of its own, or extend a workflow of the manifest with what it does.",
    ),
    (
        "access-unreadable",
        "A workflow file of the repository cannot be read, or is a link: nothing is known of what it does, and so nothing is \
         proven. `validate FILE` says what is wrong with it.",
    ),
    (
        "access-unreviewed",
        "A job can change an environment whose manifest says `approval: reviewers`, and there is a run in which nobody was \
         asked. Either it waits for no job in the environment's approval environment, or its condition lets it run although \
         that one was skipped, failed or was cancelled: the message names the event and what it depends on.",
    ),
    (
        "access-without-plan",
        "A job applies a saved plan, and may run although no job of the same run has planned successfully. It would apply \
         what nobody has seen.",
    ),
    (
        "ambiguous-number",
        "YAML reads this number otherwise than it is written. `3.10` is 3.1, `0o17` is 15, `1e3` is 1000. Put it in \
         quotes where it is a version or a name.",
    ),
    (
        "archived",
        "The tool is no longer maintained. CDKTF was archived in December 2025: it still synthesises, and gets no more \
         fixes. What it synthesises is plain Terraform, so that a stack can leave it: commit the configuration, and take \
         `cdktf` out of the stack.",
    ),
    (
        "container-mutable-tag",
        "A tag that moves is pushed beside the one that does not. Nothing pyfleet deploys is found by it; whoever pulls \
         `latest` elsewhere gets whatever was pushed last.",
    ),
    (
        "deceptive-text",
        "The text holds characters that show it otherwise than it is read: controls, directions of writing, or spaces \
         without width. They are refused wherever the text would be rendered, for a reviewer could not see them.",
    ),
    (
        "expression",
        "An expression is not one that GitHub reads, or it names a context or a function that is not there: each key of a \
         workflow has its own. GitHub refuses the whole file, and nothing in it runs.",
    ),
    (
        "extension-in-environment",
        "A job of one's own stands in an environment that the manifest declares. It would hold what the environment's own \
         jobs hold, without what stands before them.",
    ),
    (
        "extension-of-nothing",
        "`extend` names a workflow that is not there, or one that is not rendered. What it adds would be nowhere.",
    ),
    (
        "extension-opens-role",
        "A job of one's own could become one of the project's roles on AWS. Its token would have the subject and the file \
         that the role trusts, whatever it was meant for. Take `id-token` from it, or put it into a workflow of its own.",
    ),
    (
        "extension-refused",
        "What `extend` adds is not what GitHub would read, or anchors on a step that is not there. The message has the \
         anchors that are.",
    ),
    (
        "extension-with-rights",
        "A step of one's own stands in a job that holds rights on AWS. It can use them. Move it to a job without, or accept \
         it in `waivers` with a reason and an end.",
    ),
    ("invalid-value", "The value has the right form, and cannot be meant. The message says what it may be."),
    (
        "level-exceeded",
        "A workflow does what the project's safety level does not allow. Raise `safety-level` where that is wanted: a \
         reviewer of the manifest sees the one line.",
    ),
    (
        "lock-experimental",
        "Terraform's own lock in S3 is experimental in this version. It is settled from 1.11 on; 1.10 has it, and says so.",
    ),
    (
        "lock-unsupported",
        "This version of Terraform cannot lock the state in the way that is asked for. Locks in S3 need 1.10; older ones \
         lock with a DynamoDB table.",
    ),
    (
        "long-session",
        "A job may take longer than AWS lets its session last. Either the job's limit, or the role's \
         `MaxSessionDuration` has to change.",
    ),
    (
        "missing-key",
        "A key is missing without which nothing can be rendered. The message names it, and what it is for.",
    ),
    (
        "moving-runner",
        "A label such as `ubuntu-latest` means another image from one day to the next. What worked yesterday fails without \
         a change; name the image.",
    ),
    (
        "name-collision",
        "Two things would have one name in what is rendered. Job ids, files, artifacts and roles come from the names in the \
         manifest; change one of the two.",
    ),
    (
        "not-built",
        "The manifest's design names this key, and nothing renders it yet. Accepted in silence, it would promise what does \
         not happen. Take it out.",
    ),
    (
        "not-current",
        "A file is not what the manifest says. `pyfleet-gen render` makes it current; edits belong into the manifest, or \
         into `extend`.",
    ),
    (
        "production-planned",
        "Pull requests plan production, with a role that reads its state. Whoever can open one from a branch of this \
         repository runs code beside what that state holds.",
    ),
    (
        "pull-request-on-self-hosted",
        "Pull requests would run on machines of one's own. Their code is anybody's, and such a machine keeps what it leaves \
         behind. Give those jobs one of GitHub's runners.",
    ),
    (
        "render-mismatch",
        "A rendered workflow does not say what was planned. This is a mistake of pyfleet, and nothing is written; please \
         report it with the manifest.",
    ),
    (
        "reviewers-unavailable",
        "GitHub offers no required reviewers for this repository: private ones need GitHub Enterprise. A gate that does not \
         stop anybody is worse than none.",
    ),
    (
        "role-shared",
        "Two environments or purposes would share one role on AWS. What one may do, the other could then do too.",
    ),
    (
        "service-shared",
        "Two environments would deploy to one and the same service. Each would undo what the other has done.",
    ),
    (
        "state-shared",
        "Two stacks, or two environments, would keep their state under one key. Each apply would destroy what the other has \
         made. Put `{environment}` and `{stack}` into the key; the message has the commands that move a state.",
    ),
    (
        "trust-not-compared",
        "A trust policy lets in accounts, users, roles or services as well. They show no token of a job, so that nothing of \
         the plan says whether that is right.",
    ),
    (
        "trust-policy-shape",
        "This is no trust policy that IAM would take. `aws iam get-role --role-name NAME` prints one as it is.",
    ),
    (
        "trust-policy-strict",
        "A trust policy takes tokens that no job of the plan has: a pattern, a claim that nobody asks for, a missing one that \
         counts as a match. Whoever gets such a token has the role. `pyfleet-gen oidc` prints the policy that compares whole \
         values.",
    ),
    (
        "trust-role-unknown",
        "No role of the plan is known to have this trust policy. It is compared with what every job needs; `--role` says \
         whose it is.",
    ),
    (
        "trust-too-broad",
        "A job can assume a role that it does not need. What goes wrong in that job then reaches what the role may do. Name \
         the subjects and the files of the jobs that need it.",
    ),
    (
        "trust-undecided",
        "Whether a job can assume the role depends on what no file says: who starts it, from where, or which form its \
         subject has.",
    ),
    (
        "trust-unsatisfiable",
        "A job needs a role and can never assume it: a claim of its token is not what the trust policy asks for. A job with \
         an environment, for one, has a subject that names the environment and no branch.",
    ),
    (
        "two-owners",
        "Two things would both be in charge of what a service runs. Whichever came last would win, until the other runs \
         again.",
    ),
    (
        "unknown-anchor",
        "A step of one's own is anchored on a step that is not there, or no longer. The message has the anchors that are.",
    ),
    (
        "unknown-key",
        "Nothing reads a key of this name here. The message names the closest one that there is.",
    ),
    (
        "unknown-placeholder",
        "A text holds a placeholder in braces that nothing fills in here. The message lists those that are.",
    ),
    (
        "unknown-reference",
        "The manifest names something that it does not define. The message lists what there is.",
    ),
    (
        "waiver-unused",
        "A waiver covers no finding. What it was for is mended, or has another name or place by now: take it out.",
    ),
    (
        "waiver-without-reason",
        "A waiver gives no reason. The next reader decides by it whether the finding is still accepted.",
    ),
    (
        "workflow-structure",
        "Keys stand together that exclude each other, or one is missing. GitHub refuses the whole file, and nothing in it \
         runs.",
    ),
    (
        "wrong-type",
        "The value has another form than the key takes: a text for a number, a list for a mapping. GitHub refuses a \
         workflow for it, and pyfleet a manifest.",
    ),
    (
        "yaml-anchor",
        "An alias stands for an anchor that is not there, or for one that holds it. GitHub reads anchors since September \
         2025; a manifest takes none.",
    ),
    ("yaml-documents", "The file holds more than one YAML document. GitHub reads one."),
    (
        "yaml-duplicate-key",
        "A mapping has one key twice. GitHub refuses the file; other readers silently take the last one.",
    ),
    ("yaml-key", "A key is no text. GitHub refuses lists and mappings as keys."),
    ("yaml-limit", "The file is larger, deeper or longer than GitHub reads."),
    (
        "yaml-merge-key",
        "GitHub does not read the merge key `<<`. Say what is merged where it belongs; aliases of whole values are read.",
    ),
    ("yaml-number", "A number is larger or finer than can be kept. Put it in quotes where it is a text."),
    ("yaml-syntax", "The text is not YAML. The message says where it stops to be."),
    ("yaml-tag", "GitHub reads no tags but those of plain values. Take `!…` out."),
];
