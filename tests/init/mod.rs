//! `init` on repositories of every make: what it says it saw, and that what it writes renders, at every level.

mod cases; // the repositories, and what init says of each
mod examples; // the sources of the examples: what init proposes, and what their manifests have
mod generated; // trees that nobody would make: no panic, and a manifest that is valid
mod hostile; // names, links and sizes that a stranger chose
mod remotes; // what git's own files say

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::repo::{Repo, scrub};
use crate::{tool, validators};

/// A repository, and what `init` has to say of it.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    says: &'static [&'static str],
    /// The levels that can be reached, above the first.
    levels: &'static [u8],
}

/// A character that turns the direction of what follows.
const RIGHT_TO_LEFT: char = '\u{202e}';

const CONFIG: &str = "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = git@github.com:acme/shop.git\n";

/// A repository with these files, and a remote.
fn repository(files: &[(&str, &str)]) -> Repo {
    let repo = Repo::new();
    repo.write(".git/config", CONFIG).write(".git/HEAD", "ref: refs/heads/main\n");
    for (path, text) in files {
        repo.write(path, text);
    }
    repo
}

/// Initialised, rendered and checked: what `init` said.
#[track_caller]
fn initialised(repo: &Repo) -> String {
    let before = repo.files();
    let said = repo.run(["init"]).exits(0).out();
    let mut after = repo.files();
    assert!(after.remove("pyfleet.yml").is_some(), "{said}");
    assert_eq!(before, after, "init writes the manifest, and nothing else");
    repo.run(["render"]).exits(0);
    repo.run(["check"]).exits(0);
    said
}

/// What a user does to reach a level: takes the marks away, fills in what is in capitals, raises the level.
fn raised(manifest: &str, level: u8) -> String {
    let mut from = None;
    let mut raised = String::new();
    for line in manifest.lines() {
        let text = line.trim_start();
        if let Some(heading) = text.strip_prefix("## From level ") {
            from = heading.chars().next().and_then(|digit| digit.to_digit(10));
        } else if !text.starts_with('#') {
            from = None;
        }
        let is_on = from.is_some_and(|from| from <= u32::from(level)) && text.starts_with("# ");
        let line = if is_on { filled(&line.replacen("# ", "", 1)) } else { line.to_owned() };
        raised += &line.replace("safety-level: 1", &format!("safety-level: {level}"));
        raised.push('\n');
    }
    raised
}

fn filled(line: &str) -> String {
    [
        ("ACCOUNT_ID", "\"123456789012\""),
        ("BUCKET", "shop-state"),
        ("CLUSTER", "\"shop-{environment}\""),
        ("LOCK_TABLE", "shop-locks"),
        ("NAMESPACE", "shop"),
        ("OWNER_ID", "1001"),
        ("OWNER", "\"@acme/platform\""),
        ("REASON", "nothing of it is lost"),
        ("REGION", "eu-central-1"),
        ("REPOSITORY_ID", "2001"),
        ("SERVICE", "shop"),
    ]
    .iter()
    .fold(line.to_owned(), |line, (name, value)| line.replace(&format!(": {name}"), &format!(": {value}")))
}

/// Every workflow and script that a repository renders at every level that it is offered, by a name that says where it
/// is from; and these levels.
fn climbed(name: &str, repo: &Repo) -> (BTreeMap<String, String>, Vec<u8>) {
    let own = repo.files();
    initialised(repo);
    let proposed = repo.read("pyfleet.yml");
    let offered: Vec<u8> =
        (2..=5).filter(|level| proposed.contains(&format!("## From level {level}"))).collect();
    let mut rendered = BTreeMap::new();
    for level in [1].iter().chain(&offered) {
        let said = repo.manifest(&raised(&proposed, *level)).run(["render"]).exits(0).out();
        // That CDKTF is archived is true, and `init` says so.
        let known = said.matches("warning[archived]").count();
        assert_eq!(said.matches("warning").count(), known, "{name} at level {level}: {said}");
        repo.run(["check"]).exits(0);
        for (path, bytes) in repo.files() {
            let text = String::from_utf8(bytes).unwrap_or_default();
            // What was there before is not ours to answer for.
            if own.contains_key(&path) {
                continue;
            }
            if let Some(file) = path.strip_prefix(".github/workflows/").filter(|file| !file.is_empty()) {
                rendered.insert(format!(".github/workflows/{name}-{level}-{file}"), text);
            } else if path.starts_with(".github/scripts/") && !path.ends_with('/') {
                rendered.insert(path, text);
            }
        }
    }
    (rendered, offered)
}

