//! A workflow and those that it calls, judged together as GitHub judges them before a run starts: what is passed, what is
//! asked of the token, how deep calls go (`actions/runner`, `ReusableWorkflowsLoader.cs`, `PermissionsHelper.cs`).

use std::collections::BTreeSet;

use super::{Job, Level, PassedSecrets, Permissions, Scope, Uses, Workflow};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::expression::opens_in;

/// The most workflows below each other.
const MAX_CALL_DEPTH: usize = 10;
/// The most workflows that one run calls, each counted once.
const MAX_CALLED: usize = 50;

/// What the token may do where a workflow does not say, by the settings of the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DefaultPermissions {
    /// Contents and packages can be read.
    Restricted,
    /// Everything can be written but what needs to be asked for.
    Permissive,
}

impl DefaultPermissions {
    fn permissions(self) -> Permissions {
        match self {
            Self::Restricted => {
                Permissions::of([(Scope::Contents, Level::Read), (Scope::Packages, Level::Read)])
            }
            Self::Permissive => Permissions::of(
                Scope::ALL
                    .into_iter()
                    .filter(|scope| !matches!(scope, Scope::IdToken | Scope::Attestations))
                    .map(|scope| (scope, Permissions::WriteAll.level(scope))),
            ),
        }
    }
}

/// A workflow that can be called, by what calls name.
pub trait Called {
    /// The workflow, if it is at hand; nothing is said of calls that are not.
    fn workflow(&self, uses: &Uses) -> Option<&Workflow>;
}

/// How the calls of a workflow are judged.
///
/// ```
/// use pyfleet_core::workflow::{Called, Calls, Uses, Workflow};
///
/// struct One(Workflow);
/// impl Called for One {
///     fn workflow(&self, _: &Uses) -> Option<&Workflow> {
///         Some(&self.0)
///     }
/// }
///
/// let read = |text| serde_json::from_str::<Workflow>(text).unwrap();
/// let called = One(read(r#"{"on": "workflow_call", "jobs": {"b": {"permissions": {"issues": "write"}}}}"#));
/// let caller = read(r#"{"on": "push", "permissions": {}, "jobs": {"a": {"uses": "./b.yml"}}}"#);
/// let findings = Calls::of(&called).mistakes(&caller);
/// assert_eq!(findings.iter().next().unwrap().message, "`./b.yml`: `b` asks for `issues: write` and is allowed `none`");
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Calls<'a, C> {
    called: &'a C,
    default: DefaultPermissions,
    depth: usize,
}

impl<'a, C: Called> Calls<'a, C> {
    /// By GitHub's limits, in a repository with the restricted token of new ones.
    pub const fn of(called: &'a C) -> Self {
        Self { called, default: DefaultPermissions::Restricted, depth: MAX_CALL_DEPTH }
    }

    /// In a repository with this setting.
    #[must_use]
    pub const fn with_default(self, default: DefaultPermissions) -> Self {
        Self { default, ..self }
    }

    /// With another limit of depth.
    #[must_use]
    pub const fn with_depth(self, depth: usize) -> Self {
        Self { depth, ..self }
    }

    /// What GitHub refuses of the calls of a workflow; each finding is at the job of this workflow that calls, and has the
    /// code of the rule that tells of it.
    #[must_use]
    pub fn mistakes(&self, workflow: &Workflow) -> Diagnostics {
        self.judge(workflow, true)
    }

    /// The same, but for what is asked of the token.
    pub(crate) fn mistakes_of_passing(&self, workflow: &Workflow) -> Diagnostics {
        self.judge(workflow, false)
    }

    fn judge(&self, workflow: &Workflow, asks: bool) -> Diagnostics {
        let mut judge = Judge {
            calls: self,
            asks,
            findings: Diagnostics::new(),
            said: BTreeSet::new(),
            called: BTreeSet::new(),
            entered: BTreeSet::new(),
        };
        let default = self.default.permissions();
        for (place, _, job) in workflow.jobs_at() {
            let allowed = workflow.permissions_of(job).unwrap_or(&default);
            judge.call(job, &place, allowed, 1);
        }
        judge.findings
    }
}

struct Judge<'a, 'b, C> {
    calls: &'b Calls<'a, C>,
    /// Whether what is asked of the token is judged.
    asks: bool,
    findings: Diagnostics,
    /// The places and messages of the findings: one workflow may be called from many jobs.
    said: BTreeSet<(Path, String)>,
    called: BTreeSet<String>,
    /// Calls whose workflow has been looked into, at their depth; and from which job, where the token is judged.
    entered: BTreeSet<(Option<Path>, String, usize)>,
}

