use std::fmt::Write;

use pyfleet_core::check::rules::RULES;

use crate::tool;

const PINNED: &str = "docs/rules.md";

/// `docs/rules.md` is written from the rules; `PYFLEET_UPDATE=1 cargo test` rewrites it.
#[test]
fn the_documentation_of_the_rules_is_written_from_the_rules() {
    let path = tool::repository().join(PINNED);
    let written = documentation();
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        std::fs::write(&path, &written).unwrap();
    }
    let pinned = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        pinned == written,
        "{PINNED} is not what the rules say: rewrite it with PYFLEET_UPDATE=1 cargo test rules"
    );
}

fn documentation() -> String {
    let mut text = String::from(
        "# Rules\n\nWritten from `pyfleet-core/src/check/rules/`; do not edit. Every render is judged by all of them, and so is any \
         workflow that `pyfleet-gen validate` is given.\n\n| rule | severity | what holds where it finds nothing |\n|---|---|---|\n",
    );
    for rule in RULES {
        // Writing to a string cannot fail.
        writeln!(text, "| [`{code}`](#{code}) | {} | {} |", rule.severity, rule.summary, code = rule.code)
            .unwrap();
    }
    for rule in RULES {
        let documentation = rule.documentation.replace("\n## ", "\n### ");
        let documentation =
            documentation.strip_prefix("## ").map_or(documentation.clone(), |rest| format!("### {rest}"));
        write!(text, "\n## {}\n\n{}\n", rule.code, documentation.trim_end()).unwrap();
    }
    text
}
