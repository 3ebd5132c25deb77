//! The table of everything but events.

use super::events::ON;
use super::{Definition, Form, Map};

/// What GitHub reads as it stands.
pub(super) const fn plain(forms: &'static [Form]) -> Definition {
    Definition { expressions: false, forms }
}

/// What GitHub evaluates.
pub(super) const fn computed(forms: &'static [Form]) -> Definition {
    Definition { expressions: true, forms }
}

/// A map with these keys and no other.
pub(super) const fn keys(keys: &'static [(&'static str, &'static Definition)]) -> Map {
    Map { keys, required: &[], others: None }
}

/// A map with keys of the author's choice.
pub(super) const fn keyed(value: &'static Definition) -> Map {
    Map { keys: &[], required: &[], others: Some(value) }
}

pub(super) static TEXT: Definition = plain(&[Form::Text]);
pub(super) static TEXTS: Definition = plain(&[Form::List(&TEXT)]);
pub(super) static NAME: Definition = plain(&[Form::Name]);
pub(super) static NAMES: Definition = plain(&[Form::List(&NAME)]);
pub(super) static NAME_OR_NAMES: Definition = plain(&[Form::Name, Form::List(&NAME)]);
pub(super) static BOOLEAN: Definition = plain(&[Form::Boolean]);
static NUMBER: Definition = plain(&[Form::Number]);

static COMPUTED_TEXT: Definition = computed(&[Form::Text]);
static COMPUTED_BOOLEAN: Definition = computed(&[Form::Boolean]);
static COMPUTED_NUMBER: Definition = computed(&[Form::Number]);
/// Names of the author's choice, each with a text.
static COMPUTED_TEXTS: Definition = computed(&[Form::Map(&keyed(&TEXT))]);

/// The whole file.
pub(super) static WORKFLOW: Definition = plain(&[Form::Map(&Map {
    keys: &[
        ("name", &TEXT),
        ("description", &TEXT),
        ("run-name", &COMPUTED_TEXT),
        ("on", &ON),
        ("permissions", &PERMISSIONS),
        ("env", &COMPUTED_TEXTS),
        ("defaults", &plain(&[Form::Map(&keys(&[("run", &plain(&[Form::Map(&RUN_DEFAULTS)]))]))])),
        ("concurrency", &computed(&[Form::Text, Form::Map(&CONCURRENCY)])),
        ("jobs", &plain(&[Form::Map(&keyed(&JOB))])),
    ],
    required: &["on", "jobs"],
    others: None,
})]);

static RUN_DEFAULTS: Map = keys(&[("shell", &NAME), ("working-directory", &NAME)]);

static CONCURRENCY: Map = Map {
    keys: &[
        ("group", &NAME),
        ("cancel-in-progress", &BOOLEAN),
        ("queue", &plain(&[Form::Word(&["single", "max"])])),
    ],
    required: &["group"],
    others: None,
};

static PERMISSIONS: Definition = plain(&[
    Form::Word(&["read-all", "write-all"]),
    Form::Map(&keys(&[
        ("actions", &ANY_LEVEL),
        ("artifact-metadata", &ANY_LEVEL),
        ("attestations", &ANY_LEVEL),
        ("checks", &ANY_LEVEL),
        ("code-quality", &ANY_LEVEL),
        ("contents", &ANY_LEVEL),
        ("copilot-requests", &WRITE_OR_NONE),
        ("deployments", &ANY_LEVEL),
        ("discussions", &ANY_LEVEL),
        ("drives", &ANY_LEVEL),
        ("id-token", &WRITE_OR_NONE),
        ("issues", &ANY_LEVEL),
        ("models", &READ_OR_NONE),
        ("packages", &ANY_LEVEL),
        ("pages", &ANY_LEVEL),
        ("pull-requests", &ANY_LEVEL),
        ("repository-projects", &ANY_LEVEL),
        ("security-events", &ANY_LEVEL),
        ("statuses", &ANY_LEVEL),
        ("vulnerability-alerts", &READ_OR_NONE),
    ])),
]);
static ANY_LEVEL: Definition = plain(&[Form::Word(&["read", "write", "none"])]);
static READ_OR_NONE: Definition = plain(&[Form::Word(&["read", "none"])]);
static WRITE_OR_NONE: Definition = plain(&[Form::Word(&["write", "none"])]);

