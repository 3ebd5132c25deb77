//! Which contexts and functions a place in a workflow allows, and what GitHub refuses while it parses.

use std::fmt;

use super::{Expression, Kind, MAX_ARGUMENTS, Mistake, MistakeKind};

/// The contexts of GitHub's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub enum Context {
    Github,
    Needs,
    Strategy,
    Matrix,
    Vars,
    Inputs,
    Env,
    Job,
    Runner,
    Steps,
    Secrets,
    Jobs,
}

impl Context {
    /// Every context.
    pub const ALL: [Self; 12] = [
        Self::Github,
        Self::Needs,
        Self::Strategy,
        Self::Matrix,
        Self::Vars,
        Self::Inputs,
        Self::Env,
        Self::Job,
        Self::Runner,
        Self::Steps,
        Self::Secrets,
        Self::Jobs,
    ];

    /// The name that expressions call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Needs => "needs",
            Self::Strategy => "strategy",
            Self::Matrix => "matrix",
            Self::Vars => "vars",
            Self::Inputs => "inputs",
            Self::Env => "env",
            Self::Job => "job",
            Self::Runner => "runner",
            Self::Steps => "steps",
            Self::Secrets => "secrets",
            Self::Jobs => "jobs",
        }
    }

    /// The context of a name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|context| context.name().eq_ignore_ascii_case(name))
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which functions a place allows beside those that are allowed everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Status {
    #[default]
    None,
    /// `success` and `failure` may name jobs.
    OfJobs,
    OfSteps,
}

/// What an expression may name at one place.
///
/// ```
/// use pyfleet_core::expression::{Available, Context, parse};
///
/// let here = Available::of(&[Context::Github, Context::Env]);
/// let mistakes = parse("github.sha == secrets.SHA").unwrap().refused(here);
/// assert_eq!(mistakes[0].to_string(), "`secrets` cannot be read here: there are `github` and `env`");
/// assert_eq!(mistakes[0].span, 14..21);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Available {
    contexts: u16,
    status: Status,
    hash_files: bool,
}

impl Available {
    /// Nothing: no expression can stand there.
    pub const NOTHING: Self = Self { contexts: 0, status: Status::None, hash_files: false };

    /// Some contexts, and the functions that are allowed everywhere.
    #[must_use]
    pub const fn of(contexts: &[Context]) -> Self {
        Self::NOTHING.and(contexts)
    }

    /// These, and further contexts.
    #[must_use]
    pub const fn and(mut self, mut contexts: &[Context]) -> Self {
        while let [first, rest @ ..] = contexts {
            self.contexts |= first.bit();
            contexts = rest;
        }
        self
    }

    /// These without a context.
    #[must_use]
    pub const fn without(mut self, context: Context) -> Self {
        self.contexts &= !context.bit();
        self
    }

    /// These, and the status functions as the condition of a job has them.
    #[must_use]
    pub const fn and_status_of_jobs(mut self) -> Self {
        self.status = Status::OfJobs;
        self
    }

    /// These, and the status functions as the condition of a step has them.
    #[must_use]
    pub const fn and_status_of_steps(mut self) -> Self {
        self.status = Status::OfSteps;
        self
    }

    /// These, and `hashFiles`.
    #[must_use]
    pub const fn and_hash_files(mut self) -> Self {
        self.hash_files = true;
        self
    }

    /// Whether a context can be read.
    #[must_use]
    pub const fn has(self, context: Context) -> bool {
        self.contexts & context.bit() != 0
    }

    /// The contexts that can be read.
    pub fn contexts(self) -> impl Iterator<Item = Context> {
        Context::ALL.into_iter().filter(move |context| self.has(*context))
    }

    /// Whether no expression can stand there.
    #[must_use]
    pub const fn is_nothing(self) -> bool {
        self.contexts == 0
    }

    /// How few and how many arguments a function takes here; none where it cannot be called.
    #[must_use]
    pub fn arguments_of(self, function: Function) -> Option<(usize, usize)> {
        use Function::{Always, Cancelled, Failure, HashFiles, Success};
        match (function, self.status) {
            (Always | Cancelled | Success | Failure, Status::None) => None,
            (Success | Failure, Status::OfJobs) => Some((0, usize::MAX)),
            (HashFiles, _) if !self.hash_files => None,
            _ => Some(function.arguments()),
        }
    }
}

