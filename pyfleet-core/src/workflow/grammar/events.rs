//! The table of events: their filters and the types of their activities.

use super::table::{BOOLEAN, NAME, NAME_OR_NAMES, NAMES, TEXT, TEXTS, computed, keyed, keys, plain};
use super::{Definition, Form, Map};

/// The types that an event can have.
pub(in crate::workflow) fn types(event: &str) -> &'static [&'static str] {
    let below = |definition: &'static Definition, key: &str| {
        definition.forms.iter().find_map(|form| match form {
            Form::Map(map) => map.keys.iter().find(|(own, _)| *own == key).map(|(_, below)| *below),
            _ => None,
        })
    };
    let types = below(&ON, event).and_then(|event| below(event, "types"));
    let words = types.into_iter().flat_map(|types| types.forms).find_map(|form| match form {
        Form::Word(words) => Some(*words),
        _ => None,
    });
    words.unwrap_or_default()
}

/// An event that takes nothing.
static BARE: Definition = plain(&[Form::Null]);

/// Every event of GitHub's, sorted.
pub(in crate::workflow) static EVENTS: &[&str] = &[
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "image_version",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "project",
    "project_card",
    "project_column",
    "public",
    "pull_request",
    "pull_request_comment",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "schedule",
    "status",
    "watch",
    "workflow_call",
    "workflow_dispatch",
    "workflow_run",
];

/// `on:`.
pub(super) static ON: Definition = plain(&[
    Form::Word(EVENTS),
    Form::List(&plain(&[Form::Word(EVENTS)])),
    Form::Map(&keys(&[
        ("branch_protection_rule", &BRANCH_PROTECTION_RULE),
        ("check_run", &CHECK_RUN),
        ("check_suite", &CHECK_SUITE),
        ("create", &BARE),
        ("delete", &BARE),
        ("deployment", &BARE),
        ("deployment_status", &BARE),
        ("discussion", &DISCUSSION),
        ("discussion_comment", &DISCUSSION_COMMENT),
        ("fork", &BARE),
        ("gollum", &BARE),
        ("image_version", &IMAGE_VERSION),
        ("issue_comment", &ISSUE_COMMENT),
        ("issues", &ISSUES),
        ("label", &LABEL),
        ("merge_group", &MERGE_GROUP),
        ("milestone", &MILESTONE),
        ("page_build", &BARE),
        ("project", &PROJECT),
        ("project_card", &PROJECT_CARD),
        ("project_column", &PROJECT_COLUMN),
        ("public", &BARE),
        ("pull_request", &PULL_REQUEST),
        ("pull_request_comment", &ISSUE_COMMENT),
        ("pull_request_review", &PULL_REQUEST_REVIEW),
        ("pull_request_review_comment", &PULL_REQUEST_REVIEW_COMMENT),
        ("pull_request_target", &PULL_REQUEST_TARGET),
        ("push", &PUSH),
        ("registry_package", &REGISTRY_PACKAGE),
        ("release", &RELEASE),
        ("repository_dispatch", &REPOSITORY_DISPATCH),
        ("schedule", &SCHEDULE),
        ("status", &BARE),
        ("watch", &WATCH),
        ("workflow_call", &WORKFLOW_CALL),
        ("workflow_dispatch", &WORKFLOW_DISPATCH),
        ("workflow_run", &WORKFLOW_RUN),
    ])),
]);

static BRANCH_PROTECTION_RULE_TYPES: Definition =
    plain(&[BRANCH_PROTECTION_RULE_TYPES_WORD, Form::List(&plain(&[BRANCH_PROTECTION_RULE_TYPES_WORD]))]);
const BRANCH_PROTECTION_RULE_TYPES_WORD: Form = Form::Word(&["created", "edited", "deleted"]);
static BRANCH_PROTECTION_RULE: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &BRANCH_PROTECTION_RULE_TYPES)]))]);
static CHECK_RUN_TYPES: Definition =
    plain(&[CHECK_RUN_TYPES_WORD, Form::List(&plain(&[CHECK_RUN_TYPES_WORD]))]);
const CHECK_RUN_TYPES_WORD: Form = Form::Word(&["completed", "created", "rerequested", "requested_action"]);
static CHECK_RUN: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &CHECK_RUN_TYPES)]))]);
static CHECK_SUITE_TYPES: Definition =
    plain(&[CHECK_SUITE_TYPES_WORD, Form::List(&plain(&[CHECK_SUITE_TYPES_WORD]))]);
const CHECK_SUITE_TYPES_WORD: Form = Form::Word(&["completed"]);
static CHECK_SUITE: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &CHECK_SUITE_TYPES)]))]);
static DISCUSSION_TYPES: Definition =
    plain(&[DISCUSSION_TYPES_WORD, Form::List(&plain(&[DISCUSSION_TYPES_WORD]))]);
