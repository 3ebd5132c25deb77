//! What `tf-auto` does when a whole environment is destroyed.

use super::{ASKED, Act, Jobs, PLANNED, output_of_decide, results};
use crate::manifest::AwsRole;
use crate::plan::body::{Body, Decide, Planned, TfApply};
use crate::plan::condition::expression;
use crate::plan::credentials::identity;
use crate::plan::draft::{Draft, NewJob};
use crate::plan::environment_jobs::{CHANGE, READ, apply_minutes, reading_environment, without_deployment};
use crate::plan::stacks::{backend_env, over, state_env};
use crate::project::StackSettings;

impl Jobs<'_> {
    /// Whether the backend goes with the last thing in it. One that a gated environment shares stays until that goes.
    fn removes_backend(&self) -> bool {
        let approver = self.place.backend_approver();
        self.destroys_backend && approver.is_none_or(|approver| approver.name == self.place.environment.name)
    }

    /// Everything of the environment is planned side by side, agreed to once, and destroyed from the last layer to
    /// the first.
    pub(super) fn add_destroy(&self, draft: &mut Draft<'_>) {
        let (plan, decision) = (self.place.id("plan-destroy"), self.place.id("decide-destroy"));
        let minutes = self.place.project.timeout_minutes;
        let list = format!("needs.guard.outputs.destroy-{}", self.name());
        let mut model = over(draft, &format!("plan destroy {}", self.name()), &list, minutes);
        self.on_runner(&mut model);
        model.needs = vec!["guard".to_owned()];
        // The guard lets nothing else destroy; whoever reads the file need not read the guard to see it.
        model.condition = Some(format!("github.event_name == 'workflow_dispatch' && {list} != '[]'"));
        model.environment = Some(reading_environment(self.place.environment));
        model.env = state_env(self.place.terraform, self.place.target);
        model.outputs = results(&self.place.target.stacks);
        draft.add(NewJob {
            id: plan.clone(),
            model,
            permissions: READ,
            because: "Only where somebody typed the phrase.",
            identity: Some(identity(self.place.target, AwsRole::Plan)),
            body: Body::TfPlan(self.plan_body(minutes)),
            origin: self.place.origin(),
        });
        let names = |layer: &Vec<&StackSettings>| layer.iter().map(|stack| stack.stack.clone()).collect();
        let body = Decide {
            environment: self.name().to_owned(),
            action: ASKED.action,
            stacks: Planned::Yielded(list),
            plans: format!("needs.{plan}.outputs"),
            gated: self.is_gated(),
            parity: None,
            looks_at_head: false,
            layers: self.layers.iter().map(names).collect(),
            note: self.note_on_backend(),
        };
        let mut model = draft.job(format!("decide destroy {}", self.name()), 5);
        let layers = (1..=self.layers.len()).map(|layer| format!("layer-{layer}"));
        model.outputs = ["apply", "stacks"]
            .map(output_of_decide)
            .into_iter()
            .chain(layers.map(|output| output_of_decide(&output)))
            .collect();
        draft.add(self.decide_job(model, decision.clone(), plan, body));
        let is_decided = format!("needs.{decision}.result == 'success'");
        let is_something = format!("{is_decided} && needs.{decision}.outputs.apply != '[]'");
        // Where the backend goes as well, there is something to agree to even behind the last stack.
        let is_asked = if self.removes_backend() { &is_decided } else { &is_something };
        let approval = self.place.id("destroy");
        self.add_approval(
            draft,
            &Act {
                job: approval.clone(),
                title: format!("destroy {}", self.name()),
                decision: decision.clone(),
                condition: is_asked.clone(),
                also_needs: &[],
            },
        );
        let mut done: Vec<(String, String)> = Vec::new();
        for layer in (1..=self.layers.len()).rev() {
            let (id, output) = (self.layer("destroy", layer), format!("layer-{layer}"));
            let mut conditions =
                vec![is_decided.clone(), format!("needs.{decision}.outputs.{output} != '[]'")];
            conditions.extend(done.iter().map(|(_, condition)| condition.clone()));
            let title = format!("destroy {}", self.name());
            let mut model = self.change(draft, &approval, &title, &decision, &output, &conditions);
            model.needs.extend(done.iter().map(|(id, _)| id.clone()));
            model.environment = Some(without_deployment(self.name().to_owned()));
            done.push((
                id.clone(),
                format!("(needs.{decision}.outputs.{output} == '[]' || needs.{id}.result == 'success')"),
            ));
            let minutes = apply_minutes(self.place.project);
            draft.add(NewJob {
                id,
                model,
                permissions: CHANGE,
                because: "What needs others goes before them.",
                identity: Some(identity(self.place.target, AwsRole::Apply)),
                body: Body::TfApply(TfApply {
                    approval: self.is_gated().then(|| format!("approve-{approval}")),
                    ..self.place.destroy_body(ASKED, PLANNED.to_owned(), minutes)
                }),
                origin: self.place.origin(),
            });
        }
        if self.removes_backend() {
            draft.add(self.destroy_backend(draft, &decision, is_decided, &done));
        }
    }

    /// What becomes of the backend, for those who are asked.
    fn note_on_backend(&self) -> Option<String> {
        let approver = self.place.backend_approver().filter(|_| !self.removes_backend());
        match (self.destroys_backend, approver) {
            (false, _) => None,
            (true, Some(sharing)) => {
                Some(format!("The backend is kept, used by {}: it goes when that is destroyed.", sharing.name))
            }
            (true, None) => Some(
                "**The backend goes as well**: the bucket with every version of every state, and the lock table, \
                 unless another environment still uses it."
                    .to_owned(),
            ),
        }
    }

    fn destroy_backend(
        &self,
        draft: &Draft<'_>,
        decision: &str,
        is_decided: String,
        done: &[(String, String)],
    ) -> NewJob {
        let mut model = draft.job(format!("destroy backend {}", self.name()), 30);
        self.on_runner(&mut model);
        model.needs = vec!["guard".to_owned(), decision.to_owned()];
        let approval = self.is_gated().then(|| format!("approve-{}", self.place.id("destroy")));
        let mut conditions = vec!["!cancelled()".to_owned(), is_decided];
        conditions.extend(approval.iter().map(|approval| format!("needs.{approval}.result == 'success'")));
        conditions.extend(done.iter().map(|(_, condition)| condition.clone()));
        model.needs.extend(approval.clone());
        model.needs.extend(done.iter().map(|(id, _)| id.clone()));
        model.condition = Some(expression(&conditions.join(" && ")));
        model.environment = Some(without_deployment(self.place.environment.backend_name()));
        model.concurrency = Some(self.place.one_backend_change());
        model.env = backend_env(self.place.terraform, self.place.target);
        let bucket = model.env.get("TF_STATE_BUCKET").cloned().unwrap_or_default();
        NewJob {
            id: self.place.id("destroy-backend"),
            model,
            permissions: READ,
            because: "Only behind the last stack; what still holds a state is kept.",
            identity: Some(identity(self.place.target, AwsRole::BackendDestroy)),
            body: Body::DestroyBackend(self.place.destroy_backend_body(
                format!("destroy-backend {bucket}"),
                approval,
                30,
            )),
            origin: self.place.origin(),
        }
    }
}