/// The functions of GitHub's language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "GitHub's own names")]
pub enum Function {
    Contains,
    StartsWith,
    EndsWith,
    Format,
    Join,
    ToJson,
    FromJson,
    Case,
    HashFiles,
    Success,
    Failure,
    Always,
    Cancelled,
}

impl Function {
    /// Every function.
    pub const ALL: [Self; 13] = [
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Format,
        Self::Join,
        Self::ToJson,
        Self::FromJson,
        Self::Case,
        Self::HashFiles,
        Self::Success,
        Self::Failure,
        Self::Always,
        Self::Cancelled,
    ];

    /// The name that expressions call it by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::Format => "format",
            Self::Join => "join",
            Self::ToJson => "toJSON",
            Self::FromJson => "fromJSON",
            Self::Case => "case",
            Self::HashFiles => "hashFiles",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Always => "always",
            Self::Cancelled => "cancelled",
        }
    }

    /// The function of a name, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))
    }

    /// Whether it asks how the run has gone so far. A condition that calls none of these means
    /// `success() && (…)`.
    #[must_use]
    pub const fn is_status(self) -> bool {
        matches!(self, Self::Success | Self::Failure | Self::Always | Self::Cancelled)
    }

    /// How few and how many arguments it takes.
    const fn arguments(self) -> (usize, usize) {
        match self {
            Self::Contains | Self::StartsWith | Self::EndsWith => (2, 2),
            Self::Format | Self::HashFiles => (1, MAX_ARGUMENTS),
            Self::Join => (1, 2),
            Self::ToJson | Self::FromJson => (1, 1),
            Self::Case => (3, MAX_ARGUMENTS),
            Self::Success | Self::Failure | Self::Always | Self::Cancelled => (0, 0),
        }
    }
}

impl Expression {
    /// What GitHub refuses in this expression at a place that allows only some names: contexts and functions
    /// that do not exist or cannot stand there, and calls with too few or too many arguments. In the order in which
    /// GitHub meets them, which stops at the first.
    #[must_use]
    pub fn refused(&self, available: Available) -> Vec<Mistake> {
        // Arguments are counted where a call ends.
        let mut mistakes: Vec<(usize, Mistake)> = Vec::new();
        self.walk(&mut |expression| match &expression.kind {
            Kind::Context(name) => {
                let kind = match Context::named(name) {
                    Some(context) if available.has(context) => return,
                    Some(_) => MistakeKind::ContextNotHere(name.to_string(), available),
                    None => MistakeKind::UnknownContext(name.to_string(), available),
                };
                mistakes.push((expression.span.start, Mistake { kind, span: expression.span.clone() }));
            }
            Kind::Call { function: name, arguments } => {
                if let Some(kind) = refused_call(name, arguments.len(), available) {
                    let start = expression.span.start;
                    let is_counted =
                        matches!(kind, MistakeKind::Arguments { .. } | MistakeKind::EvenArguments);
                    let met = if is_counted { expression.span.end } else { start };
                    mistakes.push((met, Mistake { kind, span: start..start + name.len() }));
                }
            }
            _ => {}
        });
        mistakes.sort_by_key(|(met, _)| *met);
        mistakes.into_iter().map(|(_, mistake)| mistake).collect()
    }

    /// Whether this asks how the run has gone so far, anywhere in it.
    #[must_use]
    pub fn calls_status(&self) -> bool {
        self.calls().iter().any(|call| Function::named(call.function).is_some_and(Function::is_status))
    }
}

fn refused_call(name: &str, arguments: usize, available: Available) -> Option<MistakeKind> {
    let Some(function) = Function::named(name) else {
        return Some(MistakeKind::UnknownFunction(name.to_owned()));
    };
    let Some((least, most)) = available.arguments_of(function) else {
        return Some(MistakeKind::FunctionNotHere(function));
    };
    if arguments < least || arguments > most {
        return Some(MistakeKind::Arguments { function, least, most, found: arguments });
    }
    (function == Function::Case && arguments.is_multiple_of(2)).then_some(MistakeKind::EvenArguments)
}

/// The contexts that can be read, as a sentence lists them.
pub(super) struct Listed(pub(super) Available);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let contexts: Vec<_> = self.0.contexts().collect();
        match contexts.as_slice() {
            [] => f.write_str("no expression can stand there"),
            [only] => write!(f, "there is only `{only}`"),
            [first @ .., last] => {
                f.write_str("there are ")?;
                for (position, context) in first.iter().enumerate() {
                    write!(f, "{}`{context}`", if position == 0 { "" } else { ", " })?;
                }
                write!(f, " and `{last}`")
            }
        }
    }
}
