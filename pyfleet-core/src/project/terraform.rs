//! Stacks, state and pull-request plans as they are meant.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value as Json;

use super::environment::Environment;
use super::{defaults, placeholder};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{
    self, AwsRole, GitHubName, Lock, Manifest, OnFindings, PullRequestPlan, Reference, RelativePath,
    SafetyLevel, Severity, Slug, Tool, Value,
};

/// Infrastructure as code.
#[derive(Debug, Clone)]
pub struct Terraform {
    /// The command.
    pub tool: Tool,
    /// Its exact version.
    pub version: String,
    /// Whether that version can run tests: 1.6 and later.
    pub has_tests: bool,
    /// The security scan.
    pub scan: Scan,
    /// Stacks by name; at least one.
    pub stacks: BTreeMap<Slug, Stack>,
    /// What pull requests are planned against; empty below level 3.
    pub plans: Vec<EnvironmentPlan>,
    /// What is left out of these plans, and why.
    pub not_planned: Vec<NotPlanned>,
}

/// The security scan of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Scan {
    /// The lowest severity that counts.
    pub minimum_severity: Severity,
    /// Whether findings stop the pull request.
    pub on_findings: OnFindings,
}

/// One stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its directory.
    pub directory: RelativePath,
    /// What else changes it: variable files outside of the directory.
    pub var_files: Vec<String>,
}

/// The pull-request plan of one environment.
#[derive(Debug, Clone)]
pub struct EnvironmentPlan {
    /// The environment.
    pub environment: Slug,
    /// The runner.
    pub runner: Vec<String>,
    /// The account that credentials must belong to.
    pub account_id: String,
    /// The region.
    pub region: String,
    /// The role that pull requests assume.
    pub role: Role,
    /// The stacks that are planned; at least one.
    pub stacks: Vec<StackPlan>,
}

/// A role: its ARN, or the GitHub variable that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The ARN.
    Arn(String),
    /// The variable.
    Variable(GitHubName),
}

/// The plan of one stack in one environment: what the job needs to know, and no more.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StackPlan {
    /// The stack.
    pub stack: String,
    /// Its directory.
    pub directory: String,
    /// Settings of the S3 backend.
    pub backend: BTreeMap<&'static str, String>,
    /// Values of input variables.
    pub variables: BTreeMap<String, VariableValue>,
    /// Variable files, relative to the directory.
    pub var_files: Vec<String>,
}

/// A value of an input variable.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum VariableValue {
    /// A variable that GitHub holds; the text, or a list split at commas.
    Held {
        /// Its name.
        variable: String,
        /// `list` where the text is split.
        #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
        form: Option<&'static str>,
    },
    /// A literal.
    Literal(Json),
}

/// A stack that pull requests do not plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPlanned {
    /// The stack.
    pub stack: Slug,
    /// The environment.
    pub environment: Slug,
    /// Why, as the end of a sentence.
    pub reason: String,
}

