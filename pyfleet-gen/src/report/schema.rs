//! For tests only: the schemas of what is printed for programs, written from the types that print it.

use std::fs;
use std::path::Path;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

/// Holds a schema to its type; `PYFLEET_UPDATE=1 cargo test -p pyfleet-gen` rewrites the file.
#[track_caller]
pub(super) fn is_written_from<T: JsonSchema>(name: &str) {
    let file = format!("{name}.schema.json");
    let mut schema = SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), format!("https://pyfleet.dev/schemas/{file}").into());
    let written = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas").join(&file);
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        fs::write(&path, &written).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == written,
        "schemas/{file} is not what the types say: rewrite it with PYFLEET_UPDATE=1 cargo test -p pyfleet-gen"
    );
}
