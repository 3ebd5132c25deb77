//! `tf-auto`: every stack of an environment is planned and applied when the configuration changes, and compared with
//! it by the clock; by hand it is planned, applied, promoted or destroyed as a whole.
//!
//! Stacks that need each other are planned one after the other: what a plan reads of another stack is only there when
//! that one is applied. A layer is a set of stacks of which none needs another; its plans run side by side, and go on
//! as the entries of one matrix.
//!
//! Environments follow each other in the order of promotion: what an environment does not take stops before the next
//! one.

mod destroy;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::diagnostic::{Diagnostic, Path, Place};
use crate::manifest::{AwsRole, Kind, SafetyLevel};
use crate::plan::Permission;
use crate::plan::body::{
    Action, Approval, Asked, Body, Changes, Decide, Parity, Planned, TfApply, TfAutoGuard, TfPlan,
};
use crate::plan::build::{always, changes_job};
use crate::plan::condition::expression;
use crate::plan::credentials::identity;
use crate::plan::draft::{CHECK_OUT, Draft, NewJob};
use crate::plan::environment_jobs::{
    CHANGE, InEnvironment, ONLY_PLAN, READ, apply_minutes, is_gated, readable_targets, reading_environment,
    scan_body, without_deployment,
};
use crate::plan::notify::{self, Told};
use crate::plan::stacks::{
    backend_env, check_limits, entries, over, over_literal, run_unattended, state_env,
};
use crate::plan::terraform::changed_by;
use crate::project::{Environment, EnvironmentStacks, Project, StackSettings, Terraform};
use crate::workflow::{self as model, Input, Level, Runner, Scope};

/// What the run does, whoever started it.
const ASKED: Asked = Asked {
    action: Action::Chosen(ACTION),
    color: Some("inputs.active_color"),
    reason: Some("inputs.reason"),
    by_clock: true,
};
const ACTION: &str = "needs.guard.outputs.action";

const OUTCOME: Told = Told {
    condition: "always() && (github.event_name != 'workflow_dispatch' || (needs.guard.result == 'success' && needs.guard.outputs.action != 'plan'))",
    because: "Whatever became of the run; what was refused, and a plan, are read by the person who asked.",
};

const COMPARE: &[Permission] = &[
    Permission {
        scope: Scope::Actions,
        level: Level::Read,
        because: "read what the pull request's own run showed",
    },
    CHECK_OUT,
    Permission {
        scope: Scope::PullRequests,
        level: Level::Read,
        because: "find the pull request that was merged",
    },
];

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(terraform) = &project.terraform else { return };
    run_unattended(draft);
    let targets = readable_targets(project, terraform);
    let wish = project.workflows.get(draft.name());
    let requires_parity = wish.is_some_and(|wish| wish.requires_parity);
    let destroys_backend = wish.is_some_and(|wish| wish.destroys_backend);
    let parity = if requires_parity { parity(project, terraform, &targets, draft) } else { None };
    let is_shown =
        |environment: &Environment| terraform.plans.iter().any(|plan| plan.environment == environment.name);
    draft.start_by_hand(inputs(&targets));
    let changes = Changes {
        targets: changed_by(terraform),
        always: always(draft),
        matrices: None,
        notes: None,
        pull_requests: false,
        follows_modules: true,
        compares_pushes: true,
    };
    draft.add(changes_job(draft, changes, &["changed"]));
    let guard = guard(draft, &targets);
    draft.add(guard);
    draft.add(scan_job(project, draft, terraform));
    let mut before: Vec<Jobs<'_>> = Vec::new();
    for (environment, target) in &targets {
        let place = InEnvironment { project, terraform, environment, target };
        let parity = parity.clone().filter(|_| is_shown(environment));
        let jobs = Jobs { place, layers: target.layers(), parity, destroys_backend };
        let earlier = before.iter().rev().find(|other| other.place.environment.branch == environment.branch);
        jobs.add(draft, earlier);
        before.push(jobs);
    }
    let title = format!("${{{{ {ACTION} }}}} by {} (${{{{ github.event_name }}}})", draft.name());
    if let Some(notify) = notify::outcome(project, draft, &title, OUTCOME) {
        draft.add(notify);
    }
}