const DISCUSSION_TYPES_WORD: Form = Form::Word(&[
    "created",
    "edited",
    "deleted",
    "transferred",
    "pinned",
    "unpinned",
    "labeled",
    "unlabeled",
    "locked",
    "unlocked",
    "category_changed",
    "answered",
    "unanswered",
]);
static DISCUSSION: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &DISCUSSION_TYPES)]))]);
static DISCUSSION_COMMENT: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &BRANCH_PROTECTION_RULE_TYPES)]))]);
static IMAGE_VERSION_TYPES: Definition =
    plain(&[IMAGE_VERSION_TYPES_WORD, Form::List(&plain(&[IMAGE_VERSION_TYPES_WORD]))]);
const IMAGE_VERSION_TYPES_WORD: Form = Form::Word(&["created", "ready", "deleted"]);
static IMAGE_VERSION: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[
        ("types", &IMAGE_VERSION_TYPES),
        ("names", &NAME_OR_NAMES),
        ("versions", &NAME_OR_NAMES),
    ])),
]);
static ISSUE_COMMENT: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &BRANCH_PROTECTION_RULE_TYPES)]))]);
static ISSUES_TYPES: Definition = plain(&[ISSUES_TYPES_WORD, Form::List(&plain(&[ISSUES_TYPES_WORD]))]);
const ISSUES_TYPES_WORD: Form = Form::Word(&[
    "opened",
    "edited",
    "deleted",
    "transferred",
    "pinned",
    "unpinned",
    "closed",
    "reopened",
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "locked",
    "unlocked",
    "milestoned",
    "demilestoned",
    "field_added",
    "field_removed",
    "typed",
    "untyped",
]);
static ISSUES: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &ISSUES_TYPES)]))]);
static LABEL: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &BRANCH_PROTECTION_RULE_TYPES)]))]);
static MERGE_GROUP_TYPES: Definition =
    plain(&[MERGE_GROUP_TYPES_WORD, Form::List(&plain(&[MERGE_GROUP_TYPES_WORD]))]);
const MERGE_GROUP_TYPES_WORD: Form = Form::Word(&["checks_requested"]);
static MERGE_GROUP: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[
        ("types", &MERGE_GROUP_TYPES),
        ("branches", &NAME_OR_NAMES),
        ("branches-ignore", &NAME_OR_NAMES),
    ])),
]);
static MILESTONE_TYPES: Definition =
    plain(&[MILESTONE_TYPES_WORD, Form::List(&plain(&[MILESTONE_TYPES_WORD]))]);
const MILESTONE_TYPES_WORD: Form = Form::Word(&["created", "closed", "opened", "edited", "deleted"]);
static MILESTONE: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &MILESTONE_TYPES)]))]);
static PROJECT_TYPES: Definition = plain(&[PROJECT_TYPES_WORD, Form::List(&plain(&[PROJECT_TYPES_WORD]))]);
const PROJECT_TYPES_WORD: Form = Form::Word(&["created", "closed", "reopened", "edited", "deleted"]);
static PROJECT: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &PROJECT_TYPES)]))]);
static PROJECT_CARD_TYPES: Definition =
    plain(&[PROJECT_CARD_TYPES_WORD, Form::List(&plain(&[PROJECT_CARD_TYPES_WORD]))]);
const PROJECT_CARD_TYPES_WORD: Form = Form::Word(&["created", "moved", "converted", "edited", "deleted"]);
static PROJECT_CARD: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &PROJECT_CARD_TYPES)]))]);
static PROJECT_COLUMN_TYPES: Definition =
    plain(&[PROJECT_COLUMN_TYPES_WORD, Form::List(&plain(&[PROJECT_COLUMN_TYPES_WORD]))]);
const PROJECT_COLUMN_TYPES_WORD: Form = Form::Word(&["created", "updated", "moved", "deleted"]);
static PROJECT_COLUMN: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &PROJECT_COLUMN_TYPES)]))]);
static PULL_REQUEST_TYPES: Definition =
    plain(&[PULL_REQUEST_TYPES_WORD, Form::List(&plain(&[PULL_REQUEST_TYPES_WORD]))]);
const PULL_REQUEST_TYPES_WORD: Form = Form::Word(&[
    "assigned",
    "unassigned",
    "labeled",
    "unlabeled",
    "opened",
    "edited",
    "closed",
    "reopened",
    "synchronize",
    "converted_to_draft",
    "locked",
    "unlocked",
    "enqueued",
    "dequeued",
    "milestoned",
    "demilestoned",
    "ready_for_review",
    "review_requested",
    "review_request_removed",
    "auto_merge_enabled",
    "auto_merge_disabled",
    "stacked",
]);
static PULL_REQUEST: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[
        ("types", &PULL_REQUEST_TYPES),
        ("branches", &NAME_OR_NAMES),
        ("branches-ignore", &NAME_OR_NAMES),
        ("paths", &NAME_OR_NAMES),
        ("paths-ignore", &NAME_OR_NAMES),
    ])),
]);
static PULL_REQUEST_REVIEW_TYPES: Definition =
    plain(&[PULL_REQUEST_REVIEW_TYPES_WORD, Form::List(&plain(&[PULL_REQUEST_REVIEW_TYPES_WORD]))]);
