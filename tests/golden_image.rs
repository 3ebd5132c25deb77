//! The jobs of the stages `golden-image` and `configure`, rendered one at a time: no kind of workflow plans them yet.

use std::fs;

use pyfleet_core::diagnostic::Path;
use pyfleet_core::manifest::AwsRole;
use pyfleet_core::plan::{
    AnsibleCheck, Body, Configure, Credentials, GoldenImage, Identity, Job, PackerBuild, Permission, Plan,
    RecordImage, Tooling,
};
use pyfleet_core::project::Project;
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Environment, Level, OrExpression, Permissions, Runner, Scope};
use pyfleet_gen::{project_file, render};

use crate::tool;

/// The manifest's own plan, and a workflow with one more job in it.
fn rendered(id: &str, body: Body, environment: &str, purpose: Option<AwsRole>) -> String {
    let path = tool::repository().join("tests/manifests/golden-image.yml");
    let manifest = fs::read_to_string(path).unwrap().replace("safety-level: 1", "safety-level: 4");
    let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
    let (project, mut plan): (Project, Plan) =
        loaded.planned.unwrap_or_else(|| panic!("{:?}", loaded.findings));
    let workflow = &mut plan.workflows[0];
    let mut permissions =
        vec![Permission { scope: Scope::Contents, level: Level::Read, because: "check out the commit" }];
    if purpose.is_some() {
        permissions.push(Permission {
            scope: Scope::IdToken,
            level: Level::Write,
            because: "prove to AWS which repository, file and environment this is",
        });
    }
    let model = workflow::Job {
        name: Some(id.to_owned()),
        runs_on: Some(Runner { group: None, labels: vec!["self-hosted".to_owned(), "proxmox".to_owned()] }),
        timeout_minutes: Some(OrExpression::Literal(90)),
        environment: Some(Environment::named(environment)),
        condition: Some("github.event_name == 'workflow_dispatch'".to_owned()),
        permissions: Some(Permissions::of(permissions.iter().map(|one| (one.scope, one.level)))),
        ..workflow::Job::default()
    };
    workflow.model.jobs.insert(id.to_owned(), model);
    let identity =
        purpose.map(|purpose| Identity { environment: project.environments[0].name.clone(), purpose });
    let job = Job { permissions, because: "By hand.", identity, body, origin: Path::of(["packer"]) };
    workflow.jobs.insert(id.to_owned(), job);
    let file = workflow.file.clone();
    let mut files =
        render::render(&project, &plan, "pyfleet.yml").unwrap_or_else(|error| panic!("{error:?}"));
    let text = files.remove(&file).unwrap();
    let start = text.find(&format!("\n  {id}:")).unwrap();
    text[start..].to_owned()
}

fn credentials(does: &str) -> Credentials {
    Credentials {
        does: does.to_owned(),
        role: "arn:aws:iam::123456789012:role/pyfleet-homelab-staging-plan".to_owned(),
        region: "eu-central-1".to_owned(),
        account_id: "123456789012".to_owned(),
        session_seconds: 5700,
        session: "plan",
        audience: None,
    }
}

#[test]
fn a_build_holds_secrets_on_one_step() {
    let text = rendered(
        "packer-build",
        Body::PackerBuild(PackerBuild {
            version: "1.11.2".to_owned(),
            sha256: None,
            template: "packer/ubuntu.pkr.hcl".to_owned(),
            variables: [
                ("token".to_owned(), "${{ secrets.PROXMOX_TOKEN }}".to_owned()),
                ("disk_size".to_owned(), "32".to_owned()),
            ]
            .into(),
            secrets: "token".to_owned(),
            expect: vec!["docker".to_owned(), "uv".to_owned()],
            artifact_days: 30,
        }),
        "staging",
        None,
    );
    assert_eq!(text.matches("secrets.PROXMOX_TOKEN").count(), 1, "{text}");
    let build = text.split("- name: Build the image").nth(1).unwrap();
    assert!(build.contains("PKR_VAR_token: ${{ secrets.PROXMOX_TOKEN }}"), "{text}");
    assert!(build.contains("PKR_VAR_disk_size: \"32\""), "{text}");
    assert!(!text.contains("id-token"), "{text}");
}

#[test]
fn machines_are_configured_with_a_key_that_is_on_no_disk() {
    let text = rendered(
        "configure-staging",
        Body::Configure(Configure {
            tooling: Tooling { tool: "terraform", command: "terraform", version: "1.11.4".to_owned() },
            environment: "staging".to_owned(),
            credentials: credentials("changes staging"),
            ansible: AnsibleCheck {
                version: "2.19.4".to_owned(),
                directory: "ansible".to_owned(),
                playbook: "playbooks/post-deploy.yml".to_owned(),
            },
            inventory_output: "ansible_inventory".to_owned(),
            known_hosts_output: Some("ansible_known_hosts".to_owned()),
            known_hosts_file: None,
            ssh_key: "${{ secrets.ANSIBLE_SSH_KEY }}".to_owned(),
            expect: vec!["docker".to_owned()],
            rollback: Some("gh workflow run main.yml -f template_id=OLD".to_owned()),
            publish: "full",
            artifact_days: 30,
        }),
        "staging",
        Some(AwsRole::Apply),
    );
    assert_eq!(text.matches("SSH_KEY: ${{ secrets.ANSIBLE_SSH_KEY }}").count(), 3, "{text}");
    for mode in ["preview", "run", "verify"] {
        assert!(text.contains(&format!("MODE: {mode}\n")), "{text}");
    }
    // The inventory is in no artifact.
    let kept = text.split("uses: actions/upload-artifact").nth(1).unwrap();
    assert!(kept.contains("path: ${{ runner.temp }}/configure\n"), "{text}");
    assert!(!kept.contains("inventory"), "{text}");
}

#[test]
fn an_image_is_chosen_and_recorded_by_script() {
    let text = rendered(
        "image-staging",
        Body::GoldenImage(GoldenImage {
            credentials: credentials("reads staging"),
            built: "github.run_id".to_owned(),
            chosen: None,
        }),
        "staging-plan",
        Some(AwsRole::Plan),
    );
    assert!(text.contains("bash .github/scripts/golden-image.sh"), "{text}");
    let text = rendered(
        "image-works-staging",
        Body::RecordImage(RecordImage {
            credentials: credentials("changes staging"),
            image: "github.run_id".to_owned(),
        }),
        "staging",
        Some(AwsRole::Apply),
    );
    assert!(text.contains("IMAGE_ID: ${{ github.run_id }}"), "{text}");
}