/// The workflow that shows plans on pull requests; nothing, and a finding, where it leaves out a stack that nobody is
/// asked about: every push would be refused.
fn parity(
    project: &Project,
    terraform: &Terraform,
    targets: &[(&Environment, &EnvironmentStacks)],
    draft: &mut Draft<'_>,
) -> Option<Parity> {
    let place = Place::key(Path::of(["workflows", draft.name().as_str(), "require-parity"]));
    let Some((name, _)) = project.workflows.iter().find(|(_, wish)| wish.renders(Kind::Terraform)) else {
        draft.report(
            Diagnostic::error("missing-key", place, "no workflow shows a plan on pull requests")
                .with_help("add `terraform: {}` to `workflows`, or take `require-parity` out"),
        );
        return None;
    };
    let unasked = targets
        .iter()
        .filter(|(environment, _)| environment.level >= SafetyLevel::AUTOMATES && !is_gated(environment));
    for (environment, target) in unasked {
        let shown = terraform.plans.iter().find(|plan| plan.environment == environment.name);
        let is_shown = |stack: &StackSettings| {
            shown.is_some_and(|plan| plan.stacks.iter().any(|shown| shown.stack == stack.stack))
        };
        let unseen: Vec<String> = target
            .stacks
            .iter()
            .filter(|stack| !is_shown(stack))
            .map(|stack| format!("`{}`", stack.stack))
            .collect();
        if !unseen.is_empty() {
            let message = format!(
                "pull requests show no plan of {} in `{}`, and nobody has to agree to it: every push that changes it would be refused",
                unseen.join(", "),
                environment.name
            );
            draft.report(Diagnostic::error("invalid-value", place.clone(), message).with_help(
                "pull requests plan what `terraform.pull-request-plan` says, but no stack that takes a secret of its \
                 environment: change that, or ask for `approval: reviewers`",
            ));
        }
    }
    Some(Parity { workflow: format!("{name}.yml") })
}

/// What the person who starts the workflow is asked.
fn inputs(targets: &[(&Environment, &EnvironmentStacks)]) -> IndexMap<String, Input> {
    let has_colors =
        targets.iter().flat_map(|(_, target)| &target.stacks).any(|stack| stack.colors.is_some());
    let mut actions = vec!["plan"];
    if targets.iter().any(|(environment, _)| environment.level >= SafetyLevel::AUTOMATES) {
        actions.push("apply");
        if has_colors {
            actions.push("promote");
        }
        actions.push("destroy");
    }
    let environments = targets.iter().map(|(environment, _)| environment.name.to_string()).collect();
    let mut inputs = IndexMap::from([
        ("environment".to_owned(), Input::choice("Where: every stack of it", environments)),
        ("action".to_owned(), Input::choice("What to do", actions.into_iter().map(str::to_owned).collect())),
    ]);
    if has_colors {
        let colors = ["keep", "blue", "green"].map(str::to_owned).to_vec();
        inputs.insert(
            "active_color".to_owned(),
            Input {
                default: Some("keep".into()),
                ..Input::choice("promote: the colour to switch to; `keep` means the other one", colors)
            },
        );
    }
    inputs.insert(
        "confirm".to_owned(),
        Input::text("The phrase for the action: apply ENVIRONMENT, promote …, destroy ENVIRONMENT"),
    );
    inputs.insert("reason".to_owned(), Input::text("Why, for the record"));
    inputs
}

fn guard(draft: &mut Draft<'_>, targets: &[(&Environment, &EnvironmentStacks)]) -> NewJob {
    let by_environment: BTreeMap<String, Json> = targets
        .iter()
        .map(|(environment, target)| {
            let entry = json!({
                "branch": environment.branch,
                "writes": environment.level >= SafetyLevel::AUTOMATES,
                "protected": is_gated(environment),
                "layers": target.layers(),
            });
            (environment.name.to_string(), entry)
        })
        .collect();
    let bytes = by_environment.values().map(|entry| entry.to_string().len()).sum();
    let most = targets.iter().map(|(_, target)| target.stacks.len()).max().unwrap_or_default();
    check_limits(most, bytes, draft);
    let mut model = draft.job("guard", 5);
    model.needs = vec!["changes".to_owned()];
    let mut outputs = vec!["action".to_owned(), "backends".to_owned()];
    for (environment, target) in targets {
        outputs.extend((1..=target.layers().len()).map(|layer| format!("{}-{layer}", environment.name)));
        if environment.level >= SafetyLevel::AUTOMATES {
            outputs.push(format!("destroy-{}", environment.name));
        }
    }
    model.outputs = outputs
        .into_iter()
        .map(|output| {
            let value = expression(&format!("steps.guard.outputs.{output}"));
            (output, value)
        })
        .collect();
    let colors = targets.iter().flat_map(|(_, target)| &target.stacks).any(|stack| stack.colors.is_some());
    NewJob {
        id: "guard".to_owned(),
        model,
        permissions: &[],
        because: "",
        identity: None,
        body: Body::TfAutoGuard(TfAutoGuard { targets: by_environment, colors }),
        origin: Path::of(["workflows", draft.name().as_str()]),
    }
}

