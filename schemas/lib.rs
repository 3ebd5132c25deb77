//! The JSON Schemas, as data; tests pin them to the types they are written from.

/// The schema of `pyfleet.yml`, draft 7, which editors read.
pub const MANIFEST: &str = include_str!("pyfleet.schema.json");

/// The schema of a workflow file, draft 7, as GitHub's grammar has it.
pub const WORKFLOW: &str = include_str!("workflow.schema.json");

/// The schema of what `render`, `check` and `validate` print with `--format json`, draft 7.
pub const REPORT: &str = include_str!("report.schema.json");

/// The schema of what `diff` prints with `--format json`, draft 7.
pub const DIFFERENCE: &str = include_str!("difference.schema.json");

/// The schema of what `simulate` prints with `--format json`, draft 7.
pub const SIMULATION: &str = include_str!("simulation.schema.json");

/// The schema of what `prove` prints with `--format json`, draft 7.
pub const PROOF: &str = include_str!("proof.schema.json");
