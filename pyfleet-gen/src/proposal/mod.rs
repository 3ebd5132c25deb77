//! From what was seen to what the manifest says: facts as they are, guesses with their reasons, and the levels that
//! could be next. Laid out by `docs/pyfleet.yml.j2`.

mod ansible;
mod cdktf;
mod images;
mod names;
mod packer;
mod pipeline;
mod services;
mod terraform;
mod tests;

use pyfleet_core::manifest::{Kind, Repository, Slug};
use serde::Serialize;

use self::ansible::Ansible;
use self::cdktf::Cdktf;
use self::images::{Image, Registry};
use self::names::slug;
use self::packer::Packer;
use self::pipeline::Stages;
use self::services::{Check, Service};
use self::terraform::Terraform;
use self::tests::TestGroup;
use crate::report::single_line;
use crate::survey::{Notes, Survey};

/// What the manifest says.
#[derive(Serialize)]
pub(crate) struct Proposal {
    project: Said,
    repository: Said,
    default_branch: Option<Said>,
    environments: Vec<String>,
    /// Whether a name of a file or directory says so.
    are_named: bool,
    terraform: Option<Terraform>,
    cdktf: Option<Cdktf>,
    packer: Option<Packer>,
    ansible: Option<Ansible>,
    tests: Vec<TestGroup>,
    security: Security,
    registries: Vec<Registry>,
    images: Vec<Image>,
    services: Vec<Service>,
    /// What a pipeline asks once everything is deployed.
    checks: Vec<Check>,
    /// What reading or writing the cloud needs; nothing where there is no reason to.
    cloud: Option<Cloud>,
    /// The levels that add a workflow, in order.
    pub(crate) levels: Vec<u8>,
    workflows: Vec<Wish>,
    /// What was guessed, and why, for the report.
    #[serde(skip)]
    pub(crate) guesses: Vec<String>,
    /// What was left out, and why.
    #[serde(skip)]
    pub(crate) notes: Notes,
}

/// A value, and how it is known.
#[derive(Serialize, Clone)]
pub(crate) struct Said {
    value: String,
    because: String,
}

/// The account, as far as it is known.
#[derive(Serialize)]
struct Cloud {
    region: Said,
    /// What an apply may touch.
    services: Vec<String>,
}

/// One workflow: from which level, under which name.
#[derive(Serialize)]
struct Wish {
    level: u8,
    /// Whether it is the first of a level that comes later.
    is_next: bool,
    name: String,
    kind: &'static str,
    /// What only a person can say, with places to fill in.
    asks: Option<&'static str>,
    /// A pipeline's stages.
    stages: Option<String>,
}

/// Linters that are switched on, and those that could be.
#[derive(Serialize, Default)]
struct Security {
    flake8: bool,
    bandit: bool,
    /// Whether every Python group installs from a requirements file, which the audit reads.
    can_audit: bool,
    has_python: bool,
}