fn scan_job(project: &Project, draft: &Draft<'_>, terraform: &Terraform) -> NewJob {
    let stacks = terraform
        .stacks
        .iter()
        .map(|(name, stack)| json!({ "stack": name.as_str(), "directory": stack.directory.normal() }));
    let mut model = over_literal(draft, "scan", entries(stacks), 15);
    model.needs = vec!["changes".to_owned(), "guard".to_owned()];
    model.condition = Some(format!("{ACTION} != 'destroy' && needs.changes.outputs.changed != '[]'"));
    NewJob {
        id: "scan".to_owned(),
        model,
        permissions: &[CHECK_OUT],
        because: "What is insecure can always be destroyed.",
        identity: None,
        body: Body::TerraformScan(scan_body(project, terraform)),
        origin: Path::of(["terraform", "scan"]),
    }
}

/// The jobs of one environment.
struct Jobs<'a> {
    place: InEnvironment<'a>,
    layers: Vec<Vec<&'a StackSettings>>,
    parity: Option<Parity>,
    destroys_backend: bool,
}

/// Something that reviewers may have to agree to.
struct Act {
    /// The job that does it.
    job: String,
    /// What it is, for people.
    title: String,
    /// The job that decided on it.
    decision: String,
    /// When there is something to agree to.
    condition: String,
    /// The jobs that the condition looks at beside that one.
    also_needs: &'static [&'static str],
}

