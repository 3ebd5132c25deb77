//! The stage `golden-image`: a template that is checked, an image that is built where its sources changed, the one that
//! an environment is planned with, and that it has proven itself.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::body::{Body, GoldenImage, PackerBuild, PackerValidate, PlannedImage, RecordImage, Target};
use super::condition::expression;
use super::credentials::{credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::environment_jobs::{InEnvironment, READ, aws_env, deployed_to, reading_environment};
use super::passed::Passed;
use crate::diagnostic::Path;
use crate::manifest::AwsRole;
use crate::project::{Environment, Packer, Project, VariableValue, defaults, is_hosted};
use crate::workflow::{self as model, Runner};

/// The job that checks the template.
pub(super) const VALIDATE: &str = "packer-validate";
/// The job that builds.
pub(super) const BUILD: &str = "packer-build";
/// What the image is called where it is told what changed.
pub(super) const CHANGED: &str = "golden-image";
/// The input by which a person asks for a new image: true or false.
pub(super) const REBUILD: &str = "rebuild_image";
/// The input that takes the id of an image that is chosen by hand. Both at once contradict: the guard has to say so.
pub(super) const CHOSEN: &str = "template_id";

/// Installs a program, formats and validates.
const VALIDATE_MINUTES: u16 = 15;
/// Reads a record, or writes one.
const RECORD_MINUTES: u16 = 10;

/// What the image is made of: whose change makes another one.
pub(super) fn sources(packer: &Packer) -> Target {
    Target { name: CHANGED.to_owned(), paths: packer.sources.clone() }
}

/// When an image is built: by the clock, when somebody asks for it, and when `changes` found its sources changed.
pub(super) fn wanted(draft: &Draft<'_>) -> Passed {
    let mut reasons = vec![format!(
        "(github.event_name == 'push' && contains(fromJSON(needs.changes.outputs.changed), '{CHANGED}'))"
    )];
    if draft.is_started_by_the_clock() {
        reasons.push("github.event_name == 'schedule'".to_owned());
    }
    if draft.is_started_by_hand() {
        reasons.push(format!("inputs.{REBUILD}"));
    }
    Passed::condition(["changes".to_owned()], format!("({})", reasons.join(" || ")))
}

/// The image was built, or nobody wanted one.
pub(super) fn built_if_wanted() -> Passed {
    Passed::condition(
        [BUILD.to_owned()],
        format!("contains(fromJSON('[\"success\",\"skipped\"]'), needs.{BUILD}.result)"),
    )
}

/// Checks the template, on a machine of GitHub's whatever the project's runner is: a pull request runs it.
pub(super) fn validate(draft: &Draft<'_>, project: &Project, packer: &Packer) -> NewJob {
    let mut model = draft.job("check the image's template", VALIDATE_MINUTES);
    model.runs_on = Some(hosted(project));
    NewJob {
        id: VALIDATE.to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because: "",
        identity: None,
        body: Body::PackerValidate(PackerValidate {
            version: packer.version.clone(),
            sha256: packer.sha256.clone(),
            template: packer.template.clone(),
            variables: values(packer, |_| "placeholder".to_owned()),
        }),
        origin: Path::of(["packer"]),
    }
}

/// A machine of GitHub's.
pub(super) fn hosted(project: &Project) -> Runner {
    let labels = match is_hosted(&project.runner) {
        true => project.runner.clone(),
        false => vec![defaults::RUNNER.to_owned()],
    };
    Runner { group: None, labels }
}

/// Builds the image, with the runner and the secrets of one environment, where it is [`wanted`].
pub(super) fn build(
    draft: &Draft<'_>,
    project: &Project,
    packer: &Packer,
    environment: &Environment,
    passed: &Passed,
) -> NewJob {
    let mut model = draft.job("build the image", packer.timeout_minutes);
    model.runs_on = Some(Runner { group: None, labels: environment.runner.clone() });
    model.environment = Some(deployed_to(environment));
    model.outputs = outputs("build", &["image", "image_id"]);
    wanted(draft).and(passed).stand_before(&mut model);
    let held = |value: &VariableValue| match value {
        VariableValue::Held { variable, .. } => expression(&format!("vars.{variable}")),
        VariableValue::Secret { secret, .. } => expression(&format!("secrets.{secret}")),
        VariableValue::Literal(_) => String::new(),
    };
    let secrets: Vec<&str> = packer
        .variables
        .iter()
        .filter(|(_, value)| matches!(value, VariableValue::Secret { .. }))
        .map(|(name, _)| name.as_str())
        .collect();
    NewJob {
        id: BUILD.to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because: "Only where the image's own sources changed, by the clock, or when it was asked for.",
        identity: None,
        body: Body::PackerBuild(PackerBuild {
            version: packer.version.clone(),
            sha256: packer.sha256.clone(),
            template: packer.template.clone(),
            variables: values(packer, held),
            secrets: secrets.join(" "),
            expect: packer.expect.clone(),
            artifact_days: project.artifact_days,
        }),
        origin: Path::of(["packer"]),
    }
}

/// Says which image an environment is planned with; its id stands in the output `image_id`, all of it in `image`.
pub(super) fn choose(draft: &Draft<'_>, at: &InEnvironment<'_>, packer: &Packer, passed: &Passed) -> NewJob {
    let mut model = on_record(draft, at, packer, "choose the image for");
    model.environment = Some(reading_environment(at.environment));
    model.outputs = outputs("image", &["image", "image_id", "source"]);
    built_if_wanted().and(passed).stand_before(&mut model);
    NewJob {
        id: at.id("image"),
        model,
        permissions: READ,
        because: "Also where no image was built: then it is one that has proven itself.",
        identity: Some(identity(at.target, AwsRole::Plan)),
        body: Body::GoldenImage(GoldenImage {
            credentials: credentials(at.project, at.target, AwsRole::Plan, RECORD_MINUTES),
            built: format!("needs.{BUILD}.outputs.image"),
            chosen: draft.is_started_by_hand().then_some("inputs.template_id"),
        }),
        origin: at.origin(),
    }
}

/// What plans and applies of an environment have to know of the image; they need the job of [`choose`].
pub(super) fn planned(at: &InEnvironment<'_>, packer: &Packer) -> PlannedImage {
    PlannedImage {
        stack: packer.stack.to_string(),
        variable: packer.output_variable.clone(),
        source: format!("needs.{}.outputs", at.id("image")),
    }
}

/// Writes down that the image works in an environment, behind whatever had to show that.
pub(super) fn record(draft: &Draft<'_>, at: &InEnvironment<'_>, packer: &Packer, passed: &Passed) -> NewJob {
    let mut model = on_record(draft, at, packer, "the image works in");
    model.environment = Some(deployed_to(at.environment));
    model.concurrency = Some(at.one_change_of(packer.stack.as_str()));
    model.needs = vec![at.id("image")];
    passed.stand_before(&mut model);
    NewJob {
        id: at.id("image-works"),
        model,
        permissions: READ,
        because: "Only behind everything that the image had to show.",
        identity: Some(identity(at.target, AwsRole::Apply)),
        body: Body::RecordImage(RecordImage {
            credentials: credentials(at.project, at.target, AwsRole::Apply, RECORD_MINUTES),
            image: format!("needs.{}.outputs.image_id", at.id("image")),
        }),
        origin: at.origin(),
    }
}

/// A job that works on the record of the stack that takes the image.
fn on_record(draft: &Draft<'_>, at: &InEnvironment<'_>, packer: &Packer, title: &str) -> model::Job {
    let mut model = draft.job(format!("{title} {}", at.environment.name), RECORD_MINUTES);
    model.runs_on = Some(Runner { group: None, labels: at.target.runner.clone() });
    let stack = at.target.stacks.iter().find(|stack| stack.stack == packer.stack.as_str());
    let bucket = stack.and_then(|stack| stack.backend.get("bucket")).cloned().unwrap_or_default();
    let env = [
        ("ENVIRONMENT", at.environment.name.to_string()),
        ("STACK", packer.stack.to_string()),
        ("TF_STATE_BUCKET", bucket),
        ("EXPECTED_ACCOUNT_ID", at.target.account_id.clone()),
    ];
    model.env = env.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(aws_env()).collect();
    model
}

fn outputs(step: &str, names: &[&str]) -> IndexMap<String, String> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), expression(&format!("steps.{step}.outputs.{name}"))))
        .collect()
}

