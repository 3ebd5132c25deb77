//! The stacks: checked and scanned for every run, planned and applied for each environment.
//!
//! The plans of the first layer stand before the reviewers, who see them. A later layer is planned when the one before it
//! is applied, because only then is there what it reads; where somebody has to agree, the reviewers are asked again.

use serde_json::{Value as Json, json};

use super::{Pipeline, approval_id, cdktf, image, newest_id, stand, within_limit};
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, StageKind};
use crate::plan::body::{
    Action, Asked, Body, Decide, Direct, Planned, PlannedImage, TerraformStatic, TfApply, TfPlan,
};
use crate::plan::condition::expression;
use crate::plan::credentials::identity;
use crate::plan::draft::{CHECK_OUT, Draft, NewJob};
use crate::plan::environment_jobs::{
    CHANGE, InEnvironment, LOCK_TIMEOUT, READ, apply_minutes, approval_of, is_gated, reading_environment,
    scan_body, tooling, without_deployment,
};
use crate::plan::golden_image;
use crate::plan::passed::Passed;
use crate::plan::stacks::{
    backend_env, check_limits, entries, over, over_literal, run_unattended, state_env,
};
use crate::project::{Environment, EnvironmentStacks, StackSettings, Stage};
use crate::workflow::{self as model, Runner};

/// Making a bucket and a table, or finding them.
const BACKEND_MINUTES: u16 = 15;

/// What the run does.
const ASKED: Asked = Asked { action: Action::Always("apply"), color: None, reason: None, by_clock: false };

/// What needs neither state nor cloud, nor anything of the stages before. What CDKTF synthesises is not there yet.
pub(super) fn prepare(pipeline: &mut Pipeline<'_>, draft: &mut Draft<'_>, stage: &Stage) -> Passed {
    let project = pipeline.project;
    let Some(terraform) = &project.terraform else { return Passed::default() };
    run_unattended(draft);
    if terraform.stacks.is_empty() {
        return Passed::default();
    }
    let stacks =
        || {
            entries(terraform.stacks.iter().map(
                |(name, stack)| json!({ "stack": name.as_str(), "directory": stack.directory.normal() }),
            ))
        };
    check_limits(terraform.stacks.len(), 0, draft);
    let mut model = over_literal(draft, "static", stacks(), project.timeout_minutes);
    model.env.insert("STACK_DIRECTORY".to_owned(), expression("matrix.directory"));
    let checked = Body::TerraformStatic(TerraformStatic {
        tooling: tooling(terraform),
        has_tests: terraform.has_tests,
    });
    let scanned = Body::TerraformScan(scan_body(project, terraform));
    let jobs = [("static", model, checked), ("scan", over_literal(draft, "scan", stacks(), 15), scanned)];
    for (id, mut model, body) in jobs {
        stand(&mut model, stage, &Passed::default());
        let job = NewJob {
            id: id.to_owned(),
            model,
            permissions: &[CHECK_OUT],
            because: "",
            identity: None,
            body,
            origin: Path::of(["terraform"]),
        };
        pipeline.add(draft, StageKind::Terraform, None, job);
    }
    within_limit(stage, Passed::jobs(["static", "scan"]))
}

/// Makes an environment's backend where it is not there.
pub(super) fn create_backend(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let Some(stage) = pipeline.stage(StageKind::Terraform) else { return Passed::default() };
    let Some(layers) = Layers::of(pipeline, environment) else { return Passed::default() };
    within_limit(stage, layers.create_backend(pipeline, draft, stage, behind))
}

/// Plans the first layer of an environment's stacks.
pub(super) fn look(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let Some(stage) = pipeline.stage(StageKind::Terraform) else { return Passed::default() };
    let Some(layers) = Layers::of(pipeline, environment) else { return Passed::default() };
    let synthesised = cdktf::synthesise(pipeline, draft, stage, environment, behind);
    let looked_at = match layers.reviewed(1).is_empty() {
        true => synthesised,
        false => layers.plan(pipeline, draft, stage, 1, &behind.clone().and(&synthesised)),
    };
    within_limit(stage, looked_at)
}

