//! `deploy`: the services' images are tested, built, scanned, pushed and deployed, by hand.
//!
//! What is scanned, pushed and deployed is one image, known by its digest. The job that builds writes an OCI archive
//! and says the digest; the job that scans unpacks the archive, compares every blob with its name and the layout with
//! the digest, and hands Trivy the directory: Trivy reads an OCI layout as a directory, and no archive of one. The job
//! that pushes compares the digest again and keeps every byte, and the task definition names nothing else. An image
//! that went through Docker's own format, as in `build`, would get another manifest, and with it another digest.
//!
//! Every environment has jobs of its own, each with a literal `environment:`, as in `tf`. Only the jobs that push and
//! deploy hold a right, and nothing of the repository but pyfleet's scripts runs in them.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::json;

use super::Permission;
use super::body::{
    Archive, Body, BuildArchive, DeployGuard, DeploySummary, EcsDeploy, ImagePush, ImageRepository,
    ScanImage, SummarisedService, Verify,
};
use super::condition::expression;
use super::credentials::{credentials, identity};
use super::draft::{CHECK_OUT, Draft, NewJob};
use super::eks;
use super::environment_jobs::{
    READ, approval_of, aws_env, deployed_to, is_gated, one_change_of, reading_environment, without_deployment,
};
use super::notify::{self, Told};
use super::registry::{Access, moving_tags, reference};
use super::scan::{TRIVY, accepted_at, counting_from};
use super::test;
use crate::diagnostic::Path;
use crate::manifest::{AwsRole, OnFindings, Slug};
use crate::project::{EcsTarget, Environment, Image, Project, Target};
use crate::workflow::{self as model, Input, Runner};

const SUMMARISE: &[Permission] = &[Permission {
    scope: model::Scope::Actions,
    level: model::Level::Read,
    because: "read who approved the run, and how long its jobs took",
}];

/// What a run is about, for those who approve it or are told of it.
const TITLE: &str = "deploy of ${{ needs.guard.outputs.version }} to ${{ inputs.environment }}";

/// When somebody is told what became of a run.
const OUTCOME: Told =
    Told { condition: "always() && needs.guard.result == 'success'", because: "Whatever became of the run." };

pub(super) fn plan(project: &Project, draft: &mut Draft<'_>) {
    let Some(wish) = project.workflows.get(draft.name()) else { return };
    let jobs: Vec<Jobs<'_>> = project
        .environments
        .iter()
        .map(|environment| Jobs {
            project,
            environment,
            services: services(project, &wish.services, environment),
            newest: None,
        })
        .filter(|jobs| !jobs.services.is_empty())
        .collect();
    draft.start_by_hand(inputs(&jobs, &wish.phrase));
    let guard = guard(draft, &jobs, &wish.phrase);
    draft.add(guard);
    let tests = test::add_required(project, draft, &["guard"]);
    for jobs in &jobs {
        for (name, image) in jobs.images() {
            for job in [
                jobs.lookup(draft, &tests, name, image),
                jobs.build(draft, name, image),
                jobs.scan(draft, name, image),
            ] {
                draft.add(job);
            }
        }
        for job in [jobs.approve(draft), jobs.notify_waiting(draft)].into_iter().flatten() {
            draft.add(job);
        }
        for (name, image) in jobs.images() {
            let push = jobs.push(draft, name, image);
            draft.add(push);
        }
        for service in &jobs.services {
            let deploy = jobs.deploy(draft, service);
            draft.add(deploy);
        }
        let summary = jobs.summary(draft);
        draft.add(summary);
    }
    if let Some(notify) = notify::outcome(project, draft, TITLE, OUTCOME) {
        draft.add(notify);
    }
}

/// A service in one environment.
pub(super) struct Deployed<'a> {
    pub(super) name: &'a Slug,
    pub(super) image_name: &'a Slug,
    image: &'a Image,
    target: &'a Target,
}

/// The workflow's services that run in an environment.
pub(super) fn services<'a>(
    project: &'a Project,
    chosen: &[Slug],
    environment: &Environment,
) -> Vec<Deployed<'a>> {
    let wanted = project.services.iter().filter(|(name, _)| chosen.contains(name));
    wanted
        .filter_map(|(name, service)| {
            Some(Deployed {
                name,
                image_name: &service.image,
                image: project.images.get(&service.image)?,
                target: service.targets.iter().find(|target| *target.environment() == environment.name)?,
            })
        })
        .collect()
}