pub(super) fn resolve(
    manifest: &Manifest,
    level: SafetyLevel,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> Option<Terraform> {
    let written = manifest.terraform.as_ref()?;
    let path = Path::of(["terraform"]);
    let stacks = stacks(manifest, written, findings);
    check_size(&stacks, findings);
    check_dependencies(&stacks, findings);
    check_environments(&stacks, environments, findings);
    check_texts(manifest, written, environments, &stacks, findings);
    check_backend(manifest, written, environments, &stacks, findings);
    let scan = written.scan.as_ref();
    let mut terraform = Terraform {
        tool: written.tool.unwrap_or(defaults::TOOL),
        version: written.version.to_string(),
        has_tests: written.version.parts() >= [1, 6].as_slice(),
        scan: Scan {
            minimum_severity: scan.and_then(|scan| scan.minimum_severity).unwrap_or(defaults::SCAN_SEVERITY),
            on_findings: scan.and_then(|scan| scan.on_findings).unwrap_or(defaults::ON_FINDINGS),
        },
        stacks: stacks
            .iter()
            .map(|(name, stack)| {
                (
                    name.clone(),
                    Stack {
                        directory: stack.directory.clone(),
                        var_files: outside_var_files(stack, environments),
                    },
                )
            })
            .collect(),
        plans: Vec::new(),
        not_planned: Vec::new(),
    };
    let planned = planned_environments(written, level, environments, &path, findings);
    for environment in planned {
        plan(manifest, written, environment, &stacks, &mut terraform, findings);
    }
    Some(terraform)
}

/// The stacks by name; a single `directory` is a stack named after the project.
fn stacks(
    manifest: &Manifest,
    written: &manifest::Terraform,
    findings: &mut Diagnostics,
) -> IndexMap<Slug, manifest::Stack> {
    let path = Path::of(["terraform"]);
    match (&written.directory, written.stacks.is_empty()) {
        (Some(directory), true) => {
            let stack = manifest::Stack {
                directory: directory.clone(),
                depends_on: Vec::new(),
                environments: None,
                var_files: Vec::new(),
                variables: IndexMap::new(),
            };
            IndexMap::from([(manifest.project.clone(), stack)])
        }
        (None, false) => {
            let mut sorted = written.stacks.clone();
            sorted.sort_keys();
            sorted
        }
        (Some(_), false) => {
            findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path.key("directory")),
                    "`directory` and `stacks` exclude each other",
                )
                .with_help("move the directory into a stack of its own"),
            );
            written.stacks.clone()
        }
        (None, true) => {
            findings.push(
                Diagnostic::error("missing-key", Place::key(path), "there is neither `directory` nor `stacks`")
                    .with_help("one directory: `directory: terraform`; several: `stacks: { network: { directory: infra/network } }`"),
            );
            IndexMap::new()
        }
    }
}

/// The longest text of a stack's variables in bytes: a job hands it over as one environment variable, of which
/// Linux takes 131,072 bytes, and GitHub indents it.
const VARIABLES: usize = 64 * 1024;

fn check_size(stacks: &IndexMap<Slug, manifest::Stack>, findings: &mut Diagnostics) {
    for (name, stack) in stacks {
        let literals = stack.variables.values().map(|value| match value {
            Value::Literal(json) => json.to_string().len(),
            Value::Held { .. } => 0,
        });
        if literals.sum::<usize>() > VARIABLES {
            findings.push(
                Diagnostic::error(
                    "platform-limits",
                    Place::key(Path::of(["terraform", "stacks", name.as_str(), "variables"])),
                    format!(
                        "the variables of a stack have at most {VARIABLES} bytes: Linux refuses longer ones"
                    ),
                )
                .with_help("move them into a file under `var-files`"),
            );
        }
    }
}

fn check_environments(
    stacks: &IndexMap<Slug, manifest::Stack>,
    environments: &[Environment],
    findings: &mut Diagnostics,
) {
    for (name, stack) in stacks {
        let path = Path::of(["terraform", "stacks", name.as_str(), "environments"]);
        let Some(own) = &stack.environments else { continue };
        if own.is_empty() {
            findings.push(
                Diagnostic::error("invalid-value", path.clone(), "the stack is in no environment")
                    .with_help("name one, or take `environments` out: then it is in all of them"),
            );
        }
        for (index, wanted) in own.iter().enumerate() {
            if !environments.iter().any(|environment| environment.name == *wanted) {
                let known = environments.iter().map(|environment| &environment.name);
                findings.push(
                    Diagnostic::error(
                        "unknown-reference",
                        path.index(index),
                        "there is no environment of this name",
                    )
                    .with_help(list_of(known, "environments")),
                );
            }
        }
    }
}