const PULL_REQUEST_REVIEW_TYPES_WORD: Form = Form::Word(&["submitted", "edited", "dismissed"]);
static PULL_REQUEST_REVIEW: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &PULL_REQUEST_REVIEW_TYPES)]))]);
static PULL_REQUEST_REVIEW_COMMENT: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &BRANCH_PROTECTION_RULE_TYPES)]))]);
static PULL_REQUEST_TARGET: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[
        ("types", &PULL_REQUEST_TYPES),
        ("branches", &NAME_OR_NAMES),
        ("branches-ignore", &NAME_OR_NAMES),
        ("paths", &NAME_OR_NAMES),
        ("paths-ignore", &NAME_OR_NAMES),
    ])),
]);
static PUSH: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[
        ("branches", &NAME_OR_NAMES),
        ("branches-ignore", &NAME_OR_NAMES),
        ("tags", &NAME_OR_NAMES),
        ("tags-ignore", &NAME_OR_NAMES),
        ("paths", &NAME_OR_NAMES),
        ("paths-ignore", &NAME_OR_NAMES),
    ])),
]);
static REGISTRY_PACKAGE_TYPES: Definition =
    plain(&[REGISTRY_PACKAGE_TYPES_WORD, Form::List(&plain(&[REGISTRY_PACKAGE_TYPES_WORD]))]);
const REGISTRY_PACKAGE_TYPES_WORD: Form = Form::Word(&["published", "updated"]);
static REGISTRY_PACKAGE: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("types", &REGISTRY_PACKAGE_TYPES)]))]);
static RELEASE_TYPES: Definition = plain(&[RELEASE_TYPES_WORD, Form::List(&plain(&[RELEASE_TYPES_WORD]))]);
const RELEASE_TYPES_WORD: Form =
    Form::Word(&["published", "unpublished", "created", "edited", "deleted", "prereleased", "released"]);
static RELEASE: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &RELEASE_TYPES)]))]);
static REPOSITORY_DISPATCH: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &NAMES)]))]);
static WATCH_TYPES: Definition = plain(&[WATCH_TYPES_WORD, Form::List(&plain(&[WATCH_TYPES_WORD]))]);
const WATCH_TYPES_WORD: Form = Form::Word(&["started"]);
static WATCH: Definition = plain(&[Form::Null, Form::Map(&keys(&[("types", &WATCH_TYPES)]))]);
static WORKFLOW_RUN_TYPES: Definition =
    plain(&[WORKFLOW_RUN_TYPES_WORD, Form::List(&plain(&[WORKFLOW_RUN_TYPES_WORD]))]);
const WORKFLOW_RUN_TYPES_WORD: Form = Form::Word(&["requested", "completed", "in_progress"]);
static WORKFLOW_RUN: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[
        ("types", &WORKFLOW_RUN_TYPES),
        ("workflows", &NAME_OR_NAMES),
        ("branches", &NAME_OR_NAMES),
        ("branches-ignore", &NAME_OR_NAMES),
    ])),
]);

static SCHEDULE: Definition = plain(&[Form::List(&plain(&[Form::Map(&Map {
    keys: &[("cron", &NAME), ("timezone", &NAME)],
    required: &["cron"],
    others: None,
})]))]);

static WORKFLOW_DISPATCH: Definition =
    plain(&[Form::Null, Form::Map(&keys(&[("inputs", &DISPATCH_INPUTS)]))]);
static DISPATCH_INPUTS: Definition = plain(&[Form::Map(&keyed(&DISPATCH_INPUT))]);
/// GitHub starts a workflow whose input says nothing, although its published grammar does not have it.
static DISPATCH_INPUT: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[
        ("description", &TEXT),
        ("type", &plain(&[Form::Word(&["string", "boolean", "number", "environment", "choice"])])),
        ("required", &BOOLEAN),
        ("default", &plain(SCALAR)),
        ("options", &TEXTS),
    ])),
]);

static WORKFLOW_CALL: Definition = plain(&[
    Form::Null,
    Form::Map(&keys(&[("inputs", &CALL_INPUTS), ("secrets", &CALL_SECRETS), ("outputs", &CALL_OUTPUTS)])),
]);
static CALL_INPUTS: Definition = plain(&[Form::Map(&keyed(&plain(&[Form::Map(&Map {
    keys: &[
        ("description", &TEXT),
        ("type", &plain(&[Form::Word(&["string", "boolean", "number"])])),
        ("required", &BOOLEAN),
        ("default", &computed(SCALAR)),
    ],
    required: &["type"],
    others: None,
})])))]);
static CALL_SECRETS: Definition = plain(&[Form::Map(&keyed(&plain(&[
    Form::Null,
    Form::Map(&keys(&[("description", &TEXT), ("required", &BOOLEAN)])),
])))]);
static CALL_OUTPUTS: Definition = plain(&[Form::Map(&keyed(&plain(&[Form::Map(&Map {
    keys: &[("description", &TEXT), ("value", &computed(&[Form::Text]))],
    required: &["value"],
    others: None,
})])))]);

const SCALAR: &[Form] = &[Form::Text, Form::Boolean, Form::Number];
