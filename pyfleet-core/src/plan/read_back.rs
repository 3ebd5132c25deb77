//! The generator does not trust itself: rendered text is read like a stranger's workflow.

use std::collections::BTreeMap;

use super::Workflow;
use crate::check::rules::RULES;
use crate::check::{self, Subject};
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Segment, Severity};
use crate::project::{ExtraSteps, Side, listed};
use crate::source::Source;
use crate::spelling::closest;
use crate::workflow::{self, Level, Permissions, Scope, Step, expressions};
use crate::yaml::tree::Document;

/// Reads rendered text back: it must parse, say exactly what the plan says and what extends it, and break no rule.
/// Findings are located, and name the place in the manifest that they come from.
#[must_use]
pub fn read_back(planned: &Workflow, text: &str) -> Diagnostics {
    let (parsed, mut findings) = workflow::parse(Source::new(planned.file.clone(), text));
    let mut places = Places::new();
    if let Some((parsed, document)) = parsed {
        findings.extend(differences(planned, &parsed));
        places = extra_steps(planned, &parsed, &document, &mut findings);
        let judged = check::run(&Subject::workflow(&parsed, &document), RULES);
        let judged = judged.into_iter().filter(|finding| !is_about_the_manifest(planned, finding));
        findings.extend(judged.map(as_of_ours));
        document.locate(&mut findings);
    }
    for finding in findings.iter_mut().filter(|finding| finding.origin.is_none()) {
        finding.origin = Some(origin(planned, &places, &finding.place.path));
    }
    findings
}

/// Whether a finding says of a planned job what is said of the manifest, once and where it is written: which machines run
/// pull requests, and that labels move (`pull-request-on-self-hosted`, `moving-runner`).
fn is_about_the_manifest(planned: &Workflow, finding: &Diagnostic) -> bool {
    finding.code == "runner-label-known"
        && matches!(finding.place.path.segments(), [_, Segment::Key(job), ..] if planned.jobs.contains_key(job.as_str()))
}

/// Rules that only warn of something in a stranger's workflow, and stop this project's own: a version that the catalogue
/// does not know may be a good one, but nothing here may render it.
const STRICT: &[&str] = &[
    "shell-fail-fast",
    "timeout-set",
    "tool-version-exact",
    "untrusted-checkout",
    "uses-allowed",
    "uses-pinned",
];

fn as_of_ours(mut finding: Diagnostic) -> Diagnostic {
    if STRICT.contains(&finding.code) {
        finding.severity = Severity::Error;
    }
    finding
}

/// Where in the manifest the extra steps stand, by job and position.
type Places = BTreeMap<(String, usize), Path>;

/// Where the rendered text says something else than the plan.
fn differences(planned: &Workflow, parsed: &workflow::Workflow) -> Diagnostics {
    let mut findings = Diagnostics::new();
    let mut differ = |path: Path| findings.push(mismatch(path));
    let read = parsed.without_steps();
    if read.jobs.keys().ne(planned.model.jobs.keys()) {
        differ(Path::of(["jobs"]));
    }
    for (id, job) in &read.jobs {
        if planned.model.jobs.get(id).is_some_and(|meant| meant != job) {
            differ(Path::of(["jobs", id.as_str()]));
        }
    }
    for (id, job) in &parsed.jobs {
        let is_wrong = match planned.extension.jobs.get(id.as_str()) {
            Some(own) => own.model != *job,
            None => job.steps.is_empty(),
        };
        if is_wrong {
            differ(Path::of(["jobs", id.as_str()]));
        }
    }
    let without_jobs =
        |model: &workflow::Workflow| workflow::Workflow { jobs: Default::default(), ..model.clone() };
    if without_jobs(&read) != without_jobs(&planned.model) {
        differ(Path::root());
    }
    findings
}

fn mismatch(path: Path) -> Diagnostic {
    Diagnostic::error("render-mismatch", path, "the rendered text does not say what was planned")
        .with_help("this is a mistake of pyfleet itself: please report it with the manifest")
}

