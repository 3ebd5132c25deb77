//! SARIF 2.1.0, for GitHub's code scanning and whatever else shows the findings of analysers.
//!
//! ([SARIF 2.1.0](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html);
//! [GitHub: SARIF support](https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support))

use std::collections::BTreeMap;
use std::io;

use camino::Utf8Path;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pyfleet_core::diagnostic::Severity;
use pyfleet_core::explanation::{self, Explanation};
use pyfleet_core::source::{Source, Span};
use serde::Serialize;

use super::{Finding, Report, first_line, visible};
use crate::Streams;
use crate::exit::Exit;
use crate::lock::GENERATOR;

/// The code of a file that is not as it is rendered.
const NOT_CURRENT: &str = "not-current";

/// What stays as it is in a path of a URI.
const IN_A_PATH: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    /// Columns count characters, as [`Source::position`] does.
    column_kind: &'static str,
    results: Vec<Result>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text,
    full_description: Text,
    help: Help,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_configuration: Option<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<Properties>,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: Level,
}

#[derive(Serialize)]
struct Properties {
    tags: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
}

#[derive(Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warning,
    Note,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Result {
    rule_id: &'static str,
    rule_index: usize,
    level: Level,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

/// A file as a whole: code scanning shows a result in a line or not at all.
const WHOLE: Region = Region { start_line: 1, start_column: 1, end_line: 1, end_column: 1 };

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
}

/// Prints the log. It holds nothing that looks like a secret, and no line of it is a command to GitHub's runner.
pub(crate) fn write(report: &Report, exit: Exit, streams: &mut Streams<'_>) -> io::Result<()> {
    let text = serde_json::to_string_pretty(&log(report, exit)).map_err(io::Error::from)?;
    writeln!(streams.out, "{}", text.replace("##[", "#\\u0023["))
}

fn log(report: &Report, exit: Exit) -> Log {
    let mut codes: BTreeMap<&'static str, usize> = BTreeMap::new();
    for finding in report.texts.iter().flat_map(|text| &text.findings) {
        codes.insert(finding.diagnostic.code, 0);
    }
    let files: Vec<&super::File> =
        report.files.iter().flatten().filter(|file| exit != Exit::Clean && file.is_not_current()).collect();
    if !files.is_empty() {
        codes.insert(NOT_CURRENT, 0);
    }
    for (position, index) in codes.values_mut().enumerate() {
        *index = position;
    }
    let found = report.texts.iter().flat_map(|text| {
        text.findings.iter().map(|finding| result(&report.root, &text.source, finding, &codes))
    });
    let not_current = files.iter().map(|file| Result {
        rule_id: NOT_CURRENT,
        rule_index: codes.get(NOT_CURRENT).copied().unwrap_or_default(),
        level: Level::Error,
        message: message(&format!("{}: {}", file.path, file.meaning), file.help.as_slice()),
        locations: [Location {
            message: None,
            physical_location: physical(&report.root, &file.path, WHOLE),
            logical_locations: Vec::new(),
        }],
        related_locations: Vec::new(),
    });
    let results = found.chain(not_current).collect();
    Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "pyfleet-gen",
                    semantic_version: GENERATOR,
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: codes.keys().map(|code| rule(code)).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: exit != Exit::CouldNotRun,
                exit_code: exit.code(),
            }],
            column_kind: "unicodeCodePoints",
            results,
        }],
    }
}

fn rule(code: &'static str) -> Rule {
    let text = |text: &str| Text { text: text.to_owned() };
    match explanation::find(code) {
        Some(Explanation::Rule(rule)) => Rule {
            id: code,
            short_description: text(rule.summary),
            full_description: text(rule.summary),
            help: Help { text: rule.documentation, markdown: rule.documentation },
            default_configuration: Some(Configuration { level: level(rule.severity) }),
            properties: Some(Properties { tags: [rule.group.name()] }),
        },
        about => {
            let about = match about {
                Some(Explanation::Other { about, .. }) => about,
                _ => code,
            };
            let summary = about.split_once(". ").map_or(about, |(first, _)| first);
            Rule {
                id: code,
                short_description: text(summary),
                full_description: text(about),
                help: Help { text: about, markdown: about },
                default_configuration: None,
                properties: None,
            }
        }
    }
}

/// A finding in a rendered file stands where the manifest asks for it: nobody edits the rendered file, and it may not have
/// been written.
fn result(
    root: &Utf8Path,
    source: &Source,
    finding: &Finding,
    codes: &BTreeMap<&'static str, usize>,
) -> Result {
    let diagnostic = &finding.diagnostic;
    let own = || location(root, source, finding.span(), &diagnostic.place.path.to_string(), None);
    let (first, mut related) = match &finding.origin {
        None => (own(), Vec::new()),
        Some((manifest, span)) => {
            let path = diagnostic.origin.clone().unwrap_or_default().to_string();
            let mut rendered = own();
            rendered.message = Some(Text { text: "what is rendered from here".to_owned() });
            (location(root, manifest, span.clone(), &path, None), vec![rendered])
        }
    };
    related.extend(diagnostic.labels.iter().filter_map(|label| {
        let span = label.place.span.clone()?;
        Some(location(root, source, span, &label.place.path.to_string(), Some(&label.message)))
    }));
    Result {
        rule_id: diagnostic.code,
        rule_index: codes.get(diagnostic.code).copied().unwrap_or_default(),
        level: level(diagnostic.severity),
        message: message(&diagnostic.message, &diagnostic.help),
        locations: [first],
        related_locations: related,
    }
}

fn message(text: &str, help: &[String]) -> Text {
    let help = help.iter().map(|help| format!("\nhelp: {}", visible(help)));
    Text { text: format!("{}{}", visible(text), help.collect::<String>()) }
}

fn location(root: &Utf8Path, source: &Source, span: Span, path: &str, message: Option<&str>) -> Location {
    let Span { start, end } = first_line(source.text(), span);
    let (start, end) = (source.position(start), source.position(end));
    let region = Region {
        start_line: start.line,
        start_column: start.column,
        end_line: end.line,
        end_column: end.column,
    };
    let named = |path: &str| LogicalLocation { fully_qualified_name: visible(path).into_owned() };
    Location {
        message: message.map(|message| Text { text: visible(message).into_owned() }),
        physical_location: physical(root, source.name(), region),
        logical_locations: Some(path).filter(|path| !path.is_empty()).map(named).into_iter().collect(),
    }
}

fn physical(root: &Utf8Path, file: &str, region: Region) -> PhysicalLocation {
    let path = root.join(visible(file).as_ref());
    let uri = utf8_percent_encode(path.as_str(), IN_A_PATH).to_string();
    PhysicalLocation { artifact_location: ArtifactLocation { uri }, region }
}

const fn level(severity: Severity) -> Level {
    match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    }
}
