//! `init`: look at the repository, and write a manifest that renders at once.
//!
//! Deliberately absent: questions, and options. What is guessed stands in the manifest with its reason, where it is
//! changed in an editor.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use pyfleet_core::source::Source;

use super::{Failure, quoted};
use crate::Streams;
use crate::cli::Cli;
use crate::exit::Exit;
use crate::project_file::{Location, NAME, NOT_SHOWABLE, is_showable, load};
use crate::proposal::{Proposal, plain};
use crate::render::{self, read_back};
use crate::report::{Report, count, human, inert, single_line};
use crate::repository::{FileError, Repository, is_owned_path};
use crate::survey::Survey;
use crate::survey::terraform::LockFile;
use crate::survey::tree::directory_of;
use crate::writer::Writer;

/// Nothing to say.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, cli: &Cli, streams: &mut Streams<'_>) -> Result<Exit, Failure> {
    let start = cli.directory.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
    let start = start.canonicalize_utf8().map_err(|error| FileError::new(&start, error.to_string()))?;
    let name = match cli.manifest.as_deref() {
        None => NAME,
        Some(named) => checked(named)?,
    };
    let root = root_of(&start);
    if let Some(there) = start
        .ancestors()
        .take_while(|above| above.starts_with(root))
        .find(|above| is_there(&above.join(name)))
    {
        let path = there.join(name);
        return Err(Box::new(
            FileError::new(path, "is there already; nothing was written")
                .with_help("`pyfleet-gen render` renders it; move it away to begin anew"),
        ));
    }
    let repository = Repository::open(root)?;
    let survey = Survey::look(&repository);
    let proposal = Proposal::of(&survey, root.file_name().unwrap_or("project"));
    if root != start {
        say(streams, "", &format!("the repository is {root}"))?;
    }
    report_seen(&survey, streams)?;
    if proposal.levels.is_empty() {
        report_left_out(&survey, &proposal, streams)?;
        writeln!(
            streams.err,
            "error: there is nothing here that pyfleet renders a workflow for, and nothing was written\n\
             help: it looks for Terraform, CDKTF, tests in Python and Node, and Dockerfiles; start it in the repository, or \
             write {NAME} by hand: the README has one of ten lines"
        )?;
        return Ok(Exit::Findings);
    }
    let text = render::manifest(&proposal)?;
    let Some(files) = prove(name, &text, streams)? else { return Ok(Exit::CouldNotRun) };
    Writer::new(&repository)?.create_manifest(name, &text)?;
    heading(streams, "guessed, and marked in the manifest:")?;
    for guess in &proposal.guesses {
        say(streams, "  ", guess)?;
    }
    report_left_out(&survey, &proposal, streams)?;
    let has_workflows = files.iter().any(|path| path.starts_with(".github/"));
    let mut in_the_way = Vec::new();
    for path in files {
        if repository.read(&path).is_ok_and(|found| found.is_some()) {
            in_the_way.push(path);
        }
    }
    for path in &in_the_way {
        say(streams, "  ", &format!("{path} is there already: `pyfleet-gen render --adopt` replaces it"))?;
    }
    report_levels(name, &proposal, streams)?;
    report_next(name, root, has_workflows, &survey, cli, streams)?;
    Ok(Exit::Clean)
}

/// A name for the manifest that every later run takes, too.
fn checked(named: &Utf8Path) -> Result<&str, FileError> {
    let name = named.file_name().filter(|name| *name == named.as_str()).ok_or_else(|| {
        FileError::new(named, "is not a name: `init` writes the manifest at the repository's root")
    })?;
    if !is_showable(name) {
        return Err(FileError::new("--manifest", NOT_SHOWABLE));
    }
    if is_owned_path(name) || is_owned_path(&name.to_ascii_lowercase()) {
        return Err(FileError::new(name, "is a file that `render` writes: the manifest needs another name"));
    }
    Ok(name)
}

/// The repository's root: where git's own directory lies, at or above; the directory itself where there is none.
fn root_of(start: &Utf8Path) -> &Utf8Path {
    start.ancestors().find(|above| is_there(&above.join(".git"))).unwrap_or(start)
}