/// What the person who starts the workflow is asked.
fn inputs(jobs: &[Jobs<'_>], phrase: &str) -> IndexMap<String, Input> {
    let environments = jobs.iter().map(|jobs| jobs.environment.name.to_string()).collect();
    IndexMap::from([
        ("environment".to_owned(), Input::choice("Where", environments)),
        (
            "version".to_owned(),
            Input::text(
                "A second tag for the image, which never moves; empty means the commit's first 12 digits",
            ),
        ),
        ("confirm".to_owned(), Input { required: true, ..Input::text(&format!("Type {phrase} to mean it")) }),
        ("reason".to_owned(), Input::text("Why, for the record")),
    ])
}

fn guard(draft: &Draft<'_>, jobs: &[Jobs<'_>], phrase: &str) -> NewJob {
    let targets = jobs
        .iter()
        .map(|jobs| (jobs.environment.name.to_string(), json!({ "branch": jobs.environment.branch })));
    let mut model = draft.job("guard", 5);
    model.outputs = IndexMap::from([("version".to_owned(), expression("steps.guard.outputs.version"))]);
    NewJob {
        id: "guard".to_owned(),
        model,
        permissions: &[],
        because: "",
        identity: None,
        body: Body::DeployGuard(DeployGuard { targets: targets.collect(), phrase: phrase.to_owned() }),
        origin: Path::of(["workflows", draft.name().as_str()]),
    }
}

/// The jobs of one environment.
pub(super) struct Jobs<'a> {
    pub(super) project: &'a Project,
    pub(super) environment: &'a Environment,
    pub(super) services: Vec<Deployed<'a>>,
    /// The job that compared the commit with the newest of its branch, where one does.
    pub(super) newest: Option<String>,
}

impl<'a> Jobs<'a> {
    /// The images that its services run.
    fn images(&self) -> impl Iterator<Item = (&'a Slug, &'a Image)> {
        let images: BTreeMap<_, _> = self.services.iter().map(|own| (own.image_name, own.image)).collect();
        images.into_iter()
    }

    fn id(&self, job: &str, of: &Slug) -> String {
        Slug::join(&[&job, &self.environment.name, of])
    }

    fn origin(&self) -> Path {
        Path::of(["environments", self.environment.name.as_str()])
    }

    fn is_chosen(&self) -> String {
        format!("inputs.environment == '{}'", self.environment.name)
    }

    /// A job of the environment, on its runner, that talks to AWS.
    fn model(&self, draft: &Draft<'_>, job: &str, of: &Slug, timeout_minutes: u16) -> model::Job {
        let mut model = draft.job(format!("{job} {} ({of})", self.environment.name), timeout_minutes);
        model.runs_on = Some(Runner { group: None, labels: self.environment.runner.clone() });
        model.env = aws_env();
        model
    }

    /// Where an image is kept for the environment.
    fn repository(&self, image: &Image) -> ImageRepository {
        Access::of(image, self.environment).image
    }

    /// The artifact of an image.
    fn artifact(&self, name: &Slug) -> String {
        format!("image_{}_{name}", self.environment.name)
    }

    fn lookup(&self, draft: &Draft<'_>, tests: &[String], name: &Slug, image: &Image) -> NewJob {
        const MINUTES: u16 = 10;
        let mut model = self.model(draft, "look up", name, MINUTES);
        model.needs = std::iter::once("guard".to_owned()).chain(tests.iter().cloned()).collect();
        model.condition = Some(self.is_chosen());
        model.outputs = IndexMap::from([("digest".to_owned(), expression("steps.lookup.outputs.digest"))]);
        let access = Access::of(image, self.environment);
        model.environment = access.is_on_aws().then(|| reading_environment(self.environment));
        NewJob {
            id: self.id("lookup", name),
            model,
            permissions: access.reading(),
            because: "For a commit whose tests fail no registry is asked, and nothing is built.",
            identity: access.identity(AwsRole::Plan),
            body: Body::ImageLookup(access.lookup(self.project, MINUTES)),
            origin: Path::of(["images", name.as_str()]),
        }
    }

    fn build(&self, draft: &Draft<'_>, name: &Slug, image: &Image) -> NewJob {
        let lookup = self.id("lookup", name);
        let mut model =
            draft.job(format!("build {} ({name})", self.environment.name), self.project.timeout_minutes);
        model.condition = Some(format!("needs.{lookup}.outputs.digest == ''"));
        model.needs = vec![lookup];
        model.outputs = IndexMap::from([("digest".to_owned(), expression("steps.build.outputs.digest"))]);
        NewJob {
            id: self.id("build", name),
            model,
            permissions: &[CHECK_OUT],
            because: "An image of this commit is used again: a second build would be another one, and tags do not move.",
            identity: None,
            body: Body::BuildArchive(BuildArchive {
                context: image.directory.normal().to_owned(),
                dockerfile: image.dockerfile.clone(),
                platform: image.platform.clone(),
                reference: format!("{name}:{}", draft.name()),
                artifact: self.artifact(name),
                max_size: image.max_size,
                non_root: image.non_root,
            }),
            origin: Path::of(["images", name.as_str()]),
        }
    }

