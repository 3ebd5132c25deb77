//! Packer: templates in HCL and JSON.

use super::Later;
use super::tree::{Tree, directory_of};

pub(super) fn look(tree: &Tree<'_>) -> Vec<Later> {
    let mut found: Vec<Later> = Vec::new();
    for path in tree.files().filter(|path| path.ends_with(".pkr.hcl") || path.ends_with(".pkr.json")) {
        let directory = directory_of(path);
        if !found.iter().any(|known| known.path == directory) {
            found.push(Later::new(
                "Packer",
                directory,
                "templates",
                "`packer`, of which the stage `golden-image` of a pipeline builds images",
            ));
        }
    }
    found
}
