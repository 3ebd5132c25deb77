//! What jobs become on AWS: each role of the plan once, with everything that assumes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::manifest::{AwsRole, Lock, PlanHandOff, Slug};
use crate::plan::{Body, Job, Plan, session_seconds};
use crate::project::{EnvironmentStacks, Project, Role, StackSettings, partition};

/// A role that jobs assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The environment.
    pub environment: Slug,
    /// What the role is for.
    pub purpose: AwsRole,
    /// The role.
    pub role: Role,
    /// Whether the manifest names the role, which then is there already.
    pub is_existing: bool,
    /// The account.
    pub account_id: String,
    /// The partition that the account lies in.
    pub partition: &'static str,
    /// The region.
    pub region: String,
    /// The `sub` claims of the jobs' tokens.
    pub subjects: Vec<String>,
    /// The workflow files that may assume it, with their branch, as `job_workflow_ref` names them. None for pull
    /// requests: they can edit every file.
    pub workflows: Vec<String>,
    /// The longest session that a job asks for.
    pub session_seconds: u32,
    /// The states that its jobs work on; nothing where they only deploy, or look what was deployed.
    pub state: Option<State>,
    /// What its jobs do beside reading.
    pub work: Work,
}

/// States in one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The bucket.
    pub bucket: String,
    /// The keys.
    pub keys: Vec<String>,
    /// How they are locked.
    pub lock: Lock,
    /// The lock table, where one is used.
    pub table: Option<String>,
}

/// What jobs do beside reading.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// Plans that are applied later hold the lock.
    pub locks: bool,
    /// Plans that are applied later go through the bucket.
    pub hands_over: bool,
    /// The lock is proven with an object of its own.
    pub checks_state: bool,
    /// Repositories in which images are looked up.
    pub looks_up: BTreeSet<String>,
    /// Repositories that images are pushed to.
    pub pushes: BTreeSet<String>,
    /// Services that are deployed.
    pub deploys: BTreeSet<Slug>,
    /// Services that are put back to an earlier revision.
    pub rolls_back: BTreeSet<Slug>,
    /// Services whose revisions are listed.
    pub lists: BTreeSet<Slug>,
    /// Whether earlier versions of the record are read.
    pub reads_history: bool,
    /// Whether the newest record is read, and written again with more in it.
    pub adds_to_record: bool,
    /// Whether a job works on state.
    reads_state: bool,
}

/// A job that assumes a role: its file, its id, and what was planned.
type User<'a> = (&'a str, &'a str, &'a Job);

/// Every role that a job of the plan assumes, in the order of environments and purposes. Workflows that are disabled
/// or left to their owner are not in the plan, and so in no role.
#[must_use]
pub fn identities(project: &Project, plan: &Plan) -> Vec<Identity> {
    let mut users: BTreeMap<(usize, AwsRole), Vec<User<'_>>> = BTreeMap::new();
    for workflow in &plan.workflows {
        for (id, job) in &workflow.jobs {
            let Some(identity) = &job.identity else { continue };
            let position = project.environments.iter().position(|own| own.name == identity.environment);
            let Some(position) = position else { continue };
            users.entry((position, identity.purpose)).or_default().push((&workflow.file, id, job));
        }
    }
    users
        .into_iter()
        .filter_map(|((position, purpose), jobs)| {
            let environment = &project.environments[position];
            let models = jobs.iter().filter_map(|(file, id, _)| {
                let workflow = plan.workflows.iter().find(|workflow| workflow.file == **file)?;
                Some((*file, workflow.model.jobs.get(*id)?))
            });
            let (mut claims, mut workflows, mut minutes) = (BTreeSet::new(), BTreeSet::new(), 0);
            for (file, model) in models {
                if purpose == AwsRole::PullRequestPlan {
                    claims.insert("pull_request".to_owned());
                } else {
                    let github = model.environment.as_ref()?;
                    claims.insert(format!("environment:{}", github.name));
                    workflows
                        .insert(format!("{}/{file}@refs/heads/{}", project.repository, environment.branch));
                }
                let timeout = model.timeout_minutes.as_ref().and_then(|timeout| timeout.literal());
                minutes = minutes.max(timeout.copied().unwrap_or(u64::MAX));
            }
            let work = jobs.iter().fold(Work::default(), |work, (_, _, job)| work.and(project, &job.body));
            let role = project.role(&environment.name, purpose)?;
            let region = environment.region.clone()?;
            Some(Identity {
                environment: environment.name.clone(),
                purpose,
                role: role.clone(),
                is_existing: *role != environment.default_role(&project.name, purpose)?,
                account_id: environment.account_id.as_ref()?.to_string(),
                partition: partition(&region),
                region,
                subjects: claims.iter().flat_map(|claim| project.subjects(claim)).collect(),
                workflows: workflows.into_iter().collect(),
                session_seconds: session_seconds(u16::try_from(minutes).unwrap_or(u16::MAX)),
                state: match work.reads_state {
                    true => Some(state(project, &environment.name, purpose)?),
                    false => None,
                },
                work,
            })
        })
        .collect()
}