    fn scan(&self, draft: &Draft<'_>, name: &Slug, image: &Image) -> NewJob {
        let build = self.id("build", name);
        let mut model = draft.job(format!("scan {} ({name})", self.environment.name), 15);
        let digest = expression(&format!("needs.{build}.outputs.digest"));
        model.needs = vec![build];
        NewJob {
            id: self.id("scan", name),
            model,
            permissions: &[CHECK_OUT],
            because: "",
            identity: None,
            body: Body::ScanImage(ScanImage {
                image: self.artifact(name),
                archive: Some(Archive { digest, platform: image.platform.clone() }),
                title: format!("Image {name}"),
                artifact: format!("scan_{}_{name}", self.environment.name),
                scanner: TRIVY,
                minimum_severity: counting_from(Some(image.minimum_severity)),
                on_findings: OnFindings::Fail,
                accepted: accepted_at(self.project, &format!("images.{name}")),
                sarif: false,
                artifact_days: self.project.artifact_days,
            }),
            origin: Path::of(["images", name.as_str()]),
        }
    }

    /// Lets a job stand behind everything that has to be right before something leaves. Looking for an image stands
    /// behind the tests; each image was scanned in this run, or when it was pushed.
    fn stand_behind(&self, model: &mut model::Job) {
        let is_good = |id: &str| format!("needs.{id}.result == 'success'");
        let mut conditions = vec![self.is_chosen(), "!cancelled()".to_owned()];
        model.needs = vec!["guard".to_owned()];
        for (name, _) in self.images() {
            let (lookup, build, scan) =
                (self.id("lookup", name), self.id("build", name), self.id("scan", name));
            conditions.push(is_good(&lookup));
            conditions.push(format!("(needs.{lookup}.outputs.digest != '' || {})", is_good(&scan)));
            model.needs.extend([lookup, build, scan]);
        }
        model.condition = Some(conditions.join(" && "));
    }

    fn approval_id(&self) -> Option<String> {
        is_gated(self.environment).then(|| format!("approve-{}", self.environment.name))
    }

    /// The job that waits for the reviewers, where there are any.
    fn approve(&self, draft: &Draft<'_>) -> Option<NewJob> {
        let id = self.approval_id()?;
        let mut model = draft.job(format!("approve {}", self.environment.name), 5);
        self.stand_behind(&mut model);
        let body = approval_of(self.environment, &mut model, TITLE);
        Some(NewJob {
            id,
            model,
            permissions: &[],
            because: "The environment's reviewers agree first, in a job that holds no right and no lock. What was not built was scanned when it was pushed.",
            identity: None,
            body,
            origin: self.origin().key("approval"),
        })
    }

    /// Tells the channels that somebody is waited for.
    fn notify_waiting(&self, draft: &Draft<'_>) -> Option<NewJob> {
        self.approval_id()?;
        let body = notify::waiting(self.project, draft, TITLE)?;
        let mut model = draft.job(format!("notify before {}", self.environment.name), 5);
        self.stand_behind(&mut model);
        Some(NewJob {
            id: format!("notify-before-{}", self.environment.name),
            model,
            permissions: &[],
            because: "When the reviewers are asked.",
            identity: None,
            body,
            origin: Path::of(["notify"]),
        })
    }

    fn push(&self, draft: &Draft<'_>, name: &Slug, image: &Image) -> NewJob {
        let minutes = self.project.timeout_minutes.min(115);
        let (lookup, build) = (self.id("lookup", name), self.id("build", name));
        let mut model = self.model(draft, "push", name, minutes);
        self.stand_behind(&mut model);
        if let Some(approval) = self.approval_id() {
            let condition = model.condition.take().unwrap_or_default();
            model.condition = Some(format!("{condition} && needs.{approval}.result == 'success'"));
            model.needs.push(approval);
        }
        model.environment = Some(without_deployment(self.environment.name.to_string()));
        let access = Access::of(image, self.environment);
        model.outputs = IndexMap::from([("digest".to_owned(), expression("steps.push.outputs.digest"))]);
        NewJob {
            id: self.id("push", name),
            model,
            permissions: access.pushing(),
            because: "Nothing leaves before the tests, the scan and the reviewers have agreed. What was not built was scanned when it was pushed.",
            identity: access.identity(AwsRole::Deploy),
            body: Body::ImagePush(ImagePush {
                credentials: access.credentials(self.project, AwsRole::Deploy, minutes),
                login: access.login(),
                image: access.image,
                moving: moving_tags(self.project, image),
                artifact: self.artifact(name),
                lookup,
                build,
                approval: self.approval_id(),
                newest: self.newest.clone(),
            }),
            origin: Path::of(["images", name.as_str()]),
        }
    }