impl Proposal {
    /// What a survey suggests. `directory` is the name of the repository's directory.
    pub(crate) fn of(survey: &Survey, directory: &str) -> Self {
        let mut guesses = Guesses::default();
        let mut notes = Notes::default();
        let repository = repository(survey, directory, &mut guesses, &mut notes);
        let name = repository.value.rsplit_once('/').map_or(directory, |(_, name)| name);
        let project = Said {
            value: slug(name).or_else(|| slug(directory)).unwrap_or_else(|| "project".to_owned()),
            because: "part of the names of roles: a change later makes new ones".to_owned(),
        };
        let default_branch = survey
            .git
            .branch
            .as_ref()
            .filter(|(name, _)| name != "main")
            .map(|(name, because)| guesses.say("github.default-branch", name, because));
        let mut environments = terraform::environments(&survey.terraform, &mut guesses);
        let are_named = !environments.is_empty();
        if !are_named && !survey.packer.is_empty() && !survey.terraform.stacks.is_empty() {
            environments.push("production".to_owned());
            guesses.say(
                "environments",
                "production",
                "the build of an image is one's, and nothing names another",
            );
        }
        let mut packer = packer::propose(survey, &environments, &mut guesses, &mut notes);
        let terraform = terraform::propose(
            survey,
            &project.value,
            &environments,
            packer.as_ref(),
            &mut guesses,
            &mut notes,
        );
        if let (Some(packer), Some(terraform)) = (&mut packer, &terraform) {
            packer.settle(terraform);
        }
        let ansible = ansible::propose(survey, terraform.as_ref(), packer.as_ref(), &mut guesses, &mut notes);
        let mut cdktf = cdktf::propose(survey, &project.value, &mut guesses, &mut notes);
        let tests = tests::propose(survey, &mut guesses, &mut notes);
        let mut images = images::propose(survey, &project.value, &repository.value, &mut notes);
        let mut services = services::propose(survey, &mut images, &mut notes);
        if let Some(cdktf) = &mut cdktf {
            hand_over(cdktf, &mut images, &mut services);
        }
        images::say(&images, &mut guesses);
        let security = security(survey, &tests, &mut guesses);
        let can_read = terraform.as_ref().is_some_and(|terraform| terraform.state.is_some());
        let cloud = (can_read || cdktf.is_some() || !services.is_empty())
            .then(|| cloud(survey, can_read, &mut guesses, &mut notes));
        let checks: Vec<Check> = services.iter().filter_map(Service::check).cloned().collect();
        let deployed: Vec<String> = services
            .iter()
            .filter(|service| !service.is_awaited())
            .map(|service| service.name().to_owned())
            .collect();
        let has_machines = can_read && (packer.is_some() || ansible.is_some());
        let stages = Stages {
            tests: !tests.is_empty(),
            security: security.flake8 || security.bandit,
            images: images.iter().any(|image| image.registry().is_some()),
            golden_image: packer.is_some() && can_read,
            terraform: can_read || cdktf.is_some(),
            is_limited: deployed.len() < services.len(),
            configure: ansible.is_some() && can_read,
            smoke: !checks.is_empty(),
            deploy: deployed,
        };
        let has_deploy = !stages.deploy.is_empty();
        let has_pipeline = has_deploy || has_machines || cdktf.is_some();
        // Only a pipeline knows which golden image a plan is for.
        let is_by_hand = can_read && packer.is_none();
        let kinds: Vec<(u8, Kind)> = [
            (1, Kind::Test, !tests.is_empty() || packer.is_some() || ansible.is_some()),
            (1, Kind::Terraform, terraform.is_some()),
            (2, Kind::Build, !images.is_empty()),
            (3, Kind::CheckState, is_by_hand || cdktf.is_some()),
            (3, Kind::TestOidc, can_read || cdktf.is_some()),
            (3, Kind::TfDrift, is_by_hand),
            (4, Kind::Tf, is_by_hand),
            (4, Kind::Deploy, has_deploy),
            // What a stack of CDKTF deploys, it would put back at its next apply.
            (4, Kind::Rollback, can_read || has_deploy),
            (4, Kind::Metrics, has_pipeline),
            (4, Kind::Pipeline, has_pipeline),
            // Of two workflows that apply the same stacks on the same push, one is too many.
            (5, Kind::TfAuto, is_by_hand && !has_pipeline),
        ]
        .into_iter()
        .filter(|(.., wanted)| *wanted)
        .map(|(level, kind, _)| (level, kind))
        .collect();
        let mut workflows: Vec<Wish> =
            kinds.iter().map(|(level, kind)| wish(survey, *level, *kind, &mut notes)).collect();
        let mut last = 1;
        for wish in &mut workflows {
            wish.is_next = wish.level > last;
            last = wish.level;
        }
        let mut levels: Vec<u8> = kinds.iter().map(|(level, _)| *level).collect();
        if let Some(wish) = workflows.iter_mut().find(|wish| wish.kind == Kind::Pipeline.name()) {
            wish.stages = Some(stages.list());
            levels.push(5);
        }
        levels.dedup();
        let mut registries: Vec<Registry> = images.iter().filter_map(Image::registry).collect();
        registries.sort_unstable();
        registries.dedup();
        Self {
            project,
            repository,
            default_branch,
            environments,
            are_named,
            terraform,
            cdktf,
            packer,
            ansible,
            tests,
            security,
            registries,
            images,
            services,
            checks,
            cloud,
            levels,
            workflows,
            guesses: guesses.0,
            notes,
        }
    }

    /// The workflow that a push starts, too, from the last level on.
    pub(crate) fn started_by_a_push(&self) -> Option<String> {
        self.workflows.iter().find(|wish| wish.stages.is_some()).map(|wish| format!("{}.yml", wish.name))
    }

    /// The workflows that a level adds, by file name.
    pub(crate) fn added_at(&self, level: u8) -> Vec<String> {
        self.workflows
            .iter()
            .filter(|wish| wish.level == level)
            .map(|wish| format!("{}.yml", wish.name))
            .collect()
    }
}

/// What was guessed, for the report.
#[derive(Default)]
struct Guesses(Vec<String>);

impl Guesses {
    fn say(&mut self, key: &str, value: &str, because: &str) -> Said {
        self.0.push(format!("{key}: {value} ({because})"));
        Said { value: value.to_owned(), because: because.to_owned() }
    }
}