/// Finds every extra step where it has to be, and what is wrong with its being there.
fn extra_steps(
    planned: &Workflow,
    parsed: &workflow::Workflow,
    document: &Document,
    findings: &mut Diagnostics,
) -> Places {
    let mut places = Places::new();
    for (id, job) in &parsed.jobs {
        let rights = if planned.extension.steps.is_empty() {
            String::new()
        } else {
            rights(planned, id, job, document)
        };
        for (position, step) in job.steps.iter().enumerate() {
            let Some(anchor) = &step.id else { continue };
            for side in [Side::Before, Side::After] {
                let lists: Vec<&ExtraSteps> = planned.extra_steps(id, anchor, side).collect();
                let count: usize = lists.iter().map(|list| list.steps.len()).sum();
                let first = match side {
                    Side::Before => position.checked_sub(count),
                    Side::After => Some(position + 1),
                };
                let meant: Vec<&Step> = lists.iter().flat_map(|list| &list.steps).collect();
                let read = first.and_then(|first| job.steps.get(first..first + count));
                let Some((first, read)) = first.zip(read) else {
                    findings.push(mismatch(Path::of(["jobs", id.as_str()])));
                    continue;
                };
                if !read.iter().eq(meant) {
                    findings.push(mismatch(Path::of(["jobs", id.as_str()])));
                }
                let origins =
                    lists.iter().flat_map(|list| (0..list.steps.len()).map(|index| list.origin.index(index)));
                for (position, origin) in (first..).zip(origins) {
                    places.insert((id.clone(), position), origin);
                }
                let mut position = first;
                for list in lists {
                    judge(parsed, id, list, position, &rights, findings);
                    position += list.steps.len();
                }
            }
        }
    }
    for own in &planned.extension.steps {
        if !placed(planned, parsed, own) {
            findings.push(without_place(planned, parsed, own));
        }
    }
    places
}

/// What may be wrong with extra steps that are where they belong.
fn judge(
    parsed: &workflow::Workflow,
    id: &str,
    own: &ExtraSteps,
    position: usize,
    rights: &str,
    findings: &mut Diagnostics,
) {
    let Some(job) = parsed.jobs.get(id).filter(|_| !own.steps.is_empty()) else { return };
    let place = Path::of(["jobs", id]).key("steps").index(position);
    let writes =
        |scope: Scope| job.permissions.as_ref().is_some_and(|token| token.level(scope) == Level::Write);
    let written = match &job.permissions {
        Some(Permissions::Scopes(scopes)) => {
            scopes.keys().copied().find(|scope| *scope != Scope::IdToken && writes(*scope))
        }
        _ => None,
    };
    if let Some(scope) = written.filter(|_| parsed.on.pull_request.is_some()) {
        findings.push(
            Diagnostic::error(
                "extension-refused",
                place,
                format!(
                    "pull requests start this job, and its token has `{scope}: write`: nothing is added to it"
                ),
            )
            .with_help("use a job of your own, under `jobs`, with no more than it needs"),
        );
    } else if !rights.is_empty() {
        findings.push(
            Diagnostic::warning(
                "extension-with-rights",
                place,
                format!("what is added to `{id}` can do what the job can: {rights}"),
            )
            .with_help(format!(
                "where it needs nothing of that, use a job of your own, under `jobs`; otherwise accept it with a \
                 waiver of `extension-with-rights` at the workflow and `.{id}`"
            )),
        );
    }
}

/// What a job holds beside reading the repository.
fn rights(planned: &Workflow, id: &str, job: &workflow::Job, document: &Document) -> String {
    let mut rights = Vec::new();
    if let Some(identity) = planned.jobs.get(id).and_then(|job| job.identity.as_ref()) {
        rights.push(format!("the role `{}` of `{}`", identity.purpose.name(), identity.environment));
    }
    match &job.permissions {
        Some(Permissions::Scopes(scopes)) => {
            let writes = scopes.iter().filter(|(_, level)| **level == Level::Write);
            rights.extend(writes.map(|(scope, _)| match scope {
                Scope::IdToken => "tokens for the cloud".to_owned(),
                scope => format!("`{scope}: write`"),
            }));
        }
        Some(Permissions::ReadAll | Permissions::WriteAll) | None => {
            rights.push("all that its token can do".to_owned())
        }
    }
    if let Some(environment) = &job.environment {
        rights.push(format!("what the environment `{}` holds", environment.name));
    }
    for placed in expressions(document, &Path::of(["jobs", id])) {
        for access in placed.contexts_within(&["secrets"]) {
            let secret = format!("`{access}`");
            if !rights.contains(&secret) {
                rights.push(secret);
            }
        }
    }
    rights.join(", ")
}