fn check_dependencies(stacks: &IndexMap<Slug, manifest::Stack>, findings: &mut Diagnostics) {
    for (name, stack) in stacks {
        for (index, needed) in stack.depends_on.iter().enumerate() {
            if !stacks.contains_key(needed) {
                let path = Path::of(["terraform", "stacks", name.as_str(), "depends-on"]).index(index);
                findings.push(
                    Diagnostic::error("unknown-reference", path, "there is no stack of this name")
                        .with_help(list_of(stacks.keys(), "terraform.stacks")),
                );
            }
        }
    }
    let waits_for_itself = |name: &Slug| stacks[name].depends_on.contains(name);
    for name in stacks.keys().filter(|name| waits_for_itself(name)) {
        let path = Path::of(["terraform", "stacks", name.as_str(), "depends-on"]);
        findings.push(
            Diagnostic::error("needs-dag", path, "the stack waits for itself").with_help("take its name out"),
        );
    }
    let mut waiting: Vec<&Slug> = stacks.keys().filter(|name| !waits_for_itself(name)).collect();
    loop {
        let ready = |name: &&Slug| !stacks[*name].depends_on.iter().any(|needed| waiting.contains(&needed));
        let rest: Vec<&Slug> = waiting.iter().copied().filter(|name| !ready(name)).collect();
        if rest.len() == waiting.len() {
            break;
        }
        waiting = rest;
    }
    if let Some(name) = waiting.first() {
        findings.push(
            Diagnostic::error(
                "needs-dag",
                Path::of(["terraform", "stacks", name.as_str(), "depends-on"]),
                "these stacks wait for each other, so that none can be the first",
            )
            .with_help(format!("take one `depends-on` out of the circle: {}", names_of(waiting.into_iter()))),
        );
    }
}

fn list_of<'a>(names: impl Iterator<Item = &'a Slug>, section: &str) -> String {
    let names = names_of(names);
    if names.is_empty() { format!("declare it under `{section}`") } else { format!("there is {names}") }
}

fn names_of<'a>(names: impl Iterator<Item = &'a Slug>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// Fills in every text for every environment, whether it is planned or not: what is accepted at level 1 is
/// what is planned at level 3. Where an environment, an account or a region is not declared, another stands in.
fn check_texts(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environments: &[Environment],
    stacks: &IndexMap<Slug, manifest::Stack>,
    findings: &mut Diagnostics,
) {
    let known = environments.iter().map(|environment| {
        let account = environment.account_id.as_ref().map_or("123456789012", |account| account.as_str());
        (environment.name.as_str(), account, environment.region.as_deref().unwrap_or("eu-central-1"))
    });
    let known: Vec<(&str, &str, &str)> = known.collect();
    let known = if known.is_empty() { vec![("production", "123456789012", "eu-central-1")] } else { known };
    for (environment, account_id, region) in known {
        for (name, stack) in stacks {
            let own = stack.environments.as_ref();
            if !environments.is_empty()
                && own.is_some_and(|own| !own.iter().any(|own| own.as_str() == environment))
            {
                continue;
            }
            let values = [
                ("environment", environment),
                ("stack", name.as_str()),
                ("account-id", account_id),
                ("region", region),
                ("project", manifest.project.as_str()),
            ];
            if let Some(backend) = &written.backend {
                settings(backend, region, &values, findings);
            }
            var_files(name, stack, &values, findings);
            variables(name, stack, &values, findings);
        }
    }
}