impl Jobs<'_> {
    fn add(&self, draft: &mut Draft<'_>, earlier: Option<&Jobs<'_>>) {
        if self.writes() {
            draft.add(self.create_backend(draft));
        }
        for layer in 1..=self.layers.len() {
            draft.add(self.plan(draft, layer, earlier));
            draft.add(self.decide(draft, layer));
            if self.writes() {
                self.add_approval(
                    draft,
                    &Act {
                        job: self.layer("apply", layer),
                        title: format!("apply {}, layer {layer}", self.name()),
                        decision: self.decision(layer),
                        condition: self.goes_on(layer),
                        also_needs: &["scan"],
                    },
                );
                draft.add(self.apply(draft, layer));
            }
        }
        if self.writes() {
            self.add_destroy(draft);
        }
    }

    fn name(&self) -> &str {
        self.place.environment.name.as_str()
    }

    /// Whether anything is written to it without a person who starts it.
    fn writes(&self) -> bool {
        self.place.environment.level >= SafetyLevel::AUTOMATES
    }

    fn is_gated(&self) -> bool {
        is_gated(self.place.environment)
    }

    fn layer(&self, verb: &str, layer: usize) -> String {
        format!("{verb}-{}-{layer}", self.name())
    }

    /// The job that waits for the reviewers of a layer, where there are any.
    fn approval(&self, verb: &str, layer: usize) -> Option<String> {
        self.is_gated().then(|| format!("approve-{}", self.layer(verb, layer)))
    }

    fn decision(&self, layer: usize) -> String {
        self.layer("decide", layer)
    }

    /// What the guard says is planned in a layer.
    fn listed(&self, layer: usize) -> String {
        format!("needs.guard.outputs.{}-{layer}", self.name())
    }

    /// That a layer took what there was to take, or that there was nothing.
    fn is_done(&self, layer: usize) -> String {
        let (decision, apply) = (self.decision(layer), self.layer("apply", layer));
        let taken = if self.writes() {
            format!(" && (needs.{decision}.outputs.apply == '[]' || needs.{apply}.result == 'success')")
        } else {
            String::new()
        };
        format!("({} == '[]' || (needs.{decision}.result == 'success'{taken}))", self.listed(layer))
    }

    /// The jobs that [`Self::is_done`] looks at.
    fn doing(&self, layer: usize) -> impl Iterator<Item = String> {
        let apply = self.writes().then(|| self.layer("apply", layer));
        std::iter::once(self.decision(layer)).chain(apply)
    }

    fn on_runner(&self, model: &mut model::Job) {
        model.runs_on = Some(Runner { group: None, labels: self.place.target.runner.clone() });
    }

    fn create_backend(&self, draft: &Draft<'_>) -> NewJob {
        let mut model = draft.job(format!("create backend {}", self.name()), 15);
        self.on_runner(&mut model);
        model.needs = vec!["guard".to_owned()];
        model.condition =
            Some(format!("contains(fromJSON(needs.guard.outputs.backends), '{}')", self.name()));
        model.environment = Some(without_deployment(self.place.environment.backend_name()));
        model.concurrency = Some(self.place.one_backend_change());
        model.env = backend_env(self.place.terraform, self.place.target);
        NewJob {
            id: self.place.id("create-backend"),
            model,
            permissions: READ,
            because: "Nobody has to agree: the script only adds, and the role deletes nothing.",
            identity: Some(identity(self.place.target, AwsRole::BackendCreate)),
            body: Body::CreateBackend(self.place.create_backend_body(15)),
            origin: self.place.origin(),
        }
    }

    fn plan(&self, draft: &Draft<'_>, layer: usize, earlier: Option<&Jobs<'_>>) -> NewJob {
        let minutes = self.place.project.timeout_minutes;
        let mut model = over(draft, &format!("plan {}", self.name()), &self.listed(layer), minutes);
        self.on_runner(&mut model);
        model.needs = vec!["guard".to_owned()];
        let mut conditions = vec![
            "!cancelled()".to_owned(),
            "needs.guard.result == 'success'".to_owned(),
            format!("{} != '[]'", self.listed(layer)),
        ];
        if self.writes() {
            let backend = self.place.id("create-backend");
            conditions
                .push(format!("contains(fromJSON('[\"success\",\"skipped\"]'), needs.{backend}.result)"));
            model.needs.push(backend);
        }
        let mut done: Vec<String> = (1..layer).map(|layer| self.is_done(layer)).collect();
        model.needs.extend((1..layer).flat_map(|layer| self.doing(layer)));
        if let Some(earlier) = earlier.filter(|_| layer == 1) {
            let layers = || 1..=earlier.layers.len();
            done.extend(layers().map(|layer| earlier.is_done(layer)));
            model.needs.extend(layers().flat_map(|layer| earlier.doing(layer)));
        }
        if !done.is_empty() {
            conditions.push(format!("({ACTION} == 'plan' || ({}))", done.join(" && ")));
        }
        model.condition = Some(expression(&conditions.join(" && ")));
        model.environment = Some(reading_environment(self.place.environment));
        model.env = state_env(self.place.terraform, self.place.target);
        let stacks = self.layers.get(layer - 1).into_iter().flatten();
        model.outputs = results(stacks.copied());
        NewJob {
            id: self.layer("plan", layer),
            model,
            permissions: READ,
            because: "Behind what it needs; a run that changes nothing looks at everything.",
            identity: Some(identity(self.place.target, AwsRole::Plan)),
            body: Body::TfPlan(self.plan_body(minutes)),
            origin: self.place.origin(),
        }
    }

    /// A plan, and what the matrix says of it under the stack's name.
    fn plan_body(&self, minutes: u16) -> TfPlan {
        let mut outputs = self.place.plan_outputs(self.writes());
        outputs.insert("fingerprint".to_owned(), expression("steps.plan.outputs.fingerprint"));
        TfPlan {
            results: outputs.into_iter().collect(),
            ..self.place.plan_body(ASKED, self.writes(), minutes)
        }
    }

    /// Which of a layer's stacks go on.
    fn decide(&self, draft: &Draft<'_>, layer: usize) -> NewJob {
        let plan = self.layer("plan", layer);
        let body = Decide {
            environment: self.name().to_owned(),
            action: if self.writes() { ASKED.action } else { ONLY_PLAN },
            stacks: Planned::Yielded(self.listed(layer)),
            plans: format!("needs.{plan}.outputs"),
            gated: self.is_gated(),
            parity: self.parity.clone().filter(|_| self.writes()),
            looks_at_head: self.writes(),
            layers: Vec::new(),
            note: None,
        };
        let mut model = draft.job(format!("decide {} {layer}", self.name()), 5);
        model.outputs = ["apply", "stacks"].map(output_of_decide).into_iter().collect();
        self.decide_job(model, self.decision(layer), plan, body)
    }

    fn decide_job(&self, mut model: model::Job, id: String, plan: String, body: Decide) -> NewJob {
        model.condition = Some(expression(&format!("!cancelled() && needs.{plan}.result == 'success'")));
        model.needs = vec!["guard".to_owned(), plan];
        NewJob {
            id,
            model,
            permissions: if body.parity.is_some() { COMPARE } else { &[CHECK_OUT] },
            because: "Only where every plan was made.",
            identity: None,
            body: Body::Decide(body),
            origin: self.place.origin(),
        }
    }

    /// That a layer has something to apply, and may.
    fn goes_on(&self, layer: usize) -> String {
        let decision = self.decision(layer);
        format!(
            "needs.{decision}.result == 'success' && needs.{decision}.outputs.apply != '[]' && needs.scan.result == 'success'"
        )
    }

    /// The job that waits for the reviewers before another one, and the one that tells the channels so.
    fn add_approval(&self, draft: &mut Draft<'_>, act: &Act) {
        if !self.is_gated() {
            return;
        }
        let Act { job, title, decision, condition, also_needs } = act;
        let needs: Vec<String> =
            ["guard", decision].iter().chain(*also_needs).map(ToString::to_string).collect();
        let before = |verb: &str| {
            let mut model = draft.job(format!("{verb} {title}"), 5);
            model.needs.clone_from(&needs);
            model.condition = Some(expression(&format!("!cancelled() && {condition}")));
            model
        };
        let (mut approve, notify) = (before("approve"), before("notify before"));
        approve.environment = Some(without_deployment(self.place.environment.approval_name()));
        // A later attempt of the run would not ask again.
        approve.outputs = IndexMap::from([("attempt".to_owned(), expression("github.run_attempt"))]);
        draft.add(NewJob {
            id: format!("approve-{job}"),
            model: approve,
            permissions: &[],
            because: "The environment's reviewers agree first, in a job that holds no right and no lock.",
            identity: None,
            body: Body::Approval(Approval {
                environment: self.name().to_owned(),
                what: format!("needs.{decision}.outputs.stacks"),
                action: ACTION,
                planned: None,
                window: self.place.environment.window.clone(),
            }),
            origin: self.place.origin().key("approval"),
        });
        let title =
            format!("${{{{ {ACTION} }}}} of ${{{{ needs.{decision}.outputs.stacks }}}} in {}", self.name());
        if let Some(body) = notify::waiting(self.place.project, draft, &title) {
            draft.add(NewJob {
                id: format!("notify-before-{job}"),
                model: notify,
                permissions: &[],
                because: "When the reviewers are asked.",
                identity: None,
                body,
                origin: Path::of(["notify"]),
            });
        }
    }

    /// A job over entries that a decision let through, one change of a stack at a time.
    fn change(
        &self,
        draft: &Draft<'_>,
        id: &str,
        title: &str,
        decision: &str,
        output: &str,
        conditions: &[String],
    ) -> model::Job {
        let minutes = apply_minutes(self.place.project);
        let list = format!("needs.{decision}.outputs.{output}");
        let mut model = over(draft, title, &list, minutes);
        self.on_runner(&mut model);
        model.needs = vec!["guard".to_owned(), decision.to_owned()];
        let mut all = vec!["!cancelled()".to_owned()];
        all.extend_from_slice(conditions);
        if self.is_gated() {
            let approval = format!("approve-{id}");
            all.push(format!("needs.{approval}.result == 'success'"));
            model.needs.push(approval);
        }
        model.condition = Some(expression(&all.join(" && ")));
        model.concurrency = Some(self.place.one_change_of("${{ matrix.stack }}"));
        model.env = state_env(self.place.terraform, self.place.target);
        model
    }

    fn apply(&self, draft: &Draft<'_>, layer: usize) -> NewJob {
        let (id, decision) = (self.layer("apply", layer), self.decision(layer));
        let title = format!("apply {}", self.name());
        let mut model = self.change(draft, &id, &title, &decision, "apply", &[self.goes_on(layer)]);
        model.needs.push("scan".to_owned());
        model.environment = Some(self.place.deployed_to());
        let minutes = apply_minutes(self.place.project);
        NewJob {
            id,
            model,
            permissions: CHANGE,
            because: "Only where a plan has something to do, and nothing was found against it.",
            identity: Some(identity(self.place.target, AwsRole::Apply)),
            body: Body::TfApply(TfApply {
                approval: self.approval("apply", layer),
                ..self.place.apply_body(ASKED, PLANNED.to_owned(), minutes)
            }),
            origin: self.place.origin(),
        }
    }
}

/// Where the plan that is applied stands: in the matrix, because a job plans several.
const PLANNED: &str = "matrix.plan";

fn output_of_decide(name: &str) -> (String, String) {
    (name.to_owned(), expression(&format!("steps.decide.outputs.{name}")))
}

/// One output for each stack: those of a matrix come together where their names differ
/// ([GitHub: outputs of matrix jobs](https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idoutputs)).
fn results<'a>(stacks: impl IntoIterator<Item = &'a StackSettings>) -> IndexMap<String, String> {
    let names = stacks.into_iter().map(|stack| stack.stack.clone());
    names
        .map(|name| {
            let value = expression(&format!("steps.result.outputs.{name}"));
            (name, value)
        })
        .collect()
}