fn placed(planned: &Workflow, parsed: &workflow::Workflow, own: &ExtraSteps) -> bool {
    parsed.jobs.iter().any(|(id, job)| {
        job.steps.iter().any(|step| {
            step.id.as_deref() == Some(own.step.as_str())
                && planned.extra_steps(id, &own.step, own.side).any(|other| other.origin == own.origin)
        })
    })
}

/// Why extra steps have no place, and which places there are.
fn without_place(planned: &Workflow, parsed: &workflow::Workflow, own: &ExtraSteps) -> Diagnostic {
    let named = own.job.as_deref();
    let added: Vec<&str> = planned
        .extension
        .steps
        .iter()
        .flat_map(|own| &own.steps)
        .filter_map(|step| step.id.as_deref())
        .collect();
    let ids = |id: &str| {
        let steps = parsed.jobs.get(id).map(|job| job.steps.iter()).into_iter().flatten();
        steps.filter_map(|step| step.id.as_deref()).filter(|step| !added.contains(step))
    };
    let anchors = planned.jobs.iter().flat_map(|(id, job)| ids(id).map(move |step| (id.as_str(), step, job)));
    let (closed, open): (Vec<_>, Vec<_>) = anchors.partition(|(_, _, job)| job.body.decides());
    let is_meant = |job: &str, step: &str| named.is_none_or(|named| named == job) && own.step == step;
    let about = |code, message: String| {
        let mut finding = Diagnostic::error(code, Place::key(Path::of(["jobs"])), message);
        finding.origin = Some(own.origin.clone());
        finding
    };
    if let Some((job, ..)) = closed.iter().find(|(job, step, _)| is_meant(job, step)) {
        return about(
            "extension-refused",
            format!("`{job}` decides whether others run: nothing is added to it"),
        )
        .with_help("use a job of your own, under `jobs`");
    }
    // The job's own, where there is such a job.
    let has_own = open.iter().any(|(job, ..)| named == Some(job));
    let mut anchors: Vec<String> = Vec::new();
    for (job, step, _) in open.iter().filter(|(job, ..)| !has_own || named == Some(job)) {
        let anchor = if named.is_some() { format!("{job}.{step}") } else { (*step).to_owned() };
        if !anchors.contains(&anchor) {
            anchors.push(anchor);
        }
    }
    let written = named.map_or_else(|| own.step.clone(), |job| format!("{job}.{}", own.step));
    let message = match named.filter(|named| !planned.jobs.contains_key(*named)) {
        Some(job) => format!("`{}` has no job with the id `{job}`", planned.name),
        None => format!("no step of `{}` has this id", planned.name),
    };
    let finding = about("unknown-anchor", message);
    match closest(&written, anchors.iter().map(String::as_str)) {
        Some(meant) => finding.with_help(format!("did you mean `{meant}`?")),
        None => finding,
    }
    .with_help(format!("the anchors are {}", listed(anchors.iter().map(String::as_str))))
}

fn origin(planned: &Workflow, places: &Places, path: &Path) -> Path {
    let below = |place: &Path, rest: &[Segment]| {
        rest.iter().fold(place.clone(), |place, segment| match segment {
            Segment::Key(key) => place.key(key),
            Segment::Index(index) => place.index(*index),
        })
    };
    match path.segments() {
        [Segment::Key(jobs), Segment::Key(id), rest @ ..] if jobs == "jobs" => {
            if let Some(own) = planned.extension.jobs.get(id.as_str()) {
                return match rest {
                    [Segment::Key(needs), ..] if needs == "needs" => own.origin.key("after"),
                    rest => below(&own.origin.key("job"), rest),
                };
            }
            if let [Segment::Key(steps), Segment::Index(position), rest @ ..] = rest
                && steps == "steps"
                && let Some(place) = places.get(&(id.to_string(), *position))
            {
                return below(place, rest);
            }
            planned.jobs.get(id.as_str()).map_or_else(|| planned.origin.clone(), |job| job.origin.clone())
        }
        _ => planned.origin.clone(),
    }
}
