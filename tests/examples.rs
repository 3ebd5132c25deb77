use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pyfleet_core::source::Source;
use pyfleet_gen::{project_file, render};

use crate::tool;

/// The rendered trees under `examples/` are what their manifests say; `PYFLEET_UPDATE=1 cargo test` rewrites them.
#[test]
fn every_example_is_rendered_as_committed() {
    for example in examples() {
        let rendered = rendered(&example);
        if std::env::var_os("PYFLEET_UPDATE").is_some() {
            for (path, text) in &rendered {
                fs::create_dir_all(example.join(path).parent().unwrap()).unwrap();
                fs::write(example.join(path), text).unwrap();
                fs::set_permissions(example.join(path), Permissions::from_mode(mode(path))).unwrap();
            }
        }
        for (path, text) in &rendered {
            let file = example.join(path);
            let committed = fs::read(&file).unwrap_or_default();
            assert!(
                committed == text.as_bytes()
                    && fs::metadata(&file).unwrap().permissions().mode() & 0o700 == mode(path) & 0o700,
                "{}: rewrite it with PYFLEET_UPDATE=1 cargo test examples",
                file.display()
            );
        }
        for directory in [".github/workflows", ".github/scripts", ".github/cicd"] {
            let Ok(entries) = fs::read_dir(example.join(directory)) else { continue };
            for entry in entries {
                let path = format!("{directory}/{}", entry.unwrap().file_name().to_str().unwrap());
                assert!(rendered.contains_key(&path), "{}/{path} is no longer rendered", example.display());
            }
        }
    }
}

/// What `render` gives a new file, but for the user's mask.
fn mode(path: &str) -> u32 {
    if path.ends_with(".sh") { 0o755 } else { 0o644 }
}

/// How much a manifest says in how little: printed, and bounded where the examples are meant to convince.
#[test]
#[expect(clippy::print_stdout, reason = "the share is worth reading, with --nocapture")]
fn a_manifest_is_a_small_part_of_what_it_renders() {
    for example in examples() {
        let manifest = fs::read_to_string(example.join("pyfleet.yml")).unwrap();
        let said: usize = manifest
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .map(|line| line.len() + 1)
            .sum();
        let workflows: usize = rendered(&example)
            .iter()
            .filter(|(path, _)| path.ends_with(".yml"))
            .map(|(_, text)| text.len())
            .sum();
        let name = example.file_name().unwrap().to_str().unwrap();
        println!(
            "{name}: {said} bytes of manifest render {workflows} bytes of workflows: {} %",
            said * 100 / workflows
        );
        assert!(said * 100 <= workflows * 15, "{name}: the manifest is more than 15 % of what it renders");
    }
}

/// What each safety level of one manifest renders, and that no job below the third can prove to a cloud who it is.
#[test]
fn each_level_of_a_manifest_renders_what_it_allows() {
    let full = fs::read_to_string(tool::repository().join("examples/sandbox-broker/pyfleet.yml")).unwrap();
    let ladder = [
        (1, &["test"][..]),
        (2, &["build", "test"]),
        (3, &["build", "terraform", "test"]),
        (4, &["build", "deploy", "rollback", "terraform", "test"]),
    ];
    for (level, kinds) in ladder {
        let (facts, _) = full.split_once("workflows:\n").unwrap();
        let facts = facts.replace("safety-level: 4", &format!("safety-level: {level}"));
        let wishes =
            |kinds: &[&str]| -> String { kinds.iter().map(|kind| format!("  {kind}: {{}}\n")).collect() };
        let files = rendered_text(&format!("{facts}workflows:\n{}", wishes(kinds)));
        let workflows: BTreeMap<&str, &String> = files
            .iter()
            .filter_map(|(path, text)| {
                Some((path.strip_prefix(".github/workflows/")?.strip_suffix(".yml")?, text))
            })
            .collect();
        assert_eq!(workflows.keys().copied().collect::<Vec<_>>(), kinds, "level {level}");
        for (name, text) in &workflows {
            let proves = text.contains("id-token: write");
            assert_eq!(
                proves,
                matches!(*name, "deploy" | "rollback" | "terraform"),
                "{name} at level {level}"
            );
            assert!(!proves || level >= 3, "{name} at level {level}");
            assert!(level >= 4 || !text.contains("mutate-"), "{name} at level {level}");
        }
        // One more wish is one too many.
        for above in ladder.iter().filter(|(own, _)| *own > level) {
            let text = format!("{facts}workflows:\n{}", wishes(above.1));
            let loaded = project_file::load(Source::new("pyfleet.yml", text));
            let exceeded = loaded.findings.iter().filter(|finding| finding.code == "level-exceeded").count();
            // The static part of `terraform` needs no cloud, and is allowed from the first level on.
            let beyond = above.1.iter().filter(|kind| match **kind {
                "build" => level < 2,
                "deploy" | "rollback" => level < 4,
                _ => false,
            });
            assert_eq!(exceeded, beyond.count(), "level {level} with {:?}", above.1);
        }
    }
}

/// Who becomes nothing on AWS is not told how to talk to it: an image in another registry is pushed without a cloud.
#[test]
fn only_who_becomes_something_on_aws_is_told_how_to_talk_to_it() {
    let mut told = 0;
    for example in examples() {
        let manifest = fs::read_to_string(example.join("pyfleet.yml")).unwrap();
        let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
        let (_, plan) = loaded.planned.unwrap();
        for workflow in &plan.workflows {
            for (id, job) in &workflow.jobs {
                let env = &workflow.model.jobs[id].env;
                let is_told = env.keys().any(|name| name.starts_with("AWS_"));
                assert!(!is_told || job.identity.is_some(), "{}: {id}", workflow.file);
                told += usize::from(is_told);
            }
        }
    }
    assert!(told > 0);
}

fn rendered(example: &Path) -> BTreeMap<String, String> {
    rendered_text(&fs::read_to_string(example.join("pyfleet.yml")).unwrap())
}

fn rendered_text(manifest: &str) -> BTreeMap<String, String> {
    let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
    let (project, plan) = loaded.planned.unwrap_or_else(|| panic!("{manifest}\n{:?}", loaded.findings));
    render::render(&project, &plan, "pyfleet.yml").unwrap()
}

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(tool::repository().join("examples")).unwrap();
    let mut examples: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("pyfleet.yml").is_file())
        .collect();
    examples.sort();
    assert!(!examples.is_empty());
    examples
}
