//! Terraform's section: stacks, version, environments, and what the levels that read and write the cloud need.

mod services;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use pyfleet_core::manifest::{RelativePath, Tool};
use pyfleet_core::secret::secrets_in;
use serde::Serialize;

pub(super) use self::version::of as version_of;
use super::names::Names;
use super::packer::Packer;
use super::{Guesses, Said, is_slug, plain};
use crate::survey::terraform::{Backend, LockFile, Stack as Seen, Terraform as SeenTerraform};
use crate::survey::tree::{directory_of, name_of};
use crate::survey::{Notes, Survey};

/// As many stacks are proposed.
const MOST: usize = 100;

/// Names that environments have, in the order in which a change goes through them.
const ENVIRONMENTS: &[&[&str]] = &[
    &["sandbox", "lab", "dev", "develop", "development"],
    &["test", "testing", "qa", "int", "integration"],
    &["stage", "staging", "uat", "preprod", "pre-prod"],
    &["live", "prod", "prd", "production"],
];

/// Directories that variable files of environments lie in.
const DIRECTORIES: &[&str] = &["env", "envs", "environment", "environments"];

#[derive(Serialize)]
pub(super) struct Terraform {
    is_tofu: bool,
    version: Said,
    /// The only stack's directory, where nothing else is to be said of it.
    directory: Option<String>,
    stacks: Vec<Stack>,
    /// What reading the cloud needs; nothing where pyfleet cannot.
    pub(super) state: Option<State>,
    /// Directories of the stacks, and their names.
    #[serde(skip)]
    names: BTreeMap<String, String>,
}

impl Terraform {
    /// The name of the stack in a directory, where there are several.
    pub(super) fn name_of(&self, directory: &str) -> Option<String> {
        self.names.get(directory).filter(|_| self.names.len() > 1).cloned()
    }
}