fn check_backend(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environments: &[Environment],
    stacks: &IndexMap<Slug, manifest::Stack>,
    findings: &mut Diagnostics,
) {
    let Some(backend) = &written.backend else { return };
    let path = Path::of(["terraform", "backend"]);
    let lock = backend.lock.unwrap_or(defaults::LOCK);
    let version = written.version.parts();
    if matches!(lock, Lock::S3 | Lock::Both) && version < [1, 10].as_slice() {
        findings.push(
            Diagnostic::error(
                "lock-unsupported",
                path.key("lock"),
                "the lock file beside the state needs version 1.10 or later",
            )
            .with_label(Path::of(["terraform", "version"]), "older than 1.10")
            .with_help("raise `terraform.version`, or use `lock: dynamodb` with a `lock-table`"),
        );
    } else if written.tool.unwrap_or(defaults::TOOL) == Tool::Terraform
        && lock == Lock::S3
        && version < [1, 11].as_slice()
    {
        findings.push(
            Diagnostic::warning(
                "lock-experimental",
                path.key("lock"),
                "the lock file beside the state is experimental before 1.11",
            )
            .with_help("raise `terraform.version`"),
        );
    }
    match (lock, &backend.lock_table) {
        (Lock::DynamoDb | Lock::Both, None) => findings.push(
            Diagnostic::error(
                "missing-key",
                path.key("lock"),
                "this lock is kept in a DynamoDB table, and `lock-table` is missing",
            )
            .with_help("name the table: `lock-table: terraform-locks`"),
        ),
        (Lock::S3, Some(_)) => findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("lock-table"),
                "the lock is kept in S3, so no table is used",
            )
            .with_help("take it out, or say `lock: both`"),
        ),
        _ => {}
    }
    let apart = |placeholder: &str| backend.key.contains(placeholder);
    let is_filled = |field: &str| {
        let place = Place::value(path.key(field));
        !findings.iter().any(|known| known.code == "unknown-placeholder" && known.place == place)
    };
    let (key_is_filled, bucket_is_filled) = (is_filled("key"), is_filled("bucket"));
    if stacks.len() > 1 && !apart("{stack}") && key_is_filled {
        findings.push(
            Diagnostic::error(
                "state-shared",
                path.key("key"),
                "several stacks would share one state: each would destroy what the others made",
            )
            .with_help("put `{stack}` into the key: `{environment}/{stack}.tfstate`"),
        );
    }
    let bucket_apart = backend.bucket.contains("{environment}")
        || (backend.bucket.contains("{account-id}") && {
            let mut accounts: Vec<_> =
                environments.iter().map(|environment| &environment.account_id).collect();
            accounts.sort_unstable();
            accounts.dedup();
            accounts.len() == environments.len()
        });
    if environments.len() > 1 && !apart("{environment}") && !bucket_apart && key_is_filled && bucket_is_filled
    {
        let project = &manifest.project;
        findings.push(
            Diagnostic::error("state-shared", path.key("key"), "several environments would share one state: an apply of one destroys the other")
                .with_help("put `{environment}` into the key: `{environment}/{stack}.tfstate`")
                .with_help(format!(
                    "then move the state that exists: `terraform state pull > {project}.tfstate`, change the key, \
                     `terraform init -reconfigure`, `terraform state push {project}.tfstate`"
                )),
        );
    }
}

/// Variable files outside of the stack's directory, for every environment: a change there changes the stack.
fn outside_var_files(stack: &manifest::Stack, environments: &[Environment]) -> Vec<String> {
    let mut files = Vec::new();
    for file in stack.var_files.iter().filter(|file| file.starts_with("../")) {
        for environment in environments {
            let filled = placeholder::fill(file, &[("environment", environment.name.as_str())]);
            files.extend(filled.ok().and_then(|file| climb(&stack.directory, &file)));
        }
    }
    files.sort_unstable();
    files.dedup();
    files
}

/// `../x` seen from a directory, as a path from the repository's root; nothing where it leaves the repository.
fn climb(directory: &RelativePath, file: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.normal().split('/').filter(|part| *part != ".").collect();
    for part in file.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn planned_environments<'a>(
    written: &manifest::Terraform,
    level: SafetyLevel,
    environments: &'a [Environment],
    path: &Path,
    findings: &mut Diagnostics,
) -> &'a [Environment] {
    if level < SafetyLevel::READS || environments.is_empty() {
        return &[];
    }
    let choice = written.pull_request_plan;
    if choice.is_none() && environments.len() == 1 {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path.clone()),
                "with a single environment, `pull-request-plan` has to be chosen: planning runs a pull request's code with a role that reads it",
            )
            .with_help("`none`: static checks only; `all`: plan it, with a role that can only read"),
        );
    }
    match choice.unwrap_or(defaults::PULL_REQUEST_PLAN) {
        PullRequestPlan::None => &[],
        PullRequestPlan::NonProduction => &environments[..environments.len() - 1],
        PullRequestPlan::All => {
            if let Some(last) = environments.last() {
                findings.push(
                    Diagnostic::warning(
                        "production-planned",
                        path.key("pull-request-plan"),
                        format!("pull requests run their code with a role that reads `{}`", last.name),
                    )
                    .with_help(
                        "the role must not write anything, nor read secrets that the plan does not need",
                    ),
                );
            }
            environments
        }
    }
}