fn is_there(path: &Utf8Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Renders the manifest before it is written, as `render` will: what comes back are the files. Nothing does where
/// pyfleet itself has made a mistake.
fn prove(name: &str, text: &str, streams: &mut Streams<'_>) -> Result<Option<Vec<String>>, Failure> {
    let loaded = load(Source::new(name, text));
    let mut report = Report::new("init", Utf8Path::new("."));
    let mut rendered = None;
    if let Some((project, plan)) = &loaded.planned {
        let files = render::render(project, plan, name)?;
        for (file, findings) in read_back(plan, &files).into_iter().filter(|(_, found)| found.has_errors()) {
            let text = files.get(&file).cloned().unwrap_or_default();
            report.add(Source::new(file, text), findings);
        }
        rendered = Some(files);
    } else {
        report.add(loaded.source, loaded.findings);
    }
    if let Some(files) = rendered.filter(|_| report.texts.is_empty()) {
        return Ok(Some(files.into_keys().collect()));
    }
    human::write(&report, streams)?;
    writeln!(
        streams.err,
        "error: the manifest that pyfleet would write is not valid, which is a mistake of pyfleet's; nothing was written"
    )?;
    Ok(None)
}

fn heading(streams: &mut Streams<'_>, text: &str) -> std::io::Result<()> {
    writeln!(streams.out, "{text}")
}

/// A line that may hold a stranger's text.
fn say(streams: &mut Streams<'_>, indent: &str, text: &str) -> std::io::Result<()> {
    writeln!(streams.out, "{}", inert(&format!("{indent}{}", single_line(text))))
}

fn report_seen(survey: &Survey, streams: &mut Streams<'_>) -> std::io::Result<()> {
    heading(streams, "seen:")?;
    let mut row = |name: &str, place: &str, text: &str| {
        say(streams, "  ", &format!("{name:<11} {place}{}{text}", if text.is_empty() { "" } else { ": " }))
    };
    if let Some(remote) = &survey.git.remote {
        row("git", &format!("{} on {}", remote.slug, remote.host), "")?;
    }
    for stack in &survey.terraform.stacks {
        let mut facts = Vec::new();
        facts.extend(stack.required_version.as_deref().map(|version| format!("version {}", plain(version))));
        facts.extend(stack.backend.as_ref().map(|backend| format!("state in {}", plain(&backend.kind))));
        facts.push(match &stack.lock {
            LockFile::Present => "lock file here".to_owned(),
            LockFile::NotNeeded => "no provider to lock".to_owned(),
            LockFile::Absent => "lock file missing".to_owned(),
            LockFile::Ignored(line) => format!("lock file ignored by {}", plain(line)),
        });
        if !stack.var_files.is_empty() {
            facts.push(count(stack.var_files.len(), "variable file"));
        }
        row(
            if survey.terraform.is_tofu { "OpenTofu" } else { "Terraform" },
            &stack.directory,
            &facts.join(", "),
        )?;
    }
    for module in &survey.terraform.modules {
        row("Terraform", module, "a module")?;
    }
    for project in &survey.python {
        let suites = if project.suites.is_empty() {
            "no tests".to_owned()
        } else {
            format!("tests in {}", project.suites.join(", "))
        };
        row("Python", &project.directory, &suites)?;
    }
    for package in &survey.node {
        row("Node", &package.directory, if package.has_tests { "a test script" } else { "no test script" })?;
    }
    for image in &survey.images {
        let mut facts = vec![count(image.stages, "stage")];
        facts.push(
            image
                .user
                .as_deref()
                .map_or_else(|| "no user".to_owned(), |user| format!("user {}", plain(user))),
        );
        if image.has_health_check {
            facts.push("health check".to_owned());
        }
        row("Docker", &image.path, &facts.join(", "))?;
    }
    for task in &survey.tasks {
        let family = task.family.as_deref().unwrap_or("a task definition");
        row("ECS", &task.path, &format!("{family}, {}", count(task.containers.len(), "container")))?;
    }
    for existing in &survey.workflows {
        let mut facts = Vec::new();
        if !existing.does.is_empty() {
            facts.push(format!("pyfleet's {} does this", existing.does.join(", ")));
        }
        if !existing.findings.is_empty() {
            let findings: Vec<String> =
                existing.findings.iter().map(|(code, number)| format!("{number} {code}")).collect();
            facts.push(format!("findings: {}", findings.join(", ")));
        }
        facts.extend(existing.roles.iter().map(|role| format!("assumes {}", plain(role))));
        row("workflow", &existing.path, &facts.join("; "))?;
    }
    let kubernetes = &survey.kubernetes;
    for (directory, files) in by_directory(kubernetes.files.iter().map(|file| file.path.as_str())) {
        row("Kubernetes", directory, &count(files, "manifest"))?;
    }
    for (directory, writer) in kubernetes.writers.iter().take(ROWS) {
        row("Kubernetes", directory, writer)?;
    }
    for program in &survey.cdktf {
        let language = program.language.as_deref().unwrap_or("an unknown language");
        row("CDKTF", &program.directory, &format!("in {}", plain(language)))?;
    }
    for template in &survey.packer {
        let builders = template.builders.join(", ");
        row("Packer", &template.path, &if builders.is_empty() { "a template".to_owned() } else { builders })?;
    }
    let ansible = &survey.ansible;
    for (directory, playbooks) in by_directory(ansible.playbooks.iter().map(String::as_str)) {
        row("Ansible", directory, &count(playbooks, "playbook"))?;
    }
    for directory in ansible.roles.iter().take(ROWS) {
        row("Ansible", directory, "roles")?;
    }
    Ok(())
}

/// As many rows of one kind, where each is of a directory.
const ROWS: usize = 20;

/// How many paths lie in each directory.
fn by_directory<'p>(paths: impl Iterator<Item = &'p str>) -> Vec<(&'p str, usize)> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        *numbers.entry(directory_of(path)).or_default() += 1;
    }
    numbers.into_iter().take(ROWS).collect()
}