impl<C: Called> Judge<'_, '_, C> {
    fn report(&mut self, place: impl Into<Place>, message: String) {
        self.push(Diagnostic::error("called-workflow-fits", place, message));
    }

    fn push(&mut self, finding: Diagnostic) {
        if self.said.insert((finding.place.path.clone(), finding.message.clone())) {
            self.findings.push(finding);
        }
    }

    /// Judges what a job calls, and what that calls in turn. `place` is the job of the first workflow.
    fn call(&mut self, job: &Job, place: &Path, allowed: &Permissions, depth: usize) {
        let Some(uses) = &job.uses else { return };
        let name = uses.to_string();
        if self.called.insert(name.clone()) && self.called.len() > MAX_CALLED {
            return self.report(place.key("uses"), format!("more than {MAX_CALLED} workflows are called"));
        }
        if depth > self.calls.depth {
            let limit = self.calls.depth;
            return self.report(place.key("uses"), format!("more than {limit} workflows call each other"));
        }
        let Some(called) = self.calls.called.workflow(uses) else { return };
        let Some(interface) = &called.on.workflow_call else {
            return self
                .report(place.key("uses"), format!("`{uses}` has no `workflow_call` among its events"));
        };
        // Places are known in the first workflow only.
        let below =
            |key: &str, name: &str| if depth == 1 { place.key(key).key(name) } else { place.key("uses") };
        let (inputs, passed) = (names(interface.inputs.keys()), names(job.with.keys()));
        for name in job.with.keys().filter(|name| !opens_in(name)) {
            if !has(&inputs, name) {
                self.report(Place::key(below("with", name)), format!("`{uses}` has no input `{name}`"));
            }
        }
        let is_computed = job.with.keys().any(|name| opens_in(name));
        for (name, input) in interface.inputs.iter().filter(|_| !is_computed) {
            if input.required && !has(&passed, name) {
                self.report(place.key("uses"), format!("`{uses}` needs the input `{name}`"));
            }
        }
        let listed = match &job.secrets {
            Some(PassedSecrets::Inherit) => None,
            Some(PassedSecrets::Listed(secrets)) => Some(secrets.keys().collect::<Vec<_>>()),
            None => Some(Vec::new()),
        };
        if let Some(listed) = listed {
            let (secrets, passed) = (names(interface.secrets.keys()), names(listed.iter().copied()));
            for name in &listed {
                if !has(&secrets, name) {
                    self.report(
                        Place::key(below("secrets", name)),
                        format!("`{uses}` has no secret `{name}`"),
                    );
                }
            }
            for (name, secret) in &interface.secrets {
                if secret.required && !has(&passed, name) {
                    self.report(place.key("uses"), format!("`{uses}` needs the secret `{name}`"));
                }
            }
        }
        if !self.entered.insert((self.asks.then(|| place.clone()), name, depth)) {
            return;
        }
        if let Some(asked) = &called.permissions {
            self.fit(asked, allowed, &format!("`{uses}`"), place);
        }
        for (id, nested) in &called.jobs {
            if let Some(asked) = &nested.permissions {
                self.fit(asked, allowed, &format!("`{uses}`: `{id}`"), place);
            }
            self.call(nested, place, called.permissions_of(nested).unwrap_or(allowed), depth + 1);
        }
    }

    /// Whether what is asked for is allowed: GitHub fails the run before it starts otherwise.
    fn fit(&mut self, asked: &Permissions, allowed: &Permissions, who: &str, place: &Path) {
        if !self.asks {
            return;
        }
        for scope in Scope::ALL {
            let (own, most) = (asked.level(scope), allowed.level(scope));
            if own > most {
                let message = format!("{who} asks for `{scope}: {own}` and is allowed `{most}`");
                let finding = Diagnostic::error("reusable-permissions-fit", place.key("uses"), message);
                self.push(finding);
            }
        }
    }
}

/// Names are compared without regard to case.
fn names<'n>(names: impl Iterator<Item = &'n String>) -> BTreeSet<String> {
    names.map(|name| name.to_ascii_lowercase()).collect()
}

fn has(names: &BTreeSet<String>, name: &str) -> bool {
    names.contains(&name.to_ascii_lowercase())
}
