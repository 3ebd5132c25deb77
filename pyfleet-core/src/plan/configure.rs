//! The stage `configure`: Ansible on the machines that Terraform made, checked before and looked at afterwards.

use serde_json::json;

use super::body::{AnsibleCheck, Body, Configure};
use super::condition::expression;
use super::credentials::{credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::environment_jobs::{InEnvironment, READ, publish, tooling};
use super::golden_image::hosted;
use super::passed::Passed;
use super::stacks::{entries, over_literal, state_env};
use crate::diagnostic::Path;
use crate::manifest::AwsRole;
use crate::project::{Ansible, KnownHosts, Project};
use crate::workflow::Runner;

/// The job that checks the playbook.
pub(super) const CHECK: &str = "ansible-check";
/// Installs Ansible, and reads.
const CHECK_MINUTES: u16 = 15;

/// Checks the playbook without a machine, on one of GitHub's: a pull request runs it.
pub(super) fn check(draft: &Draft<'_>, project: &Project, ansible: &Ansible) -> NewJob {
    let mut model = draft.job("check the playbook", CHECK_MINUTES);
    model.runs_on = Some(hosted(project));
    NewJob {
        id: CHECK.to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because: "",
        identity: None,
        body: Body::AnsibleCheck(facts(ansible)),
        origin: Path::of(["ansible"]),
    }
}

/// Configures the machines of one environment. The role reads the state, for two of its outputs; the key is a secret of
/// the environment itself, so that both are where nothing but its own branch gets to.
pub(super) fn job(
    draft: &Draft<'_>,
    at: &InEnvironment<'_>,
    ansible: &Ansible,
    newest: Option<String>,
    rollback: Option<String>,
    passed: &Passed,
) -> NewJob {
    let minutes = at.project.timeout_minutes.min(115);
    let stack = at.target.stacks.iter().filter(|stack| stack.stack == ansible.stack.as_str());
    let title = format!("configure {}", at.environment.name);
    let mut model = over_literal(draft, &title, entries(stack.map(|stack| json!(stack))), minutes);
    model.runs_on = Some(Runner { group: None, labels: at.target.runner.clone() });
    model.environment = Some(at.deployed_to());
    model.concurrency = Some(at.one_change_of(ansible.stack.as_str()));
    model.env = state_env(at.terraform, at.target);
    passed.stand_before(&mut model);
    let (known_hosts_output, known_hosts_file) = match &ansible.known_hosts {
        KnownHosts::Output(output) => (Some(output.clone()), None),
        KnownHosts::File(file) => (None, Some(file.clone())),
    };
    NewJob {
        id: at.id("configure"),
        model,
        permissions: READ,
        because: "Only on machines that are as they were planned.",
        identity: Some(identity(at.target, AwsRole::Apply)),
        body: Body::Configure(Configure {
            tooling: tooling(at.terraform),
            environment: at.environment.name.to_string(),
            newest,
            credentials: credentials(at.project, at.target, AwsRole::Apply, minutes),
            ansible: facts(ansible),
            inventory_output: ansible.inventory_output.clone(),
            known_hosts_output,
            known_hosts_file,
            ssh_key: expression(&format!("secrets.{}", ansible.ssh_key)),
            expect: ansible.expect.clone(),
            rollback,
            publish: publish(at.project),
            artifact_days: at.project.artifact_days,
        }),
        origin: Path::of(["ansible"]),
    }
}

fn facts(ansible: &Ansible) -> AnsibleCheck {
    AnsibleCheck {
        version: ansible.version.clone(),
        directory: ansible.directory.clone(),
        playbook: ansible.playbook.clone(),
    }
}
