//! The judge: rules over a workflow or a manifest.
//!
//! A rule is one file in `rules/`: its metadata and documentation, one function, its tests. Another rule
//! is another file and its line in [`rules::RULES`]; `explain`, the documentation and the schema follow
//! from it. A rule looks at the plain model, asks the document for what the model leaves out (comments,
//! the text of numbers), and names places by path; [`run`] locates them.
//!
//! Deliberately absent: configuration. A rule says what is wrong; whether that stops anything is decided
//! by its severity and by whoever asks.

#[cfg(test)]
mod actionlint;
#[cfg(test)]
mod beside;
mod commands;
#[cfg(test)]
mod firings;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod mutants;
mod repository;
mod rights;
pub mod rules;
mod scope;
mod script;
#[cfg(test)]
mod sizes;
mod workflow_file;

pub use repository::{ActionFile, ActionInput, Repository};
pub use workflow_file::{PlacedJob, PlacedStep, WorkflowFile};

use std::cell::OnceCell;

use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place, Severity};
use crate::source::Source;
use crate::workflow::{self, Parsed, Placed, Workflow, expressions};
use crate::yaml::tree::Document;

/// What a rule says about itself, and how it looks.
#[derive(Debug)]
pub struct Rule {
    /// Its name in findings, in kebab-case; the name of its file.
    pub code: &'static str,
    /// What it is about.
    pub group: Group,
    /// How bad its findings are.
    pub severity: Severity,
    /// Whether GitHub itself refuses a file in which it finds an error.
    pub rejects: bool,
    /// What holds where it finds nothing, in one line.
    pub summary: &'static str,
    /// Markdown with the sections "What it does", "Why", "Example" and "Instead".
    pub documentation: &'static str,
    /// The function that looks.
    pub check: Check,
}

/// What a rule is about, as the documentation of the rules groups them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Group {
    Graph,
    Syntax,
    Expression,
    Permission,
    Oidc,
    Pinning,
    Injection,
    Secrets,
    Timeouts,
}

impl Group {
    /// What it is called, as a tag of the rule.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Syntax => "syntax",
            Self::Expression => "expression",
            Self::Permission => "permission",
            Self::Oidc => "oidc",
            Self::Pinning => "pinning",
            Self::Injection => "injection",
            Self::Secrets => "secrets",
            Self::Timeouts => "timeouts",
        }
    }
}