fn repository(survey: &Survey, directory: &str, guesses: &mut Guesses, notes: &mut Notes) -> Said {
    if let Some(remote) = &survey.git.remote {
        match remote.host.as_str() {
            "github.com" => {}
            alias if !alias.contains('.') => notes.add(format!(
                "the remote's host `{alias}` is a name of ssh's own configuration, and is taken for github.com"
            )),
            host => notes.add(format!(
                "the remote is on {host}: what is rendered is for github.com; GitHub Enterprise Server is not served yet"
            )),
        }
        return Said { value: remote.slug.clone(), because: format!("the remote `{}`", plain(&remote.name)) };
    }
    let name = slug(directory).unwrap_or_else(|| "project".to_owned());
    let name = Repository::try_from(format!("OWNER/{name}"))
        .map_or_else(|_| "OWNER/NAME".to_owned(), |it| it.to_string());
    guesses.say("github.repository", &name, "git names no remote: put the owner and the name here")
}

fn security(survey: &Survey, tests: &[TestGroup], guesses: &mut Guesses) -> Security {
    let mut security = Security {
        has_python: tests.iter().any(TestGroup::is_python),
        can_audit: tests.iter().filter(|group| group.is_python()).all(TestGroup::has_requirements),
        ..Security::default()
    };
    let has = |linter: &str| survey.python.iter().any(|project| project.linters.contains(linter));
    if security.has_python && has("flake8") {
        security.flake8 = true;
        guesses.say("security", "flake8", "its settings are here");
    }
    if security.has_python && has("bandit") {
        security.bandit = true;
        guesses.say("security", "bandit", "its settings are here");
    }
    security
}

fn cloud(survey: &Survey, can_read: bool, guesses: &mut Guesses, notes: &mut Notes) -> Cloud {
    let region = match terraform::region(&survey.terraform) {
        Some((region, because)) => guesses.say("aws.region", &region, because),
        None => Said { value: "REGION".to_owned(), because: "as in eu-central-1".to_owned() },
    };
    let services = if can_read { terraform::services_of(&survey.terraform, notes) } else { Vec::new() };
    Cloud { region, services }
}

/// What a program of CDKTF gets to know of the images, and what of them its stack deploys.
fn hand_over(cdktf: &mut Cdktf, images: &mut [Image], services: &mut Vec<Service>) {
    let is_its = services.is_empty() && cdktf.deploys();
    if is_its {
        services.extend(services::awaited(images));
    }
    let pushed = images.iter().filter(|image| image.registry().is_some());
    let handed = pushed.map(|image| format!("IMAGE_{}", image.name().to_uppercase().replace('-', "_")));
    let awaited = services.iter().filter(|service| service.is_awaited());
    let awaits: Vec<String> = awaited.map(|service| service.name().to_owned()).collect();
    // Where others deploy the images, no plan has to have them.
    let has_any = !services.is_empty();
    cdktf.hand(handed.collect(), has_any.then_some(awaits));
}

/// A file that is there already keeps its name: pyfleet overwrites nothing that it did not write.
fn wish(survey: &Survey, level: u8, kind: Kind, notes: &mut Notes) -> Wish {
    let is_taken = |name: &str| {
        let file = format!(".github/workflows/{name}.yml");
        survey.workflows.iter().any(|existing| existing.path.eq_ignore_ascii_case(&file))
    };
    let mut names = vec![kind.name().to_owned(), format!("pyfleet-{}", kind.name())];
    names.extend((2..100).map(|number| format!("pyfleet-{}-{number}", kind.name())));
    let name = names.iter().find(|name| !is_taken(name)).cloned().unwrap_or_default();
    if name != kind.name() {
        notes.add(format!(
            "`.github/workflows/{}.yml` is there already: pyfleet's own is called `{name}` (once that is tried, name it \
             `{}`, and `pyfleet-gen render --adopt` replaces the old one)",
            kind.name(),
            kind.name()
        ));
    }
    // Whoever lets something write unasked says why, and who answers for it.
    let asks = (kind == Kind::TfAuto).then_some("auto: { reason: REASON, owner: OWNER }");
    Wish { level, is_next: false, name, kind: kind.name(), asks, stages: None }
}

/// A text of the repository's as it can stand in a comment or in a line of the report.
pub(crate) fn plain(text: &str) -> String {
    let shown = single_line(text);
    let mut short: String = shown.chars().take(100).collect();
    if short.len() < shown.len() {
        short.push('…');
    }
    short
}

/// Whether a name could be one in the manifest.
fn is_slug(text: &str) -> bool {
    Slug::try_from(text.to_owned()).is_ok()
}
