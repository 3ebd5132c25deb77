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
