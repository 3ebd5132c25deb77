//! Each command as a user runs it. The repository's own files decide everything, so each test makes some.

mod check; // every state of a file: its line, its difference, its exit code, and what mends it
mod completions; // what a real shell proposes
mod diff; // what two manifests or sets of workflows mean differently
mod explain; // what a code means
mod graph; // charts of all workflows, and of one
mod killed; // a render that is killed at any moment, and two at once
mod links; // symbolic and hard links: nothing outside is ever touched
mod oidc; // the roles as text, JSON and Terraform; policies that exist; the guide among the rendered files
mod prove; // who gets into which environment, and what no file says
mod render; // what is written, what is removed, and what is left alone
mod report; // the same for programs and for GitHub: JSON as its schema says, annotations
mod sarif; // the same for code scanning, judged by SARIF's own validator
mod schema; // the schema on standard output
mod simulate; // what would run: of the manifest, of any repository, and what cannot happen
mod usage; // where the manifest is found, exit codes, colour
mod validate; // the manifest, workflow files, ejected files
mod waivers; // findings that are accepted for a while

use crate::repo::Repo;

/// Two workflows and their scripts.
const MANIFEST: &str = "\
version: 1
project: demo
safety-level: 3

github:
  repository: octo/demo
  visibility: private

tests:
  api:
    python: \"3.11\"
    install: pip install -r requirements.txt
    suites:
      unit: pytest tests/unit

registries:
  ghcr: { ghcr: {} }

images:
  api:
    registry: ghcr
    repository: demo

workflows:
  test: {}
  build: {}
";

const TEST: &str = ".github/workflows/test.yml";
const BUILD: &str = ".github/workflows/build.yml";
const LOCK: &str = "pyfleet.lock";
const SCRIPT: &str = ".github/scripts/test-summary.sh";

/// The manifest with another wish for `build`.
fn with_build(wish: &str) -> String {
    MANIFEST.replace("build: {}", &format!("build: {wish}"))
}

/// A repository in which everything is current.
fn rendered() -> Repo {
    let repo = Repo::new();
    repo.manifest(MANIFEST).run(["render"]).exits(0);
    repo
}

/// The manifest says something else, so that the test workflow is stale.
fn make_stale(repo: &Repo) -> &Repo {
    repo.replace("pyfleet.yml", "3.11", "3.12")
}