#[derive(Serialize)]
struct Stack {
    name: String,
    directory: String,
    /// The environments it is in, where these are not all.
    environments: Vec<String>,
    var_files: Vec<String>,
    /// The variable that takes the environment's name.
    environment_variable: Option<String>,
    /// Others without a default.
    variables: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct State {
    bucket: Said,
    key: Said,
    /// The lock's kind, where it is not the default.
    lock: Option<&'static str>,
    lock_table: Option<String>,
    /// Why pull requests have to be planned nowhere; nothing where there is a choice, or none to make.
    not_planned: Option<&'static str>,
}

/// The environments that variable files and directories name, in promotion order.
pub(super) fn environments(terraform: &SeenTerraform, guesses: &mut Guesses) -> Vec<String> {
    let mut found: BTreeSet<(usize, String)> = BTreeSet::new();
    for stack in &terraform.stacks {
        let named = stack.var_files.iter().filter_map(|path| environment_of(path).map(|(name, _)| name));
        found.extend(named.chain(directory_environment(&stack.directory)).map(|name| (rank(&name), name)));
    }
    let environments: Vec<String> = found.into_iter().map(|(_, name)| name).take(20).collect();
    if !environments.is_empty() {
        guesses.say("environments", &environments.join(", "), "variable files and directories are named so");
    }
    environments
}

/// Where a name stands in the order of promotion; unknown ones before production.
fn rank(name: &str) -> usize {
    let first = name.split('-').next().unwrap_or(name);
    match ENVIRONMENTS.iter().position(|names| names.contains(&name) || names.contains(&first)) {
        Some(position) if position + 1 == ENVIRONMENTS.len() => usize::MAX,
        Some(position) => position,
        None => ENVIRONMENTS.len(),
    }
}

fn is_environment(name: &str) -> bool {
    is_slug(name) && rank(name) != ENVIRONMENTS.len() && !is_kept(name)
}

/// Names that pyfleet keeps for the environments that belong to another.
fn is_kept(name: &str) -> bool {
    ["-plan", "-approval", "-backend"].iter().any(|end| name.ends_with(end))
}

/// The environment that a variable file is for, and the path with `{environment}` in its place.
fn environment_of(path: &str) -> Option<(String, String)> {
    let (directory, file) = (directory_of(path), name_of(path));
    let name = file.strip_suffix(".tfvars")?;
    let in_place = |directory: &str| DIRECTORIES.contains(&name_of(directory));
    if is_environment(name) || (in_place(directory) && is_slug(name) && !is_kept(name)) {
        let pattern = if directory == "." { String::new() } else { format!("{directory}/") };
        return Some((name.to_owned(), format!("{pattern}{{environment}}.tfvars")));
    }
    let above = directory_of(directory);
    let last = name_of(directory);
    if directory != "." && (is_environment(last) || (in_place(above) && is_slug(last) && !is_kept(last))) {
        let pattern = if above == "." { String::new() } else { format!("{above}/") };
        return Some((last.to_owned(), format!("{pattern}{{environment}}/{file}")));
    }
    None
}

/// The environment that a stack's directory is for: what stands behind `envs`, or else a whole name. `live` is what
/// some call the directory of all of them.
fn directory_environment(directory: &str) -> Option<String> {
    let parts: Vec<&str> = directory.split('/').collect();
    let behind = parts.windows(2).find(|pair| DIRECTORIES.contains(&pair[0])).map(|pair| pair[1]);
    let is_whole = |part: &&&str| **part != "live" && ENVIRONMENTS.iter().any(|names| names.contains(*part));
    let name = behind.or_else(|| parts.iter().find(is_whole).copied())?;
    (is_slug(name) && !is_kept(name)).then(|| name.to_owned())
}

pub(super) fn propose(
    survey: &Survey,
    project: &str,
    environments: &[String],
    packer: Option<&Packer>,
    guesses: &mut Guesses,
    notes: &mut Notes,
) -> Option<Terraform> {
    let seen = &survey.terraform;
    if seen.stacks.is_empty() {
        return None;
    }
    if seen.stacks.len() > MOST {
        notes.add(format!("only the first {MOST} directories of Terraform are stacks"));
    }
    let version = version::propose(seen, guesses, notes);
    let mut names = Names::default();
    let taken: Vec<&Seen> = seen.stacks.iter().take(MOST).collect();
    let mut stacks: Vec<Stack> = taken
        .iter()
        .map(|stack| of_stack(stack, project, taken.len(), environments, &mut names, notes))
        .collect();
    let by_directory = stacks.iter().map(|stack| (stack.directory.clone(), stack.name.clone())).collect();
    if let Some(packer) = packer {
        // The pipeline hands it over.
        for stack in stacks.iter_mut().filter(|stack| stack.directory == packer.takes.0) {
            stack.variables.retain(|name| *name != packer.takes.1);
        }
    }
    let tool = if seen.is_tofu { Tool::OpenTofu } else { Tool::Terraform };
    for stack in &taken {
        report_lock(stack, tool, notes);
    }
    let mut state = state(survey, &taken, &stacks, environments, &version.value, notes);
    if let Some(state) = &mut state {
        state.not_planned = match packer {
            Some(_) => Some("a pull request's plan would not know the golden image"),
            None if environments.len() < 2 => {
                Some("or `all`: a plan runs a pull request's code with a role that reads the environment")
            }
            None => None,
        };
    }
    let is_simple = |stack: &Stack| {
        stack.environments.is_empty()
            && stack.var_files.is_empty()
            && stack.environment_variable.is_none()
            && stack.variables.is_empty()
    };
    let directory = match stacks.as_slice() {
        [only] if is_simple(only) => Some(only.directory.clone()),
        _ => None,
    };
    if directory.is_some() {
        stacks.clear();
    }
    Some(Terraform { is_tofu: seen.is_tofu, version, directory, stacks, state, names: by_directory })
}

fn of_stack(
    seen: &Seen,
    project: &str,
    number: usize,
    environments: &[String],
    names: &mut Names,
    notes: &mut Notes,
) -> Stack {
    let name = if number == 1 { names.take(project, "stack") } else { names.take(&seen.directory, "stack") };
    let mut patterns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut others = Vec::new();
    for path in &seen.var_files {
        match environment_of(path) {
            Some((environment, pattern)) => {
                patterns.entry(pattern).or_default().insert(environment);
            }
            None => others.push(path.clone()),
        }
    }
    if !others.is_empty() {
        let example = &others[0];
        notes.add(format!(
            "variable files in `{}` that name no environment were left out, such as `{example}`",
            seen.directory
        ));
    }
    let own = directory_environment(&seen.directory);
    // A file has to be there for every environment of the stack: those of a pattern, or of the directory.
    let mut in_environments: Vec<String> = match &own {
        Some(own) => vec![own.clone()],
        None => environments
            .iter()
            .filter(|name| patterns.is_empty() || patterns.values().any(|own| own.contains(*name)))
            .cloned()
            .collect(),
    };
    let complete = |names: &BTreeSet<String>| in_environments.iter().all(|name| names.contains(name));
    let (whole, partial): (Vec<_>, Vec<_>) = patterns.into_iter().partition(|(_, names)| complete(names));
    for (pattern, _) in &partial {
        notes.add(format!(
            "`{pattern}` in `{}` is not there for every environment, and was left out",
            seen.directory
        ));
    }
    if in_environments.len() == environments.len() {
        in_environments.clear();
    }
    let is_environment = |name: &&String| {
        matches!(name.as_str(), "env" | "environment" | "env_name" | "environment_name" | "stage")
    };
    let environment_variable = seen.variables.iter().find(is_environment).cloned();
    let variables =
        seen.variables.iter().filter(|name| environment_variable.as_ref() != Some(name)).take(30).cloned();
    Stack {
        name,
        directory: seen.directory.clone(),
        environments: in_environments,
        var_files: whole.into_iter().map(|(pattern, _)| pattern).collect(),
        variables: variables.collect(),
        environment_variable,
    }
}

fn report_lock(stack: &Seen, tool: Tool, notes: &mut Notes) {
    let directory = &stack.directory;
    let tool = tool.command();
    let command = format!(
        "`{tool} -chdir={directory} providers lock -platform=linux_amd64 -platform=darwin_arm64` writes it, and it \
         has to be committed: `init` runs with `-lockfile=readonly`"
    );
    match &stack.lock {
        LockFile::Present | LockFile::NotNeeded => {}
        LockFile::Absent => notes.add(format!("`{directory}` has no `.terraform.lock.hcl`: {command}")),
        LockFile::Ignored(line) => {
            notes
                .add(format!("`{directory}/.terraform.lock.hcl` is ignored by `{}`: {command}", plain(line)));
        }
    }
}

fn state(
    survey: &Survey,
    seen: &[&Seen],
    stacks: &[Stack],
    environments: &[String],
    version: &str,
    notes: &mut Notes,
) -> Option<State> {
    let backends: Vec<&Backend> = seen.iter().filter_map(|stack| stack.backend.as_ref()).collect();
    if let Some(other) = backends.iter().find(|backend| backend.kind != "s3") {
        notes.add(format!("state is kept in `{}`: pyfleet reads and writes state in S3 alone, so that levels 3 and 4 are left out", plain(&other.kind)));
        return None;
    }
    let is_aws = seen.iter().any(|stack| stack.is_aws)
        || survey.terraform.resources.iter().any(|kind| kind.starts_with("aws_"));
    if backends.is_empty() && !is_aws {
        notes.add("nothing says that this Terraform is for AWS: levels 3 and 4 are left out".to_owned());
        return None;
    }
    for stack in seen.iter().filter(|stack| stack.backend.is_none()) {
        notes.add(format!(
            "`{}` has no backend: from level 3 its `terraform` block needs `backend \"s3\" {{}}`",
            stack.directory
        ));
    }
    let (lock, lock_table) = lock(&backends, version);
    Some(State {
        bucket: bucket(&backends),
        key: key(seen, stacks, environments),
        lock,
        lock_table,
        not_planned: None,
    })
}

/// Whether a text is an exact version.
pub(super) fn is_version(text: &str) -> bool {
    version::parts(text).is_some()
}

/// The services that resources belong to. What is not known about them is a note.
pub(super) fn services_of(seen: &SeenTerraform, notes: &mut Notes) -> Vec<String> {
    let (services, unknown) = services::of(&seen.resources);
    if !unknown.is_empty() {
        notes.add(format!(
            "which service these resources belong to is not known, so add it to `aws.services`: {}",
            unknown.iter().take(10).map(|kind| plain(kind)).collect::<Vec<_>>().join(", ")
        ));
    }
    for source in seen.remote_modules.iter().take(10) {
        notes.add(format!("the module `{}` lies elsewhere: what it makes is not known here", plain(source)));
    }
    services
}

/// The region, and how it is known.
pub(super) fn region(seen: &SeenTerraform) -> Option<(String, &'static str)> {
    seen.stacks.iter().find_map(|stack| {
        let of_backend = stack.backend.as_ref().and_then(|backend| backend.region.clone());
        let known = match of_backend {
            Some(region) => (region, "the backend's"),
            None => (stack.region.clone()?, "the one in the configuration"),
        };
        Some(known).filter(|(region, _)| is_region(region))
    })
}

fn bucket(backends: &[&Backend]) -> Said {
    let seen: BTreeSet<&str> = backends
        .iter()
        .filter_map(|backend| backend.bucket.as_deref())
        .filter(|name| is_bucket(name))
        .collect();
    let mut seen = seen.into_iter();
    match (seen.next(), seen.next()) {
        (Some(only), None) => Said { value: only.to_owned(), because: "the backend's".to_owned() },
        (None, _) => Said {
            value: "BUCKET".to_owned(),
            because: "lower-case; {environment}, {account-id} and {region} are filled in".to_owned(),
        },
        (Some(first), Some(second)) => Said {
            value: "BUCKET".to_owned(),
            because: format!("the backends have several: {first}, {second}; {{environment}} is filled in"),
        },
    }
}

/// The one key that is every stack's, with placeholders in the place of names; the usual one where there is none.
fn key(seen: &[&Seen], stacks: &[Stack], environments: &[String]) -> Said {
    let mut patterns = BTreeSet::new();
    let mut known = 0;
    for (seen, stack) in seen.iter().zip(stacks) {
        let Some(key) =
            seen.backend.as_ref().and_then(|backend| backend.key.as_deref()).filter(|key| is_key(key))
        else {
            continue;
        };
        known += 1;
        let environment = directory_environment(&seen.directory);
        let parts = key.split('/').map(|part| {
            let (stem, end) =
                part.split_once('.').map_or((part, String::new()), |(stem, end)| (stem, format!(".{end}")));
            if environment.as_deref() == Some(stem) || environments.iter().any(|name| name == stem) {
                format!("{{environment}}{end}")
            } else if seen_stack(stem, stack) && stacks.len() > 1 {
                format!("{{stack}}{end}")
            } else {
                part.to_owned()
            }
        });
        patterns.insert(parts.collect::<Vec<_>>().join("/"));
    }
    let tells_apart = |key: &&String| {
        (stacks.len() < 2 || key.contains("{stack}"))
            && (environments.len() < 2 || key.contains("{environment}"))
    };
    let only = patterns.first().filter(|_| patterns.len() == 1).filter(tells_apart);
    if let Some(only) = only {
        return Said { value: only.clone(), because: "the backend's".to_owned() };
    }
    let usual = "{environment}/{stack}.tfstate".to_owned();
    let because = if known == 0 {
        "the usual one"
    } else {
        "the backends have others: move the states, or name theirs"
    };
    Said { value: usual, because: because.to_owned() }
}

fn seen_stack(stem: &str, stack: &Stack) -> bool {
    stem == stack.name || stem == name_of(&stack.directory)
}

/// How state is locked, as the backends say. The lock file beside the state came with 1.10.
fn lock(backends: &[&Backend], version: &str) -> (Option<&'static str>, Option<String>) {
    let is_table = |table: &&str| {
        (3..=255).contains(&table.len())
            && table.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let table = backends
        .iter()
        .find_map(|backend| backend.table.as_deref().filter(is_table).filter(|table| is_safe(table)));
    let has_file = backends.iter().any(|backend| backend.lock_file);
    let knows_file = version::parts(version).is_some_and(|version| version >= (1, 10, 0));
    match (table, knows_file, has_file) {
        (Some(table), true, true) => (Some("both"), Some(table.to_owned())),
        (Some(table), ..) => (Some("dynamodb"), Some(table.to_owned())),
        (None, true, _) => (None, None),
        (None, false, _) => (Some("dynamodb"), Some("LOCK_TABLE".to_owned())),
    }
}

fn is_safe(text: &str) -> bool {
    secrets_in(text).is_empty() && !text.contains(['{', '}', '$'])
}

fn is_bucket(name: &str) -> bool {
    (3..=63).contains(&name.len())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.ends_with(|last: char| last.is_ascii_alphanumeric())
        && !name.contains("..")
        && is_safe(name)
}

fn is_key(key: &str) -> bool {
    key.len() <= 200
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
        && RelativePath::try_from(key.to_owned()).is_ok()
        && !key.ends_with('/')
        && !key.starts_with("_plans/")
        && !key.starts_with("_pyfleet/")
        && is_safe(key)
}

fn is_region(region: &str) -> bool {
    pyfleet_core::manifest::Region::try_from(region.to_owned()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{directory_environment, environment_of, rank};

    #[test]
    fn environments_by_the_names_of_files() {
        let of = |path: &str| environment_of(path).map(|(name, pattern)| format!("{name}: {pattern}"));
        for (path, found) in [
            ("dev.tfvars", Some("dev: {environment}.tfvars")),
            ("envs/blue.tfvars", Some("blue: envs/{environment}.tfvars")),
            ("envs/prod/terraform.tfvars", Some("prod: envs/{environment}/terraform.tfvars")),
            ("prod-eu.tfvars", Some("prod-eu: {environment}.tfvars")),
            ("network.tfvars", None),
            ("vars/common.tfvars", None),
            ("prod-plan.tfvars", None),
            ("envs/Dev.tfvars", None),
        ] {
            assert_eq!(of(path).as_deref(), found, "{path}");
        }
    }

    #[test]
    fn environments_by_the_names_of_directories() {
        for (path, found) in [
            ("infra/envs/dev/network", Some("dev")),
            ("environments/blue", Some("blue")),
            ("live/prod/app", Some("prod")),
            ("sandbox-broker", None),
            ("infra/app", None),
            (".", None),
        ] {
            assert_eq!(directory_environment(path).as_deref(), found, "{path}");
        }
    }

    #[test]
    fn production_comes_last() {
        let mut names = ["prod", "eu", "dev", "staging", "qa"];
        names.sort_by_key(|name| rank(name));
        assert_eq!(names, ["dev", "qa", "staging", "eu", "prod"]);
    }
}