fn plan(
    manifest: &Manifest,
    written: &manifest::Terraform,
    environment: &Environment,
    stacks: &IndexMap<Slug, manifest::Stack>,
    terraform: &mut Terraform,
    findings: &mut Diagnostics,
) {
    let path = Path::of(["environments", environment.name.as_str()]);
    let Some(backend) = &written.backend else {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(Path::of(["terraform"])),
                "a plan reads state, and `backend` is missing",
            )
            .with_help("say where state is kept, or `pull-request-plan: none`"),
        );
        return;
    };
    let (Some(account_id), Some(region)) = (&environment.account_id, &environment.region) else {
        findings.push(
            Diagnostic::error(
                "missing-key",
                Place::key(path),
                "a plan assumes a role, and the environment has no AWS account or region",
            )
            .with_help("set `aws.account-id` and `aws.region`, for all environments or for this one"),
        );
        return;
    };
    check_session(manifest, findings);
    let role = role(manifest, environment, account_id.as_str(), findings);
    let mut planned = Vec::new();
    for (name, stack) in stacks {
        if stack.environments.as_ref().is_some_and(|own| !own.contains(&environment.name)) {
            continue;
        }
        if let Some(reason) = why_not(environment, stack) {
            terraform.not_planned.push(NotPlanned {
                stack: name.clone(),
                environment: environment.name.clone(),
                reason,
            });
            continue;
        }
        let values = [
            ("environment", environment.name.as_str()),
            ("stack", name.as_str()),
            ("account-id", account_id.as_str()),
            ("region", region.as_str()),
            ("project", manifest.project.as_str()),
        ];
        planned.extend(stack_plan(name, stack, backend, region, &values, findings));
    }
    if !planned.is_empty() {
        terraform.plans.push(EnvironmentPlan {
            environment: environment.name.clone(),
            runner: environment.runner.clone(),
            account_id: account_id.to_string(),
            region: region.clone(),
            role,
            stacks: planned,
        });
    }
}

/// Credentials last as long as the job and five minutes; IAM grants an hour unless the role says more
/// ([AWS: MaxSessionDuration](https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html)).
fn check_session(manifest: &Manifest, findings: &mut Diagnostics) {
    let path = Path::of(["defaults", "timeout-minutes"]);
    let minutes = manifest.defaults.timeout_minutes.unwrap_or(defaults::TIMEOUT_MINUTES);
    if minutes <= 55 || findings.iter().any(|known| known.code == "long-session") {
        return;
    }
    findings.push(if minutes <= 115 {
        Diagnostic::warning(
            "long-session",
            path,
            "credentials for plans last longer than the hour that a role grants by default",
        )
        .with_help("raise MaxSessionDuration of the roles that plans assume, or take at most 55 minutes")
    } else {
        Diagnostic::error(
            "long-session",
            path,
            "plans may take longer than their credentials last: two hours at most",
        )
        .with_help("take at most 115 minutes, and raise MaxSessionDuration of the roles that plans assume")
    });
}

/// Why a stack is not planned on pull requests: a reason that the summary shows.
fn why_not(environment: &Environment, stack: &manifest::Stack) -> Option<String> {
    if environment.level < SafetyLevel::READS {
        return Some(format!("the environment is at safety level {}", environment.level.number()));
    }
    if !super::is_hosted(&environment.runner) {
        return Some("its runner is your own machine, which pull requests do not reach".to_owned());
    }
    let holds_secret = |value: &Value| matches!(value, Value::Held { reference: Reference::Secret(_), .. });
    stack
        .variables
        .values()
        .any(holds_secret)
        .then(|| "its variables are secrets of the environment".to_owned())
}