    fn deploy(&self, draft: &Draft<'_>, service: &Deployed<'_>) -> NewJob {
        let mut job = self.deploy_job(draft, service, self.id("push", service.image_name));
        let pushes: BTreeSet<String> = self.images().map(|(name, _)| self.id("push", name)).collect();
        let pushed: Vec<String> =
            pushes.iter().map(|push| format!("needs.{push}.result == 'success'")).collect();
        job.model.condition =
            Some(format!("{} && !cancelled() && {}", self.is_chosen(), pushed.join(" && ")));
        job.model.needs =
            std::iter::once("guard".to_owned()).chain(self.approval_id()).chain(pushes).collect();
        NewJob {
            because: "Everything is pushed before anything is deployed. A build that was not needed was skipped, which is no failure.",
            ..job
        }
    }

    /// The job that deploys an image which another job has pushed. Who adds it says behind what it stands.
    pub(super) fn deploy_job(&self, draft: &Draft<'_>, service: &Deployed<'_>, push: String) -> NewJob {
        match service.target {
            Target::Ecs(target) => self.deploy_to_ecs(draft, service, target, push),
            Target::Eks(target) => eks::Deployment {
                project: self.project,
                environment: self.environment,
                name: service.name,
                target,
                image: self.repository(service.image),
                push,
                approval: self.approval_id(),
                newest: self.newest.clone(),
            }
            .job(draft),
        }
    }

    fn deploy_to_ecs(
        &self,
        draft: &Draft<'_>,
        service: &Deployed<'_>,
        target: &EcsTarget,
        push: String,
    ) -> NewJob {
        let Deployed { name, image, .. } = service;
        let minutes = target.deploy_minutes();
        let mut model = self.model(draft, "deploy", name, minutes);
        model.environment = Some(deployed_to(self.environment));
        model.concurrency = Some(one_change_of(self.environment, &format!("service-{name}")));
        model.outputs = IndexMap::from(
            [
                ("previous", "steps.deploy.outputs.previous"),
                ("revision", "steps.deploy.outputs.revision"),
                ("state", "steps.deploy.outputs.state"),
                // A step that fails keeps its outputs: the target is there before anything has happened.
                (
                    "rolled_back",
                    "steps.rollback.outputs.state == 'completed' && steps.rollback.outputs.revision || ''",
                ),
                (
                    "rollback",
                    "steps.rollback.outputs.state || (steps.rollback.outcome == 'failure' && 'unknown' || '')",
                ),
                ("live", "steps.rollback.outputs.live"),
            ]
            .map(|(name, value)| (name.to_owned(), expression(value))),
        );
        NewJob {
            id: self.id("deploy", name),
            model,
            permissions: READ,
            because: "",
            identity: Some(identity(target, AwsRole::Deploy)),
            body: Body::EcsDeploy(EcsDeploy {
                name: (*name).clone(),
                credentials: credentials(self.project, target, AwsRole::Deploy, minutes),
                cluster: target.cluster.clone(),
                service: target.service.clone(),
                container: target.container.clone(),
                task_definition: target.task_definition.clone(),
                task_role: target.task_role.clone(),
                execution_role: target.execution_role.clone(),
                image: self.repository(image),
                push,
                approval: self.approval_id(),
                newest: self.newest.clone(),
                verify: target.health.as_ref().map(Verify::from),
                verify_minutes: target.health.as_ref().map(|health| health.minutes() + 1),
            }),
            origin: Path::of(["services", name.as_str()]),
        }
    }

    fn summary(&self, draft: &Draft<'_>) -> NewJob {
        let services = self.services.iter().map(|own| SummarisedService {
            name: own.name.to_string(),
            image: reference(&self.repository(own.image)),
            push: self.id("push", own.image_name),
            deploy: self.id("deploy", own.name),
            goes_back: match own.target {
                Target::Ecs(_) => true,
                Target::Eks(target) => target.auto_rollback,
            },
        });
        let body =
            DeploySummary { environment: self.environment.name.to_string(), services: services.collect() };
        let mut model = draft.job(format!("summary {}", self.environment.name), 5);
        let jobs: BTreeSet<String> =
            body.services.iter().flat_map(|own| [own.push.clone(), own.deploy.clone()]).collect();
        model.needs = std::iter::once("guard".to_owned()).chain(jobs).collect();
        model.condition =
            Some(format!("always() && needs.guard.result == 'success' && {}", self.is_chosen()));
        NewJob {
            id: format!("summary-{}", self.environment.name),
            model,
            permissions: SUMMARISE,
            because: "Whatever became of the run.",
            identity: None,
            body: Body::DeploySummary(body),
            origin: self.origin(),
        }
    }
}
