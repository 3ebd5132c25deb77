//! The JSON Schemas, as data; tests pin them to the types they are written from.

/// The schema of `pyfleet.yml`, draft 7, which editors read.
pub const MANIFEST: &str = include_str!("pyfleet.schema.json");