/// The function of a rule, by what it looks at.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// Looks at a workflow.
    Workflow(fn(&WorkflowFile<'_>, &mut Diagnostics)),
    /// Looks at the expressions of a workflow file, also of one that says something else wrongly.
    Expressions(fn(&Document, &[Placed], &mut Diagnostics)),
    /// Looks at a manifest.
    Manifest(fn(&Document, &mut Diagnostics)),
    /// Is found by the reader of workflows, under this code, before there is anything to look at.
    Reader,
}

/// What is judged.
#[derive(Debug)]
pub enum Subject<'a> {
    /// A workflow file.
    Workflow(WorkflowFile<'a>),
    /// A workflow file that means nothing, because keys or values in it are wrong.
    Unreadable(&'a Document),
    /// A manifest.
    Manifest(&'a Document),
}

impl<'a> Subject<'a> {
    /// A workflow and the document it was read from.
    #[must_use]
    pub const fn workflow(workflow: &'a Workflow, document: &'a Document) -> Self {
        Self::Workflow(WorkflowFile::new(workflow, document))
    }

    /// A workflow that was read, with the expressions that were read with it.
    #[must_use]
    pub fn parsed(parsed: &'a Parsed) -> Self {
        Self::Workflow(WorkflowFile::parsed(parsed))
    }

    /// The same, among the other files of its repository.
    ///
    /// ```
    /// use pyfleet_core::check::{self, Repository, Subject, rules};
    /// use pyfleet_core::source::Source;
    /// use pyfleet_core::workflow;
    ///
    /// let mut repository = Repository::default();
    /// let called = "on: workflow_call\npermissions: {}\njobs: {a: {permissions: {issues: write}}}\n";
    /// repository.add(".github/workflows/called.yml", called);
    ///
    /// let caller = "on: push\npermissions: {}\njobs: {a: {uses: ./.github/workflows/called.yml}}\n";
    /// let (workflow, document) = workflow::parse(Source::new("caller.yml", caller)).0.unwrap();
    /// let rule = rules::find("reusable-permissions-fit").unwrap();
    /// let subject = Subject::workflow(&workflow, &document);
    /// assert!(check::run(&subject, &[rule]).is_empty());
    /// assert!(!check::run(&subject.among(&repository), &[rule]).is_empty());
    /// ```
    #[must_use]
    pub fn among(self, repository: &'a Repository) -> Self {
        match self {
            Self::Workflow(mut file) => {
                file.repository = Some(repository);
                Self::Workflow(file)
            }
            Self::Manifest(_) | Self::Unreadable(_) => self,
        }
    }

    const fn document(&self) -> &'a Document {
        match self {
            Self::Workflow(file) => file.document,
            Self::Unreadable(document) | Self::Manifest(document) => document,
        }
    }
}

impl Rule {
    /// A finding of this rule.
    pub fn finding(&self, place: impl Into<Place>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.severity, self.code, place, message)
    }
}

/// What the given rules find, in the order of the text, with spans. Rules that look at something else
/// find nothing.
///
/// ```
/// use pyfleet_core::check::{self, Subject, rules::RULES};
/// use pyfleet_core::source::Source;
/// use pyfleet_core::workflow;
///
/// let text = "on: push\npermissions: {}\njobs:\n  a:\n    permissions: {}\n    runs-on: ubuntu-24.04\n";
/// let (read, _) = workflow::parse(Source::new("ci.yml", text));
/// let (workflow, document) = read.unwrap();
/// let findings = check::run(&Subject::workflow(&workflow, &document), RULES);
/// assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["timeout-set"]);
/// ```
#[must_use]
pub fn run(subject: &Subject<'_>, rules: &[&Rule]) -> Diagnostics {
    let mut findings = Diagnostics::new();
    let unreadable = OnceCell::new();
    for rule in rules {
        match (rule.check, subject) {
            (Check::Workflow(check), Subject::Workflow(file)) => check(file, &mut findings),
            (Check::Expressions(check), Subject::Workflow(file)) => {
                check(file.document, file.expressions(), &mut findings);
            }
            (Check::Expressions(check), Subject::Unreadable(document)) => {
                check(
                    document,
                    unreadable.get_or_init(|| expressions(document, &Path::root())),
                    &mut findings,
                );
            }
            (Check::Manifest(check), Subject::Manifest(document)) => check(document, &mut findings),
            (Check::Workflow(_) | Check::Expressions(_), Subject::Manifest(_))
            | (Check::Workflow(_), Subject::Unreadable(_))
            | (Check::Manifest(_), Subject::Workflow(_) | Subject::Unreadable(_))
            | (Check::Reader, _) => {}
        }
    }
    subject.document().locate(&mut findings);
    let mut findings: Vec<_> = findings.into_iter().collect();
    findings.sort_by_key(|finding| finding.place.span.as_ref().map(|span| span.start));
    findings.into_iter().collect()
}

/// Everything that is wrong with a workflow file: what GitHub refuses in it, then what the rules object to. Where keys
/// or values are wrong, the rest is judged without them.
///
/// ```
/// use pyfleet_core::check::{judge, rules::RULES};
/// use pyfleet_core::source::Source;
///
/// let text = "on: push\njobs:\n  a:\n    runs_on: x\n    if: github.event_nam == 'push'\n";
/// let findings = judge(Source::new("ci.yml", text), RULES);
/// let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
/// assert_eq!(codes, ["unknown-key", "expr-typed"]);
/// ```
#[must_use]
pub fn judge(source: Source, rules: &[&Rule]) -> Diagnostics {
    let (parsed, mut findings) = workflow::read(source.clone());
    match parsed {
        Some(parsed) => findings.extend(run(&Subject::parsed(&parsed), rules)),
        None => findings.extend(run_beside(source, &findings, None, rules)),
    }
    findings
}

/// What is wrong with a workflow file beside the mistakes that [`workflow::parse`] found in it: what GitHub refuses in
/// the rest, and what the rules object to there.
#[must_use]
pub fn run_beside(
    source: Source,
    mistakes: &Diagnostics,
    repository: Option<&Repository>,
    rules: &[&Rule],
) -> Diagnostics {
    let Some(rest) = workflow::rest(source.clone(), mistakes) else {
        let document = Document::parse_workflow(source);
        return document.map(|document| run(&Subject::Unreadable(&document), rules)).unwrap_or_default();
    };
    let about_workflows: Vec<&Rule> =
        rules.iter().copied().filter(|rule| matches!(rule.check, Check::Workflow(_))).collect();
    let subject = Subject::workflow(&rest.workflow, &rest.document);
    let subject = match repository {
        Some(repository) => subject.among(repository),
        None => subject,
    };
    let mut found = rest.mistakes.clone();
    found.extend(rest.beside(run(&subject, &about_workflows)));
    found.extend(run(&Subject::Unreadable(&rest.whole), rules));
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|finding| finding.place.span.as_ref().map(|span| span.start));
    found.into_iter().collect()
}
