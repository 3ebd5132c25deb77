//! Stand-ins for actions: each does what matters of the real one, and refuses an input that it does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::aws::Aws;

/// One `uses:` step about to run.
pub(crate) struct Action<'a> {
    /// `with:`, evaluated, by lower-case name.
    pub(crate) inputs: BTreeMap<String, String>,
    /// What a process of the action finds in its environment.
    pub(crate) environment: BTreeMap<String, String>,
    /// Whether the job may ask for an identity token.
    pub(super) may_identify: bool,
    /// Where its identity counts, and what its tokens say.
    pub(super) identity: Option<(&'a Aws, &'a Json)>,
    pub(super) artifacts: &'a Path,
    pub(super) origin: &'a Path,
    pub(super) said: Vec<String>,
}

/// What stands in for an action; the error is what the real one would fail with.
pub(super) type StandIn = Rc<dyn Fn(&mut Action<'_>) -> Result<(), String>>;

/// The stand-in for an action that nobody replaced.
pub(super) fn default(slug: &str) -> Option<StandIn> {
    Some(match slug {
        "actions/checkout" => Rc::new(checkout),
        "actions/upload-artifact" => Rc::new(upload_artifact),
        "actions/download-artifact" => Rc::new(download_artifact),
        "aws-actions/configure-aws-credentials" => Rc::new(configure_aws_credentials),
        "aquasecurity/trivy-action" => Rc::new(trivy),
        // The tools are on PATH.
        "hashicorp/setup-terraform"
        | "opentofu/setup-opentofu"
        | "actions/setup-python"
        | "actions/setup-node" => Rc::new(|_| Ok(())),
        _ => return None,
    })
}

impl Action<'_> {
    /// An input that is set to something.
    pub(crate) fn input(&self, name: &str) -> Option<&str> {
        self.inputs.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn is(&self, name: &str) -> bool {
        self.input(name) == Some("true")
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.environment["GITHUB_WORKSPACE"].clone().into()
    }

    /// Writes a line to the log.
    pub(crate) fn say(&mut self, line: impl Into<String>) {
        self.said.push(line.into());
    }

    pub(crate) fn output(&self, name: &str, value: &str) {
        self.append("GITHUB_OUTPUT", name, value);
    }

    /// Sets a variable of the steps that follow.
    pub(crate) fn export(&self, name: &str, value: &str) {
        self.append("GITHUB_ENV", name, value);
    }

    fn append(&self, file: &str, name: &str, value: &str) {
        let path = &self.environment[file];
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, format!("{text}{name}<<end-of-value\n{value}\nend-of-value\n")).unwrap();
    }

    /// A process of the action, in the workspace.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.environment).current_dir(self.workspace());
        command
    }

    fn knows(&self, inputs: &[&str]) {
        for input in self.inputs.keys() {
            assert!(inputs.contains(&input.as_str()), "the stand-in does not know the input `{input}`");
        }
    }
}

/// The commit that started the run, in real git, with as much history as is asked for.
fn checkout(action: &mut Action<'_>) -> Result<(), String> {
    action.knows(&["ref", "path", "fetch-depth", "filter", "persist-credentials"]);
    let origin = format!("file://{}", action.origin.display());
    let directory = action.workspace().join(action.input("path").unwrap_or("."));
    fs::create_dir_all(&directory).unwrap();
    // What an earlier checkout left is removed, as the real one does.
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.unwrap();
    }
    let of_event = action.environment["GITHUB_REF"].clone();
    let wanted = match action.input("ref") {
        Some(wanted) => wanted.to_owned(),
        None => action.environment["GITHUB_SHA"].clone(),
    };
    let depth = action.input("fetch-depth").unwrap_or("1").to_owned();
    let git = |action: &Action<'_>, arguments: &[&str]| {
        let output = action.command("git").args(arguments).current_dir(&directory).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(format!("git {arguments:?}: {said}")) }
    };
    git(action, &["init", "--quiet", "."])?;
    git(action, &["remote", "add", "origin", &origin])?;
    if depth == "0" {
        let all = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"];
        git(action, &["fetch", "--quiet", "origin", all[0], all[1]])?;
        git(action, &["fetch", "--quiet", "origin", &wanted])?;
    } else {
        git(action, &["fetch", "--quiet", "--no-tags", &format!("--depth={depth}"), "origin", &wanted])?;
    }
    match of_event.strip_prefix("refs/heads/") {
        Some(branch) if action.input("ref").is_none() => {
            git(action, &["checkout", "--quiet", "--force", "-B", branch, "FETCH_HEAD"])
        }
        _ => git(action, &["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"]),
    }
}