/// Applies an environment's stacks, layer after layer; the first one is planned.
pub(super) fn apply(
    pipeline: &mut Pipeline<'_>,
    draft: &mut Draft<'_>,
    stage: &Stage,
    environment: &Environment,
    behind: &Passed,
) -> Passed {
    let Some(layers) = Layers::of(pipeline, environment) else { return Passed::default() };
    let mut done = Passed::default();
    for layer in 1..=layers.count {
        let behind = behind.clone().and(&done);
        if !layers.reviewed(layer).is_empty() {
            let planned = match layer {
                1 => Passed::jobs([layers.id("decide", 1).as_str()]),
                _ => layers.plan(pipeline, draft, stage, layer, &behind),
            };
            done = done.and(&layers.apply(pipeline, draft, stage, layer, &behind.clone().and(&planned)));
        }
        done = done.and(&layers.apply_directly(pipeline, draft, stage, layer, &behind));
    }
    done.clone().and(&cdktf::wait(pipeline, draft, stage, environment, &behind.clone().and(&done)))
}

/// The stacks of one environment, in layers of which each needs the one before it.
struct Layers<'a> {
    place: InEnvironment<'a>,
    stacks: Vec<Vec<&'a StackSettings>>,
    count: usize,
}

impl<'a> Layers<'a> {
    fn of(pipeline: &Pipeline<'a>, environment: &Environment) -> Option<Self> {
        let terraform = pipeline.project.terraform.as_ref()?;
        let target = terraform.targets.iter().find(|target| target.environment == environment.name)?;
        let environment = pipeline.project.environment(&environment.name)?;
        let stacks = target.layers();
        let place = InEnvironment { project: pipeline.project, terraform, environment, target };
        Some(Self { place, count: stacks.len(), stacks })
    }

    fn id(&self, verb: &str, layer: usize) -> String {
        format!("{verb}-{}-{layer}", self.place.environment.name)
    }