#[test]
fn every_repository_gets_a_manifest_that_renders_at_every_level_and_that_other_tools_accept() {
    let tree = tempfile::tempdir().unwrap();
    // Most files are the same from one level to the next: each is judged once.
    let mut judged = BTreeSet::new();
    let mut judge = |rendered: BTreeMap<String, String>| {
        for (path, text) in rendered.into_iter().filter(|(_, text)| judged.insert(text.clone())) {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    };
    for Case { name, files, says, levels } in cases::CASES {
        let said = repository(files).run(["init"]).exits(0).out();
        for text in *says {
            assert!(said.contains(text), "{name}: it does not say {text:?}, but:\n{said}");
        }
        let repo = repository(files);
        let (rendered, offered) = climbed(name, &repo);
        assert_eq!(offered, *levels, "{name}:\n{}", repo.read("pyfleet.yml"));
        judge(rendered);
    }
    for example in examples::names() {
        judge(climbed(&example, &examples::sources(&example)).0);
    }
    assert_eq!(validators::findings(tree.path()), Vec::<String>::new());
}

/// Manifests, pinned: `PYFLEET_UPDATE=1 cargo test` rewrites them.
#[test]
fn manifests_read_as_they_are_meant_to() {
    let of_case = |name: &str| {
        let case = cases::CASES.iter().find(|case| case.name == name).unwrap();
        repository(case.files)
    };
    for (name, repo) in [
        ("stacks-and-modules", of_case("stacks-and-modules")),
        ("service", of_case("service")),
        ("kubernetes", of_case("kubernetes")),
        ("kubernetes-of-several-images", of_case("kubernetes-of-several-images")),
        ("kubernetes-of-several-directories", of_case("kubernetes-of-several-directories")),
        ("inventory-manager", examples::sources("inventory-manager")),
        ("experience-showcase", examples::sources("experience-showcase")),
        ("golden-image", examples::sources("golden-image")),
    ] {
        repo.run(["init"]).exits(0);
        let golden = tool::repository().join(format!("tests/init/goldens/{name}.yml"));
        if std::env::var_os("PYFLEET_UPDATE").is_some() {
            fs::create_dir_all(golden.parent().unwrap()).unwrap();
            fs::write(&golden, repo.read("pyfleet.yml")).unwrap();
        }
        let pinned = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(pinned, repo.read("pyfleet.yml"), "rewrite it with PYFLEET_UPDATE=1 cargo test init");
    }
}

#[test]
fn a_manifest_that_is_there_is_never_overwritten() {
    let repo =
        repository(&[("main.tf", "resource \"terraform_data\" \"x\" {}\n"), ("pyfleet.yml", "mine\n")]);
    let before = repo.files();
    repo.run(["init"]).exits(2).says("pyfleet.yml: is there already; nothing was written");
    repo.write("infra/x", "").run(["-C", "infra", "init"]).exits(2).says("is there already");
    repo.remove("infra");
    assert_eq!(before, repo.files());
}

#[test]
fn a_repository_with_nothing_in_it_gets_no_manifest() {
    let repo = repository(&[("README.md", "# Notes\n")]);
    let before = repo.files();
    repo.run(["init"]).exits(1).says("there is nothing here that pyfleet renders a workflow for");
    assert_eq!(before, repo.files());
}

/// What needs something else to be of use says what, and is no reason for a manifest by itself.
#[test]
fn what_cannot_stand_alone_says_what_it_needs() {
    let repo = repository(&[
        ("image/ubuntu.pkr.hcl", "source \"null\" \"x\" {}\nbuild {\n  sources = [\"source.null.x\"]\n}\n"),
        ("ansible/site.yml", "- hosts: all\n  tasks: []\n"),
        ("k8s/web.yml", cases::DEPLOYMENT),
    ]);
    repo.run(["init"])
        .exits(1)
        .says("Packer      image/ubuntu.pkr.hcl: null")
        .says("Ansible     ansible: 1 playbook")
        .says("Kubernetes  k8s: 1 manifest")
        .says("`image/ubuntu.pkr.hcl` was left out: `packer` hands its image to a stack of Terraform, and there is none")
        .says("`ansible/site.yml` was left out: `ansible` configures the machines that a stack of Terraform names")
        .says("1 workload of Kubernetes, such as `k8s/web.yml`: no image is built here that they could run");
    repo.has_no("pyfleet.yml");
}

/// From anywhere in the repository, the manifest is written at its root.
#[test]
fn the_root_is_where_git_is() {
    let repo = repository(&[("infra/main.tf", "resource \"terraform_data\" \"x\" {}\n")]);
    repo.run(["-C", "infra", "init"]).exits(0).says("the repository is [REPO]");
    repo.has("pyfleet.yml").has_no("infra/pyfleet.yml");
}

#[test]
fn another_name_is_taken_and_a_path_is_not() {
    let repo = repository(&[("main.tf", "resource \"terraform_data\" \"x\" {}\n")]);
    repo.run(["--manifest", "infra/fleet.yml", "init"]).exits(2).says("is not a name");
    repo.run(["--manifest", "fleet.yml", "init"]).exits(0).says("pyfleet-gen --manifest fleet.yml render");
    repo.run(["--manifest", "fleet.yml", "render"]).exits(0);
    repo.has("fleet.yml").has_no("pyfleet.yml");
}

#[test]
fn a_name_that_render_would_overwrite_or_refuse_is_refused() {
    let repo = repository(&[("main.tf", "resource \"terraform_data\" \"x\" {}\n")]);
    let before = repo.files();
    for (name, reason) in [
        ("pyfleet.lock", "is a file that `render` writes"),
        ("Pyfleet.lock", "is a file that `render` writes"),
        ("a\nb.yml", "holds characters that cannot be shown"),
        ("a\u{202e}b.yml", "holds characters that cannot be shown"),
    ] {
        repo.run(["--manifest", name, "init"]).exits(2).says(reason).says_not("\u{202e}");
    }
    assert_eq!(before, repo.files());
}

/// Whoever copies what `init` prints last has everything in git's index: from the root, from below it and from
/// elsewhere, whatever the manifest is called.
#[test]
fn the_next_commands_work_where_they_are_printed() {
    let stack = ("infra/main.tf", "resource \"terraform_data\" \"x\" {}\n");
    let image = ("Dockerfile", "FROM scratch\nUSER 1\n");
    for (place, arguments, files, manifest) in [
        ("", &["init"][..], &[stack][..], "pyfleet.yml"),
        ("infra", &["init"], &[stack], "pyfleet.yml"),
        ("infra", &["--manifest", "fleet.yml", "init"], &[stack], "fleet.yml"),
        ("..", &["-C", "repo/infra", "init"], &[stack], "pyfleet.yml"),
        ("", &["init"], &[image], "pyfleet.yml"),
    ] {
        let repo = Repo::new();
        for (path, text) in files {
            repo.write(path, text);
        }
        let git = |arguments: &[&str]| {
            let mut git = std::process::Command::new("git");
            let out = scrub(&mut git).args(arguments).current_dir(repo.path("")).output().unwrap();
            assert!(out.status.success(), "{out:?}");
            String::from_utf8(out.stdout).unwrap()
        };
        git(&["init", "--quiet"]);
        let said = repo.command().args(arguments).current_dir(repo.path(place)).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let (_, next) = said.split_once("\nnext:\n").unwrap();
        let mut shell = std::process::Command::new("bash");
        let binary = repo.command().get_program().to_owned();
        let script = format!("set -e\npyfleet-gen() {{ \"$BINARY\" \"$@\"; }}\n{next}");
        let ran = scrub(&mut shell)
            .env("BINARY", binary)
            .args(["-c", &script])
            .current_dir(repo.path(place))
            .output()
            .unwrap();
        assert!(ran.status.success(), "{next}{ran:?}");
        let staged = git(&["diff", "--cached", "--name-only"]);
        assert!(staged.contains(manifest) && staged.contains("pyfleet.lock"), "{staged}");
        assert_eq!(git(&["ls-files", "--others", "--", ".github"]), "", "{staged}");
    }
}

#[test]
fn what_is_in_the_way_of_writing_is_an_error_with_a_remedy() {
    let repo = repository(&[
        ("main.tf", "resource \"terraform_data\" \"x\" {}\n"),
        (".github/.pyfleet-staging/x", ""),
    ]);
    repo.run(["init"]).exits(2).says("is in the way: pyfleet did not write it");
    repo.has_no("pyfleet.yml");
}