/// Version 7: hidden files stay behind, and no artifact is written twice.
fn upload_artifact(action: &mut Action<'_>) -> Result<(), String> {
    action.knows(&[
        "name",
        "path",
        "if-no-files-found",
        "retention-days",
        "compression-level",
        "overwrite",
        "include-hidden-files",
    ]);
    let name = action.input("name").unwrap_or("artifact").to_owned();
    if let Some(character) = name.chars().find(|character| "\":<>|*?\r\n\\/".contains(*character)) {
        return Err(format!("The artifact name is not valid: {name}. Contains {character:?}"));
    }
    let Some(paths) = action.input("path") else {
        return Err("Input required and not supplied: path".to_owned());
    };
    assert!(!paths.contains(['*', '?', '[', '!']), "the stand-in does not know wildcards: {paths}");
    let paths: Vec<PathBuf> = paths
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| action.workspace().join(line.trim_end_matches('/')).components().collect())
        .collect();
    let mut files = BTreeSet::new();
    for path in &paths {
        collect(path, action.is("include-hidden-files"), &mut files);
    }
    if files.is_empty() {
        let message = format!(
            "No files were found with the provided path: {}. No artifacts will be uploaded.",
            action.inputs["path"]
        );
        match action.input("if-no-files-found") {
            Some("error") => return Err(message),
            Some("ignore") => {}
            _ => action.say(format!("::warning::{message}")),
        }
        return Ok(());
    }
    // Paths in the artifact begin below the directory that is searched; below what all have in common, if several.
    let searched =
        |path: &Path| if path.is_dir() { path.to_owned() } else { path.parent().unwrap().to_owned() };
    let root = match paths.as_slice() {
        [only] => searched(only),
        several => {
            let mut root = searched(&several[0]);
            while !several.iter().all(|path| path.starts_with(&root)) {
                root.pop();
            }
            root
        }
    };
    let target = action.artifacts.join(&name);
    let is_of_an_earlier_attempt =
        fs::remove_dir(action.artifacts.with_file_name("earlier").join(&name)).is_ok();
    if target.exists() {
        if !is_of_an_earlier_attempt && !action.is("overwrite") {
            return Err("Conflict: an artifact with this name already exists on the workflow run".to_owned());
        }
        fs::remove_dir_all(&target).unwrap();
    }
    for file in &files {
        let to = target.join(file.strip_prefix(&root).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, fs::read(file).unwrap()).unwrap(); // Modes are lost, as in the real one.
    }
    action.say(format!("uploaded {} files as {name}", files.len()));
    action.output("artifact-id", "1");
    Ok(())
}

fn collect(path: &Path, hidden: bool, files: &mut BTreeSet<PathBuf>) {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    if is_hidden && !hidden {
        return;
    }
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), hidden, files);
        }
    } else if path.is_file() {
        files.insert(path.to_owned());
    }
}

/// By its name an artifact is unpacked into `path`; by a pattern, or all, each into a directory of its name.
fn download_artifact(action: &mut Action<'_>) -> Result<(), String> {
    action.knows(&["name", "path", "pattern", "merge-multiple"]);
    let path = action.workspace().join(action.input("path").unwrap_or("."));
    let mut names: Vec<String> = fs::read_dir(action.artifacts)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut flat = action.is("merge-multiple");
    if let Some(name) = action.input("name") {
        if !names.iter().any(|own| own == name) {
            return Err(format!("Unable to download artifact(s): Artifact not found for name: {name}"));
        }
        names = vec![name.to_owned()];
        flat = true;
    } else if let Some(pattern) = action.input("pattern") {
        names.retain(|name| matches(pattern, name));
    }
    for name in &names {
        let target = if flat { path.clone() } else { path.join(name) };
        copy_into(&action.artifacts.join(name), &target);
    }
    action.say(format!("Total of {} artifact(s) downloaded", names.len()));
    action.output("download-path", path.to_str().unwrap());
    Ok(())
}

/// Whether a name matches a pattern in which `*` is any text; an artifact's name holds no `/`.
fn matches(pattern: &str, name: &str) -> bool {
    assert!(!pattern.contains(['?', '[', '{', '!']), "the stand-in does not know this pattern: {pattern}");
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| matches(after, &rest[at..]))
        }),
    }
}

pub(crate) fn copy_into(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().unwrap();
        if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(path).unwrap(), target).unwrap();
        } else if kind.is_dir() {
            copy_into(&path, &target);
        } else {
            fs::copy(path, target).unwrap();
        }
    }
}

/// For a job that may prove who it is, to the account that it expects: the keys of a session, where roles count.
fn configure_aws_credentials(action: &mut Action<'_>) -> Result<(), String> {
    if !action.may_identify {
        let reason = "Could not load credentials from any providers: did you mean to set `id-token: write`?";
        return Err(format!("Credentials could not be loaded, please check your action inputs: {reason}"));
    }
    let role = action.input("role-to-assume").ok_or("there is no role to assume")?.to_owned();
    let region = action.input("aws-region").ok_or("Input required and not supplied: aws-region")?.to_owned();
    let account = role.split(':').nth(4).unwrap_or_default();
    let allowed = action.input("allowed-account-ids").unwrap_or(account);
    if !allowed.split(',').any(|own| own.trim() == account) {
        return Err(format!("The account ID of the provided credentials is not in {allowed}"));
    }
    let keys = match action.identity {
        Some((aws, claims)) => {
            let seconds =
                action.input("role-duration-seconds").map_or(3600, |seconds| seconds.parse().unwrap());
            aws.session(&role, claims, seconds)
                .map_err(|refusal| format!("Could not assume role with OIDC: {refusal}"))?
        }
        None => ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
            .map(|name| (name, "testing".to_owned()))
            .to_vec(),
    };
    for (name, value) in
        keys.into_iter().chain([("AWS_REGION", region.clone()), ("AWS_DEFAULT_REGION", region)])
    {
        action.export(name, &value);
    }
    action.say(format!("assumed {role}"));
    Ok(())
}

/// A scan that finds nothing.
fn trivy(action: &mut Action<'_>) -> Result<(), String> {
    let report = action.input("output").ok_or("the stand-in writes a report: `output` is missing")?;
    assert_eq!(action.input("format"), Some("json"), "the stand-in writes JSON");
    fs::write(action.workspace().join(report), r#"{"SchemaVersion": 2, "Results": []}"#).unwrap();
    Ok(())
}
