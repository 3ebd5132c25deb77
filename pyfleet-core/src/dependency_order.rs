//! For tests only: a module uses only those above it in `lib.rs`.

use std::path::PathBuf;

use crate::reference_data::{files, text};

#[test]
fn modules_use_only_those_above_them() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let library = text(folder.join("lib.rs"));
    let order: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(order.len() > 5, "{order:?}");
    for (position, module) in order.iter().enumerate() {
        for file in sources(folder.join(module)).into_iter().chain([folder.join(format!("{module}.rs"))]) {
            if !file.exists() {
                continue;
            }
            let text = text(file.clone());
            for below in &order[position + 1..] {
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let uses = code.into_iter().any(|line| line.contains(&format!("crate::{below}")));
                assert!(!uses, "{} uses {below}, which stands below {module}", file.display());
            }
        }
    }
}

/// Every source file below a folder, if there is one.
fn sources(folder: PathBuf) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let below = |path: PathBuf| if path.is_dir() { sources(path) } else { vec![path] };
    files(folder).into_iter().flat_map(below).collect()
}