/// The values of the template's variables: literals as Packer reads them, and what stands for those that GitHub holds.
fn values(packer: &Packer, held: impl Fn(&VariableValue) -> String) -> BTreeMap<String, String> {
    let text = |value: &VariableValue| match value {
        VariableValue::Literal(serde_json::Value::String(text)) => text.clone(),
        VariableValue::Literal(literal) => literal.to_string(),
        other => held(other),
    };
    packer.variables.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::{BUILD, VALIDATE, build, choose, planned, record, validate};
    use crate::diagnostic::Diagnostics;
    use crate::manifest::{self, AwsRole, Kind};
    use crate::plan::configure;
    use crate::plan::draft::Draft;
    use crate::plan::environment_jobs::{InEnvironment, readable_targets};
    use crate::plan::passed::Passed;
    use crate::plan::{Body, Workflow};
    use crate::project::{self, Project};
    use crate::source::Source;

    fn project() -> Project {
        let text = include_str!("../../../tests/manifests/golden-image.yml");
        let own = "safety-level: 5\ndefaults: { runner: [self-hosted, proxmox] }";
        let text = text.replace("safety-level: 5", own).replace("test: {}", "test: {}\n  test-oidc: {}");
        let (manifest, _, mistakes) = manifest::parse(Source::new("pyfleet.yml", text));
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let (project, findings) = project::resolve(&manifest.unwrap());
        project.unwrap_or_else(|| panic!("{findings:?}"))
    }

    /// Every job of both stages, as a pipeline would plan them.
    fn planned_workflow(project: &Project) -> Workflow {
        let mut findings = Diagnostics::new();
        let (name, wish) = project.workflows.iter().next().unwrap();
        let mut draft = Draft::new(project, name, Kind::Test, wish, &mut findings);
        let (packer, ansible) = (project.packer.as_ref().unwrap(), project.ansible.as_ref().unwrap());
        draft.add(validate(&draft, project, packer));
        draft.add(configure::check(&draft, project, ansible));
        let passed = Passed::jobs([VALIDATE, configure::CHECK]);
        let staging = project.environment(&packer.environment).unwrap();
        draft.add(build(&draft, project, packer, staging, &passed));
        let terraform = project.terraform.as_ref().unwrap();
        for (environment, target) in readable_targets(project, terraform) {
            let at = InEnvironment { project, terraform, environment, target };
            draft.add(choose(&draft, &at, packer, &passed));
            let chosen = Passed::jobs([at.id("image").as_str()]);
            draft.add(configure::job(
                &draft,
                &at,
                ansible,
                None,
                Some("gh workflow run x".to_owned()),
                &chosen,
            ));
            let configured = Passed::jobs([at.id("configure").as_str()]);
            draft.add(record(&draft, &at, packer, &configured));
            assert_eq!(planned(&at, packer).source, format!("needs.image-{}.outputs", environment.name));
        }
        let workflow = draft.finish();
        assert!(findings.is_empty(), "{findings:?}");
        workflow
    }

    #[test]
    fn a_pull_request_runs_on_no_machine_of_ones_own_and_sees_no_secret() {
        let project = project();
        let workflow = planned_workflow(&project);
        for id in [VALIDATE, configure::CHECK] {
            let model = &workflow.model.jobs[id];
            assert_eq!(model.runs_on.as_ref().unwrap().labels, ["ubuntu-24.04"], "{id}");
            assert_eq!(model.environment, None, "{id}");
            assert_eq!(workflow.jobs[id].permissions.len(), 1, "{id}");
        }
        let Body::PackerValidate(body) = &workflow.jobs[VALIDATE].body else { panic!() };
        assert_eq!(body.variables["proxmox_token"], "placeholder");
        assert_eq!(body.variables["disk_size"], "32");
        assert_eq!(body.variables["node"], "staging");
    }

    #[test]
    fn a_build_has_the_runner_and_the_secrets_of_its_environment() {
        let project = project();
        let workflow = planned_workflow(&project);
        let model = &workflow.model.jobs[BUILD];
        assert_eq!(model.runs_on.as_ref().unwrap().labels, ["self-hosted", "proxmox"]);
        assert_eq!(model.environment.as_ref().unwrap().name, "staging");
        assert_eq!(workflow.jobs[BUILD].identity, None);
        assert_eq!(model.needs, ["changes", "packer-validate", "ansible-check"]);
        let condition = model.condition.as_deref().unwrap();
        assert!(condition.contains("github.event_name == 'push' && contains(fromJSON"), "{condition}");
        let Body::PackerBuild(body) = &workflow.jobs[BUILD].body else { panic!() };
        assert_eq!(body.secrets, "proxmox_token");
        assert_eq!(body.variables["proxmox_token"], "${{ secrets.PROXMOX_TOKEN }}");
        assert_eq!(body.variables["proxmox_url"], "${{ vars.PROXMOX_URL }}");
    }

    #[test]
    fn an_image_is_read_in_one_place_and_recorded_in_another() {
        let project = project();
        let workflow = planned_workflow(&project);
        for environment in ["staging", "production"] {
            let of = |id: &str| &workflow.jobs[&format!("{id}-{environment}")];
            let purpose = |id: &str| of(id).identity.as_ref().unwrap().purpose;
            assert_eq!(purpose("image"), AwsRole::Plan);
            assert_eq!(purpose("image-works"), AwsRole::Apply);
            assert_eq!(purpose("configure"), AwsRole::Apply);
            let model = |id: &str| &workflow.model.jobs[&format!("{id}-{environment}")];
            // No build is wanted on most runs, and that stops nothing.
            assert!(model("image").condition.as_deref().unwrap().contains("\"skipped\""));
            assert_eq!(model("image").environment.as_ref().unwrap().name, format!("{environment}-plan"));
            let lock = model("configure").concurrency.as_ref().unwrap().group.clone();
            assert_eq!(lock, format!("mutate-{environment}-homelab"));
            assert_eq!(model("image-works").concurrency.as_ref().unwrap().group, lock);
            assert_eq!(model("image-works").env["TF_STATE_BUCKET"], "homelab-state");
        }
    }
}