fn report_left_out(survey: &Survey, proposal: &Proposal, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let notes: Vec<&str> = survey.notes.iter().chain(proposal.notes.iter()).collect();
    if !notes.is_empty() {
        heading(streams, "to know:")?;
    }
    for note in notes {
        say(streams, "  ", note)?;
    }
    Ok(())
}

fn report_levels(name: &str, proposal: &Proposal, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let first = proposal.added_at(1);
    let renders = if first.is_empty() { "no workflow yet".to_owned() } else { first.join(", ") };
    writeln!(streams.out, "wrote {name}, at safety level 1: {renders}")?;
    for level in proposal.levels.iter().filter(|level| **level > 1) {
        let adds = proposal.added_at(*level).join(", ");
        let adds = match proposal.started_by_a_push() {
            Some(name) if adds.is_empty() => format!("has a push start {name}"),
            _ => format!("adds {adds}"),
        };
        writeln!(streams.out, "  level {level} {adds}; it stands in the manifest, switched off")?;
    }
    Ok(())
}

/// What to do now, as it works from where this run was started.
fn report_next(
    name: &str,
    root: &Utf8Path,
    has_workflows: bool,
    survey: &Survey,
    cli: &Cli,
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    let here = Location { root: root.to_owned(), manifest: name.to_owned() }.from_here();
    let (mut directory, mut named) = (String::new(), String::new());
    if !here.as_str().is_empty() {
        directory = format!(" -C {}", quoted(here.as_str()));
    }
    if cli.manifest.is_some() {
        named = format!(" --manifest {}", quoted(name));
    }
    writeln!(streams.out, "\nnext:")?;
    if survey.git.remote.is_none() {
        writeln!(streams.out, "  # put the repository's owner into {}: git does not name it", quoted(name))?;
    }
    let github = if has_workflows { " .github" } else { "" };
    writeln!(
        streams.out,
        "  pyfleet-gen{directory}{named} render\n  git{directory} add {} pyfleet.lock{github}",
        quoted(name)
    )
}
