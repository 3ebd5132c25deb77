//! For whoever changes a rule: how often each fires on other people's workflows. What is not a defect
//! there is a wrong finding.
//!
//! ```sh
//! PYFLEET_SHOW=timeout-set cargo test -p pyfleet-core --lib how_often -- --ignored --nocapture
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::rules::RULES;
use super::{Repository, Subject, run};
use crate::reference_data;
use crate::source::Source;
use crate::workflow;

#[test]
#[ignore = "prints, and decides nothing"]
#[expect(clippy::disallowed_methods, clippy::print_stderr, reason = "a tool for the terminal")]
fn how_often_each_rule_fires() {
    let Some(data) = reference_data::folder() else { return };
    let shown = std::env::var("PYFLEET_SHOW").unwrap_or_default();
    let mut counts = BTreeMap::<_, (usize, BTreeSet<String>)>::new();
    let files: Vec<_> = reference_data::files(data.join("corpus/workflows"))
        .into_iter()
        .map(|path| {
            (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), reference_data::text(path))
        })
        .collect();
    // A file is called `owner__repository__file.yml`.
    let mut repositories = BTreeMap::<&str, Repository>::new();
    for (name, text) in &files {
        if let Some((repository, file)) = name.rsplit_once("__") {
            repositories.entry(repository).or_default().add(&format!(".github/workflows/{file}"), text);
        }
    }
    let unknown = Repository::default();
    for (name, text) in &files {
        let (read, _) = workflow::parse(Source::new("other.yml", text.clone()));
        let Some((workflow, document)) = read else { continue };
        let repository = name.rsplit_once("__").and_then(|(repository, _)| repositories.get(repository));
        let subject = Subject::workflow(&workflow, &document).among(repository.unwrap_or(&unknown));
        for finding in &run(&subject, RULES) {
            if finding.code == shown {
                let start = finding.place.span.as_ref().map_or(0, |span| span.start);
                let line = text[..start].matches('\n').count();
                let written = text.lines().nth(line).unwrap_or_default().trim();
                eprintln!("{name}:{}: {}: {} | {written}", line + 1, finding.severity, finding.message);
            }
            let (count, files) = counts.entry((finding.code, finding.severity)).or_default();
            *count += 1;
            files.insert(name.clone());
        }
    }
    for ((code, severity), (count, files)) in counts {
        eprintln!("{severity}[{code}]: {count} in {} files", files.len());
    }
}