/// The states of an environment: those that pull requests plan, or all.
fn state(project: &Project, environment: &Slug, purpose: AwsRole) -> Option<State> {
    let terraform = project.terraform.as_ref()?;
    let stacks = if purpose == AwsRole::PullRequestPlan { &terraform.plans } else { &terraform.targets };
    let target: &EnvironmentStacks = stacks.iter().find(|target| target.environment == *environment)?;
    let setting = |stack: &StackSettings, name: &str| stack.backend.get(name).cloned();
    // Every stack of an environment has the same bucket and table: only the key may depend on the stack.
    let first = target.stacks.first()?;
    let mut keys: Vec<String> = target.stacks.iter().filter_map(|stack| setting(stack, "key")).collect();
    keys.sort_unstable();
    keys.dedup();
    Some(State {
        bucket: setting(first, "bucket")?,
        keys,
        lock: terraform.lock,
        table: setting(first, "dynamodb_table"),
    })
}

impl Work {
    /// With what one more job does.
    fn and(mut self, project: &Project, body: &Body) -> Self {
        let terraform = project.terraform.as_ref();
        let through_s3 = terraform.is_some_and(|terraform| terraform.plan_hand_off == PlanHandOff::S3);
        match body {
            Body::ImageLookup(lookup) => {
                self.looks_up.extend(lookup.credentials.is_some().then(|| lookup.image.repository.clone()));
            }
            Body::ImagePush(push) => {
                self.pushes.extend(push.credentials.is_some().then(|| push.image.repository.clone()));
            }
            Body::EcsAwait(look) => {
                self.lists.insert(look.name.clone());
            }
            Body::EcsDeploy(deploy) => {
                self.deploys.insert(deploy.name.clone());
            }
            Body::EksDeploy(deploy) => {
                self.deploys.insert(deploy.name.clone());
            }
            Body::EcsRollback(rollback) => self.rolls_back.extend(rollback.services.iter().cloned()),
            Body::EksRollback(rollback) => self.rolls_back.extend(rollback.services.iter().cloned()),
            Body::EksList(look) | Body::EksResolve(look) => self.lists.extend(look.services.iter().cloned()),
            Body::EcsList(look) | Body::EcsResolve(look) => self.lists.extend(look.services.iter().cloned()),
            Body::Smoke(smoke) => self.lists.extend(smoke.services.iter().cloned()),
            Body::AppliedHistory(_) | Body::GoldenImage(_) => {
                self.reads_state = true;
                self.reads_history = true;
            }
            Body::RecordImage(_) => {
                self.reads_state = true;
                self.adds_to_record = true;
            }
            Body::CheckState(_) => {
                self.reads_state = true;
                self.checks_state = true;
            }
            Body::ForceUnlock(_) => {
                self.reads_state = true;
                self.locks = true;
            }
            Body::TfApply(_) => {
                self.reads_state = true;
                self.locks = true;
                self.hands_over = through_s3;
            }
            Body::TfPlan(plan) => {
                self.reads_state = true;
                self.reads_history |= plan.earlier.is_some();
                if plan.hand_off.is_some() {
                    self.locks = true;
                    self.hands_over = through_s3;
                    self.checks_state = true;
                }
            }
            // What makes or removes a bucket works on the states in it.
            Body::Configure(_)
            | Body::CreateBackend(_)
            | Body::DestroyBackend(_)
            | Body::DetectDrift(_)
            | Body::OidcProbe(_)
            | Body::TerraformPlan(_) => self.reads_state = true,
            // They become nothing on AWS.
            Body::AnsibleCheck(_)
            | Body::Approval(_)
            | Body::BuildArchive(_)
            | Body::BuildImage(_)
            | Body::CdktfSynth(_)
            | Body::Changes(_)
            | Body::CodeScanning(_)
            | Body::Codecov(_)
            | Body::Coverage(_)
            | Body::Decide(_)
            | Body::DeployApproval(_)
            | Body::DeployGuard(_)
            | Body::DeploySummary(_)
            | Body::DriftReport(_)
            | Body::Gate(_)
            | Body::Metrics(_)
            | Body::NewestCommit(_)
            | Body::NodeSecurity(_)
            | Body::Notify(_)
            | Body::PackerBuild(_)
            | Body::PackerValidate(_)
            | Body::PipelineGuard(_)
            | Body::PipelineSummary(_)
            | Body::RollbackGuard(_)
            | Body::ScanImage(_)
            | Body::Security(_)
            | Body::SmokeCommand(_)
            | Body::TerraformComment(_)
            | Body::TerraformCost(_)
            | Body::TerraformScan(_)
            | Body::TerraformStatic(_)
            | Body::TestComment(_)
            | Body::TestSuite(_)
            | Body::TfAutoGuard(_)
            | Body::TfGuard(_) => {}
        }
        self
    }
}