    /// Why a stack is planned and applied in one go, where it is.
    fn reason(&self, stack: &StackSettings) -> Option<&'a String> {
        self.place.terraform.synthesised.get(stack.stack.as_str())?.direct.as_ref()
    }

    /// The stacks of a layer whose plans are looked at before they are applied.
    fn reviewed(&self, layer: usize) -> Vec<&'a StackSettings> {
        let stacks = self.stacks.get(layer - 1).into_iter().flatten().copied();
        stacks.filter(|stack| self.reason(stack).is_none()).collect()
    }

    /// The stacks of a layer that are planned and applied in one go, and why.
    fn direct(&self, layer: usize) -> Vec<(&'a StackSettings, &'a String)> {
        let stacks = self.stacks.get(layer - 1).into_iter().flatten().copied();
        stacks.filter_map(|stack| Some((stack, self.reason(stack)?))).collect()
    }

    /// What a job needs to know of a stack; of one that is synthesised the images as well.
    fn entry(&self, stack: &StackSettings) -> Json {
        let mut entry = json!(stack);
        let synthesised = self.place.terraform.synthesised.get(stack.stack.as_str());
        if let (Some(synthesised), Some(entry)) = (synthesised, entry.as_object_mut()) {
            entry.insert("images".to_owned(), json!(synthesised.images));
        }
        entry
    }

    /// Whether the sources of one of a layer's stacks come from the job that synthesises.
    fn is_synthesised(&self, layer: usize) -> bool {
        self.reviewed(layer).iter().any(|stack| stack.synthesised)
    }

    fn on_runner(&self, model: &mut model::Job) {
        model.runs_on = Some(Runner { group: None, labels: self.place.target.runner.clone() });
        model.env.extend(state_env(self.place.terraform, self.place.target));
    }

    /// The job that makes the backend where it is not there.
    fn create_backend(
        &self,
        pipeline: &mut Pipeline<'_>,
        draft: &mut Draft<'_>,
        stage: &Stage,
        behind: &Passed,
    ) -> Passed {
        let environment = self.place.environment;
        let mut model = draft.job(format!("create backend {}", environment.name), BACKEND_MINUTES);
        model.runs_on = Some(Runner { group: None, labels: self.place.target.runner.clone() });
        model.env = backend_env(self.place.terraform, self.place.target);
        stand(&mut model, stage, behind);
        model.environment = Some(without_deployment(environment.backend_name()));
        model.concurrency = Some(self.place.one_backend_change());
        let id = self.place.id("create-backend");
        let job = NewJob {
            id: id.clone(),
            model,
            permissions: READ,
            because: "Nobody has to agree: the script only adds, and the role deletes nothing.",
            identity: Some(identity(self.place.target, AwsRole::BackendCreate)),
            body: Body::CreateBackend(self.place.create_backend_body(BACKEND_MINUTES)),
            origin: self.place.origin(),
        };
        pipeline.add(draft, StageKind::Terraform, Some(environment), job);
        Passed::jobs([id.as_str()])
    }

    /// The golden image that its plans and applies know, and the job that says which.
    fn image(&self) -> (Option<PlannedImage>, Vec<String>) {
        let Some(packer) = &self.place.project.packer else { return (None, Vec::new()) };
        (Some(golden_image::planned(&self.place, packer)), vec![self.place.id("image")])
    }

    /// The jobs that plan a layer, and say which of its stacks go on.
    fn plan(
        &self,
        pipeline: &mut Pipeline<'_>,
        draft: &mut Draft<'_>,
        stage: &Stage,
        layer: usize,
        behind: &Passed,
    ) -> Passed {
        let (environment, minutes) = (self.place.environment, self.place.project.timeout_minutes);
        let (plan, decide) = (self.id("plan", layer), self.id("decide", layer));
        let reviewed = self.reviewed(layer);
        let stacks = entries(reviewed.iter().map(|stack| self.entry(stack)));
        let synthesised = self.is_synthesised(layer);
        let (images, known_by) = match synthesised {
            true => image::by_digest(pipeline, environment),
            false => Default::default(),
        };
        let mut model = over_literal(draft, &format!("plan {}", environment.name), stacks.clone(), minutes);
        self.on_runner(&mut model);
        let (image, chosen) = self.image();
        model.needs = chosen;
        stand(&mut model, stage, behind);
        model.needs.extend(known_by);
        model.environment = Some(reading_environment(environment));
        model.outputs = reviewed
            .iter()
            .map(|stack| (stack.stack.clone(), expression(&format!("steps.result.outputs.{}", stack.stack))))
            .collect();
        let job = NewJob {
            id: plan.clone(),
            model,
            permissions: READ,
            because: "Behind everything that every run does, and behind the environments before this one.",
            identity: Some(identity(self.place.target, AwsRole::Plan)),
            body: Body::TfPlan(TfPlan {
                results: self.place.plan_outputs(true).into_iter().collect(),
                synthesised,
                images,
                image,
                ..self.place.plan_body(ASKED, true, minutes)
            }),
            origin: self.place.origin(),
        };
        pipeline.add(draft, StageKind::Terraform, Some(environment), job);
        let mut model = draft.job(format!("decide {} {layer}", environment.name), 5);
        model.outputs = ["apply", "stacks"]
            .map(|name| (name.to_owned(), expression(&format!("steps.decide.outputs.{name}"))))
            .into();
        Passed::jobs([plan.as_str()]).stand_before(&mut model);
        let job = NewJob {
            id: decide.clone(),
            model,
            permissions: &[CHECK_OUT],
            because: "Only where every plan was made.",
            identity: None,
            body: Body::Decide(Decide {
                environment: environment.name.to_string(),
                action: ASKED.action,
                stacks: Planned::Always(stacks),
                plans: format!("needs.{plan}.outputs"),
                gated: is_gated(environment),
                parity: None,
                looks_at_head: true,
                layers: Vec::new(),
                note: None,
            }),
            origin: self.place.origin(),
        };
        pipeline.add(draft, StageKind::Terraform, Some(environment), job);
        Passed::jobs([decide.as_str()])
    }

    /// The job that applies what was planned and goes on; that it did, or that there was nothing to do.
    fn apply(
        &self,
        pipeline: &mut Pipeline<'_>,
        draft: &mut Draft<'_>,
        stage: &Stage,
        layer: usize,
        behind: &Passed,
    ) -> Passed {
        let (environment, minutes) = (self.place.environment, apply_minutes(self.place.project));
        let (decide, id) = (self.id("decide", layer), self.id("apply", layer));
        let goes_on = format!("needs.{decide}.outputs.apply != '[]'");
        let goes_on = Passed::condition([decide.clone()], goes_on);
        let mut approval = approval_id(environment);
        let mut behind = behind.clone().and(&goes_on);
        if let (Some(first), true) = (&approval, layer > 1) {
            let again = format!("{first}-{layer}");
            let mut model = draft.job(format!("approve {}, layer {layer}", environment.name), 5);
            stand(&mut model, stage, &behind);
            let stacks = format!("${{{{ needs.{decide}.outputs.stacks }}}}");
            let body = approval_of(environment, &mut model, format!("{stacks} in {}", environment.name));
            let job = NewJob {
                id: again.clone(),
                model,
                permissions: &[],
                because: "These plans could not be made before the reviewers agreed to the ones they stand on.",
                identity: None,
                body,
                origin: self.place.origin().key("approval"),
            };
            pipeline.add(draft, StageKind::Terraform, Some(environment), job);
            behind = behind.and(&Passed::jobs([again.as_str()]));
            approval = Some(again);
        }
        let (images, known_by) = match self.is_synthesised(layer) {
            true => image::by_digest(pipeline, environment),
            false => Default::default(),
        };
        let list = format!("needs.{decide}.outputs.apply");
        let mut model = over(draft, &format!("apply {}", environment.name), &list, minutes);
        self.on_runner(&mut model);
        let (image, chosen) = self.image();
        model.needs = chosen;
        stand(&mut model, stage, &behind);
        model.needs.extend(known_by);
        model.environment = Some(self.place.deployed_to());
        model.concurrency = Some(self.place.one_change_of("${{ matrix.stack }}"));
        let job = NewJob {
            id: id.clone(),
            model,
            permissions: CHANGE,
            because: "Only where a plan has something to do, and everything before it has gone well.",
            identity: Some(identity(self.place.target, AwsRole::Apply)),
            body: Body::TfApply(TfApply {
                approval,
                newest: Some(newest_id(environment)),
                synthesised: self.is_synthesised(layer),
                images,
                image,
                ..self.place.apply_body(ASKED, "matrix.plan".to_owned(), minutes)
            }),
            origin: self.place.origin(),
        };
        pipeline.add(draft, StageKind::Terraform, Some(environment), job);
        Passed::condition(
            [decide.clone(), id.clone()],
            format!("(needs.{decide}.outputs.apply == '[]' || needs.{id}.result == 'success')"),
        )
    }

    /// The job that plans what is applied in one go, and applies it; that it did, or that there was nothing to do.
    fn apply_directly(
        &self,
        pipeline: &mut Pipeline<'_>,
        draft: &mut Draft<'_>,
        stage: &Stage,
        layer: usize,
        behind: &Passed,
    ) -> Passed {
        let direct = self.direct(layer);
        if direct.is_empty() {
            return Passed::default();
        }
        let (environment, minutes) = (self.place.environment, apply_minutes(self.place.project));
        let id = self.id("direct", layer);
        let stacks = entries(direct.iter().map(|(stack, _)| self.entry(stack)));
        let mut model = over_literal(draft, &format!("plan and apply {}", environment.name), stacks, minutes);
        self.on_runner(&mut model);
        let (images, known_by) = image::by_digest(pipeline, environment);
        let (image, chosen) = self.image();
        model.needs = chosen;
        stand(&mut model, stage, behind);
        model.needs.extend(known_by);
        model.environment = Some(self.place.deployed_to());
        model.concurrency = Some(self.place.one_change_of("${{ matrix.stack }}"));
        // What other stacks need is none of its business.
        let own = direct.iter().map(|(stack, _)| (*stack).clone()).collect();
        let own = EnvironmentStacks { stacks: own, ..self.place.target.clone() };
        let place = InEnvironment { target: &own, ..self.place };
        let reasons = direct.iter().map(|(stack, reason)| (stack.stack.clone(), (*reason).clone()));
        let job = NewJob {
            id: id.clone(),
            model,
            permissions: CHANGE,
            because: "Only where everything before it has gone well. Nobody looks at what it plans: the header says why.",
            identity: Some(identity(self.place.target, AwsRole::Apply)),
            body: Body::TfApply(TfApply {
                synthesised: true,
                images,
                direct: Some(Direct {
                    protected: place.protected(),
                    lock: LOCK_TIMEOUT,
                    reasons: reasons.collect(),
                }),
                image,
                ..place.apply_body(ASKED, String::new(), minutes)
            }),
            origin: Path::of(["terraform", "stacks"]),
        };
        pipeline.add(draft, StageKind::Terraform, Some(environment), job);
        Passed::jobs([id.as_str()])
    }
}
