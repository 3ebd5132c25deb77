//! `oidc-setup.md`: complete, formatted, and made of commands that a shell understands.

use std::fs;

use pyfleet_gen::render::{RoleDocument, roles};
use serde_json::Value;

use super::terraform::FOREIGN;
use super::{manifest, setup};
use crate::executed::script::Script;
use crate::tool;

pub(super) fn guide(manifest: &str) -> String {
    roles(RoleDocument::Guide, &setup(manifest), "pyfleet.yml").unwrap()
}

/// The commands of the guide, from one heading to the next.
pub(super) fn commands(guide: &str, heading: &str) -> String {
    let section = guide.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    section.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

const HEADINGS: [&str; 5] = [
    "1. Let AWS know GitHub",
    "2. Make the roles",
    "3. Protect the environments",
    "4. Set variables and secrets",
    "5. Protect what the roles trust",
];

fn manifests() -> Vec<String> {
    vec![manifest("immutable"), manifest("legacy"), manifest("both"), FOREIGN.to_owned()]
}

#[test]
fn prettier_would_not_write_it_differently() {
    let Some(prettier) = tool::find("prettier") else { return };
    let directory = tempfile::tempdir().unwrap();
    for (number, manifest) in manifests().iter().enumerate() {
        fs::write(directory.path().join(format!("{number}.md")), guide(manifest)).unwrap();
    }
    let mut command = prettier.command();
    command.args(["--list-different", "--no-config", "--no-editorconfig", "."]).current_dir(directory.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A reader pastes these commands as they are.
#[test]
fn a_shell_understands_every_command() {
    let Some(shellcheck) = tool::find("shellcheck") else { return };
    let directory = tempfile::tempdir().unwrap();
    for manifest in manifests() {
        let guide = guide(&manifest);
        for heading in HEADINGS {
            let file = directory.path().join("commands.sh");
            fs::write(&file, commands(&guide, heading)).unwrap();
            let mut command = shellcheck.command();
            let output = command.args(["--shell", "bash", "--norc"]).arg(&file).output().unwrap();
            assert!(output.status.success(), "{heading}\n{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// The second step writes the plan's own documents, whatever stands in a state's key.
#[test]
fn its_documents_are_those_of_the_plan() {
    for manifest in manifests() {
        // Nothing of AWS is there: only the documents are written.
        let script = Script::new("gate.sh").tool("aws", "exit 0\n");
        let path = script.directory().join("commands.sh");
        // Whoever compares an existing role sees a difference, and goes on.
        let text = format!("set +e\n{}", commands(&guide(&manifest), "2. Make the roles"));
        fs::write(&path, text).unwrap();
        let _ran = script.at(path.clone()).run();
        for role in setup(&manifest).roles {
            let read = |document: &str| -> Value {
                let file = format!("{}_{}.{document}.json", role.environment, role.purpose);
                serde_json::from_slice(&fs::read(path.with_file_name(file)).unwrap()).unwrap()
            };
            assert_eq!(read("trust"), serde_json::to_value(&role.trust).unwrap());
            assert_eq!(read("permissions"), serde_json::to_value(&role.permissions).unwrap());
            if let Some(boundary) = &role.boundary {
                assert_eq!(read("boundary"), serde_json::to_value(&boundary.policy).unwrap());
            }
        }
    }
}

/// What GitHub is told, as `gh` hears it.
#[test]
fn github_hears_every_environment_variable_and_secret() {
    let guide = guide(&manifest("immutable"));
    let text: String = HEADINGS[2..].iter().map(|heading| commands(&guide, heading)).collect();
    let gh = "{ printf '%s\\n' \"$*\"; [[ \" $* \" != *' --input - '* ]] || { jq -c . | sed 's/^/  /'; }; } >>\"$STATE/heard\"\n\
              [[ $* != *TEAM* ]] || echo 77\n";
    let script = Script::new("gate.sh").tool("gh", gh);
    let path = script.directory().join("commands.sh");
    fs::write(&path, text).unwrap();
    let heard = script.state().join("heard");
    let _ran = script.at(path).run().exits(0);
    let heard = fs::read_to_string(heard).unwrap();
    let expected = [
        "api --method PUT repos/acme/shop/environments/dev-plan --input -\n  {\"reviewers\":[],\"deployment_branch_policy\":{\"protected_branches\":false,\"custom_branch_policies\":true}}\napi --method POST repos/acme/shop/environments/dev-plan/deployment-branch-policies -f name=main -f type=branch\n",
        "api --method PUT repos/acme/shop/environments/prod-approval --input -\n  {\"reviewers\":[{\"type\":\"Team\",\"id\":77}],\"prevent_self_review\":true,\"can_admins_bypass\":false,\"deployment_branch_policy\":{\"protected_branches\":false,\"custom_branch_policies\":true}}\napi --method POST repos/acme/shop/environments/prod-approval/deployment-branch-policies -f name=release -f type=branch\n",
        "api --method POST repos/acme/shop/environments/prod/deployment-branch-policies -f name=release -f type=branch\n",
        "variable set SIZE --repo acme/shop --env dev-plan\n",
        "secret set MAIL --repo acme/shop --env prod\n",
        "secret set SLACK --repo acme/shop\n",
        "\"ref_name\":{\"include\":[\"refs/heads/main\",\"refs/heads/release\"],\"exclude\":[]}",
        "\"required_status_checks\":[{\"context\":\"terraform gate\"}]",
    ];
    for expected in expected {
        assert!(heard.contains(expected), "{expected}\nis not in\n{heard}");
    }
    assert!(!heard.contains("dev-approval"), "nobody approves changes of dev:\n{heard}");
}
