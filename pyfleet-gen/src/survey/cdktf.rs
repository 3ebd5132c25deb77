//! CDKTF: `cdktf.json`.

use serde_json::Value;

use super::tree::{Tree, directory_of, name_of};
use super::{Later, Notes};

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Later> {
    let mut found = Vec::new();
    for path in tree.files().filter(|path| name_of(path) == "cdktf.json") {
        let Some(text) = tree.read(path, notes) else { continue };
        let Ok(settings) = serde_json::from_str::<Value>(&text) else {
            notes.add(format!("`{path}` is not JSON, and was left out"));
            continue;
        };
        let language = settings.get("language").and_then(Value::as_str).unwrap_or("an unknown language");
        found.push(Later::new(
            "CDKTF",
            directory_of(path),
            format!("in {language}"),
            "a stack with `cdktf`, which a pipeline synthesises",
        ));
    }
    found
}