/// A job with steps and a job that calls a workflow, keys of both.
static JOB: Definition = plain(&[Form::Map(&keys(&[
    ("name", &COMPUTED_TEXT),
    ("needs", &NAME_OR_NAMES),
    ("if", &COMPUTED_TEXT),
    ("permissions", &PERMISSIONS),
    ("runs-on", &computed(&[Form::Name, Form::List(&NAME), Form::Map(&RUNNER)])),
    ("environment", &computed(&[Form::Text, Form::Map(&ENVIRONMENT)])),
    ("concurrency", &computed(&[Form::Name, Form::Map(&CONCURRENCY)])),
    ("strategy", &STRATEGY),
    ("timeout-minutes", &COMPUTED_NUMBER),
    ("cancel-timeout-minutes", &COMPUTED_NUMBER),
    ("continue-on-error", &COMPUTED_BOOLEAN),
    ("container", &computed(&[Form::Text, Form::Map(&CONTAINER)])),
    ("services", &computed(&[Form::Map(&keyed(&plain(&[Form::Name, Form::Map(&SERVICE)])))])),
    ("env", &COMPUTED_TEXTS),
    ("outputs", &plain(&[Form::Map(&keyed(&COMPUTED_TEXT))])),
    ("defaults", &plain(&[Form::Map(&keys(&[("run", &computed(&[Form::Map(&RUN_DEFAULTS)]))]))])),
    ("snapshot", &SNAPSHOT),
    ("steps", &STEPS),
    ("uses", &NAME),
    ("with", &plain(&[Form::Map(&keyed(&COMPUTED_SCALAR))])),
    ("secrets", &plain(&[Form::Word(&["inherit"]), Form::Map(&keyed(&COMPUTED_SCALAR))])),
]))]);

static COMPUTED_SCALAR: Definition = computed(&[Form::Text, Form::Boolean, Form::Number]);

static RUNNER: Map = keys(&[("group", &NAME), ("labels", &NAME_OR_NAMES)]);

static ENVIRONMENT: Map = Map {
    keys: &[("name", &TEXT), ("url", &TEXT), ("deployment", &BOOLEAN)],
    required: &["name"],
    others: None,
};

static STRATEGY: Definition = computed(&[Form::Map(&keys(&[
    ("fail-fast", &BOOLEAN),
    ("max-parallel", &NUMBER),
    (
        "matrix",
        &plain(&[Form::Map(&Map {
            keys: &[("include", &COMBINATIONS), ("exclude", &COMBINATIONS)],
            required: &[],
            others: Some(&plain(&[Form::List(&ANYTHING)])),
        })]),
    ),
]))]);
static COMBINATIONS: Definition = plain(&[Form::List(&plain(&[Form::Map(&keyed(&ANYTHING))]))]);
static ANYTHING: Definition = plain(&[Form::Anything]);

static SNAPSHOT: Definition = plain(&[
    Form::Name,
    Form::Map(&Map {
        keys: &[("image-name", &NAME), ("if", &COMPUTED_TEXT), ("version", &NAME)],
        required: &["image-name"],
        others: None,
    }),
]);

static CONTAINER: Map = keys(&[
    ("image", &NAME),
    ("options", &TEXT),
    ("env", &COMPUTED_TEXTS),
    ("ports", &NAMES),
    ("volumes", &NAMES),
    ("credentials", &CREDENTIALS),
]);
static SERVICE: Map = keys(&[
    ("image", &NAME),
    ("options", &TEXT),
    ("env", &COMPUTED_TEXTS),
    ("ports", &NAMES),
    ("volumes", &NAMES),
    ("credentials", &CREDENTIALS),
    ("entrypoint", &TEXT),
    ("command", &TEXT),
]);
static CREDENTIALS: Definition = plain(&[Form::Map(&keys(&[("username", &NAME), ("password", &NAME)]))]);

/// A step of any form, keys of all.
static STEPS: Definition = plain(&[Form::List(&plain(&[Form::Map(&keys(&[
    ("id", &NAME),
    ("name", &COMPUTED_TEXT),
    ("if", &COMPUTED_TEXT),
    ("uses", &NAME),
    ("with", &COMPUTED_TEXTS),
    ("run", &COMPUTED_TEXT),
    ("shell", &NAME),
    ("working-directory", &COMPUTED_TEXT),
    ("env", &COMPUTED_TEXTS),
    ("continue-on-error", &COMPUTED_BOOLEAN),
    ("timeout-minutes", &COMPUTED_NUMBER),
    ("background", &BOOLEAN),
    ("wait", &NAME_OR_NAMES),
    ("wait-all", &plain(&[Form::Null, Form::Boolean])),
    ("cancel", &NAME),
    ("parallel", &STEPS),
]))]))]);