fn role(
    manifest: &Manifest,
    environment: &Environment,
    account_id: &str,
    findings: &mut Diagnostics,
) -> Role {
    match environment.roles.get(&AwsRole::PullRequestPlan) {
        Some(Value::Held { reference: Reference::Variable(variable), list: false }) => {
            Role::Variable(variable.clone())
        }
        Some(Value::Literal(Json::String(arn))) => Role::Arn(arn.clone()),
        // Refused with the environment's other roles.
        Some(_) => Role::Arn(String::new()),
        None => {
            let name = format!("pyfleet-{}-{}-pull-request-plan", manifest.project, environment.name);
            if name.len() > 64 {
                findings.push(
                    Diagnostic::error(
                        "platform-limits",
                        Place::key(Path::of(["environments", environment.name.as_str()])),
                        "the role's name would have more than 64 characters, which IAM refuses",
                    )
                    .with_help("name an existing role under `aws.roles.pull-request-plan`"),
                );
            }
            Role::Arn(format!("arn:aws:iam::{account_id}:role/{name}"))
        }
    }
}

fn stack_plan(
    name: &Slug,
    stack: &manifest::Stack,
    backend: &manifest::Backend,
    region: &str,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<StackPlan> {
    let backend = settings(backend, region, values, findings);
    let var_files = var_files(name, stack, values, findings);
    let variables = variables(name, stack, values, findings);
    Some(StackPlan {
        stack: name.to_string(),
        directory: stack.directory.normal().to_owned(),
        backend: backend?,
        variables: variables?,
        var_files: var_files?,
    })
}

/// Fills in a text; a placeholder that is not known is a finding.
fn fill(text: &str, path: &Path, values: &[(&str, &str)], findings: &mut Diagnostics) -> Option<String> {
    placeholder::fill(text, values)
        .map_err(|reason| findings.push_once(Diagnostic::error("unknown-placeholder", path.clone(), reason)))
        .ok()
}

/// Settings of the S3 backend.
fn settings(
    backend: &manifest::Backend,
    region: &str,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<BTreeMap<&'static str, String>> {
    let at = Path::of(["terraform", "backend"]);
    let without_stack: Vec<(&str, &str)> =
        values.iter().copied().filter(|(name, _)| *name != "stack").collect();
    let bucket = fill(&backend.bucket, &at.key("bucket"), &without_stack, findings);
    let key = fill(&backend.key, &at.key("key"), values, findings);
    let table = match &backend.lock_table {
        Some(table) => fill(table, &at.key("lock-table"), &without_stack, findings).map(Some),
        None => Some(None),
    };
    check_backend_names(bucket.as_deref(), key.as_deref(), table.as_ref()?.as_deref(), findings);
    let mut settings = BTreeMap::from([
        ("bucket", bucket?),
        ("key", key?),
        ("region", region.to_owned()),
        ("encrypt", "true".to_owned()),
    ]);
    let lock = backend.lock.unwrap_or(defaults::LOCK);
    if lock != Lock::DynamoDb {
        settings.insert("use_lockfile", "true".to_owned());
    }
    if let Some(table) = table? {
        settings.insert("dynamodb_table", table);
    }
    Some(settings)
}

/// Variable files, relative to the stack's directory.
fn var_files(
    name: &Slug,
    stack: &manifest::Stack,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<Vec<String>> {
    let path = Path::of(["terraform", "stacks", name.as_str(), "var-files"]);
    let mut files = Vec::with_capacity(stack.var_files.len());
    for (index, file) in stack.var_files.iter().enumerate() {
        let filled = fill(file, &path.index(index), values, findings);
        let is_inside = |file: &String| {
            let down = file.trim_start_matches("../");
            RelativePath::try_from(down.to_owned()).is_ok()
                && down != "."
                && climb(&stack.directory, file).is_some()
        };
        if filled.as_ref().is_some_and(|file| !is_inside(file)) {
            findings.push_once(Diagnostic::error(
                "invalid-value",
                path.index(index),
                "a variable file is relative to the stack's directory and stays inside the repository",
            ));
        }
        files.push(filled);
    }
    files.into_iter().collect()
}

/// Values of input variables; secrets are not among them.
fn variables(
    name: &Slug,
    stack: &manifest::Stack,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<BTreeMap<String, VariableValue>> {
    let path = Path::of(["terraform", "stacks", name.as_str(), "variables"]);
    let mut variables = BTreeMap::new();
    for (variable, value) in &stack.variables {
        let value = match value {
            Value::Held { reference: Reference::Variable(held), list } => {
                Some(VariableValue::Held { variable: held.to_string(), form: list.then_some("list") })
            }
            Value::Held { .. } => continue,
            Value::Literal(literal) => {
                fill_all(literal, &path.key(variable.as_str()), values, findings).map(VariableValue::Literal)
            }
        };
        variables.insert(variable.to_string(), value);
    }
    variables.into_iter().map(|(name, value)| Some((name, value?))).collect()
}

/// Fills in every text of a literal, however deep it stands.
fn fill_all(
    literal: &Json,
    path: &Path,
    values: &[(&str, &str)],
    findings: &mut Diagnostics,
) -> Option<Json> {
    Some(match literal {
        Json::String(text) => Json::String(fill(text, path, values, findings)?),
        Json::Array(items) => {
            let filled: Option<Vec<Json>> = items
                .iter()
                .enumerate()
                .map(|(index, item)| fill_all(item, &path.index(index), values, findings))
                .collect();
            Json::Array(filled?)
        }
        Json::Object(entries) => {
            // Sorted: the order of the manifest's keys means nothing.
            let sorted: BTreeMap<&String, &Json> = entries.iter().collect();
            let filled: Option<serde_json::Map<String, Json>> = sorted
                .into_iter()
                .map(|(key, value)| Some((key.clone(), fill_all(value, &path.key(key), values, findings)?)))
                .collect();
            Json::Object(filled?)
        }
        other => other.clone(),
    })
}

/// Names as S3 and DynamoDB take them
/// ([S3: bucket naming rules](https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html)).
fn check_backend_names(
    bucket: Option<&str>,
    key: Option<&str>,
    table: Option<&str>,
    findings: &mut Diagnostics,
) {
    let at = Path::of(["terraform", "backend"]);
    let mut refuse = |field: &str, message: &str| {
        findings.push_once(Diagnostic::error("invalid-value", at.key(field), message));
    };
    let bucket_is_valid = |bucket: &str| {
        (3..=63).contains(&bucket.len())
            && bucket.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-'))
            && bucket.starts_with(|first: char| first.is_ascii_alphanumeric())
            && bucket.ends_with(|last: char| last.is_ascii_alphanumeric())
            && !bucket.contains("..")
    };
    if bucket.is_some_and(|bucket| !bucket_is_valid(bucket)) {
        refuse("bucket", "a bucket is named with 3 to 63 lower-case letters, digits, dots and dashes");
    }
    let key_is_valid = |key: &str| {
        (1..=900).contains(&key.len())
            && key.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && !key.chars().any(char::is_control)
            && !key.starts_with("_plans/")
            && !key.starts_with("_pyfleet/")
    };
    if key.is_some_and(|key| !key_is_valid(key)) {
        refuse(
            "key",
            "a state's key has 1 to 900 characters, no empty part, no `.` or `..` between slashes, and lies outside of `_plans/` and `_pyfleet/`",
        );
    }
    let table_is_valid = |table: &str| {
        (3..=255).contains(&table.len())
            && table.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    if table.is_some_and(|table| !table_is_valid(table)) {
        refuse("lock-table", "a table is named with 3 to 255 letters, digits, dots, dashes and underscores");
    }
}
