//! `terraform` of `examples/pyfleet`, executed: what reviewers of a pull request are shown.

use super::pyfleet::{World, succeeded};
use super::{Run, git};
use crate::bodies::story;

/// GitHub's API for a pull request without comments.
const GH: &str = r#"
case "$1 $2 $3" in
  'api --method GET') echo '[]' ;;
  'api --method POST') cat "${*: -1}" >>"$STATE/comments"; echo '{}' ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

impl World {
    fn propose(&self, change: impl FnOnce(&Self)) -> Run {
        let root = self.repo.path(".");
        git(&root, &["checkout", "--quiet", "-b", "change"]);
        change(self);
        self.commit();
        git(&root, &["checkout", "--quiet", "main"]);
        git(&root, &["merge", "--quiet", "--no-ff", "--message", "Merge", "change"]);
        git(&root, &["branch", "--quiet", "--delete", "change"]);
        self.start("terraform").event("pull_request").tool("gh", GH)
    }
}

#[test]
fn a_pull_request_is_planned_and_priced() {
    let _story = story!(a_pull_request_is_planned_and_priced);
    let Some(world) = World::new() else { return };
    let Some(ran) = world.act("dev", "network", "create-backend", "") else { return };
    ran.job("create-backend-dev").succeeded();

    let run = world.propose(|world| {
        world.repo.write("infra/network/more.tf", "resource \"terraform_data\" \"more\" {}\n");
    });
    let ran = run.run().unwrap();
    succeeded(&ran, &["changes", "static", "scan", "plan-dev", "cost", "comment", "gate"]);
    let said = ran.state("comments");
    assert!(said.contains("Plan of `network` for `dev`") && said.contains("+60.00 USD"), "{said}");
    assert!(world.keys().is_empty(), "a pull request writes nothing: {:?}", world.keys());
}
