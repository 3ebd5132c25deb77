use super::script::Script;

/// All three: each leaves what it is told to, and ends as it is told to.
const TOOL: &str = r#"
[[ ! -e $STATE/down ]] || { cat "$STATE/down"; exit 1; }
report=/dev/stdout
for argument; do
  case ${previous:-} in --output | json) report=$argument ;; esac
  previous=$argument
done
printf '%s\n' "$*" >"$STATE/asked"
[[ ! -e $STATE/silent ]] || exit 65
cat "$STATE/report" >"$report"
exit "$(cat "$STATE/code")"
"#;

fn auditing(scanner: &str) -> Script {
    let script = ["npm", "pip-audit", "safety"]
        .into_iter()
        .fold(Script::new("dependency-audit.sh"), |script, tool| script.tool(tool, TOOL));
    for (file, text) in [("code", "0"), ("report", r#"{"auditReportVersion": 2}"#)] {
        std::fs::write(script.state().join(file), text).unwrap();
    }
    let report = script.directory().join("the reports/audit.json");
    script
        .env("SCANNER", scanner)
        .env("DIRECTORY", "the page")
        .env("REQUIREMENTS", "requirements.txt")
        .env("SAFETY_API_KEY", "hush")
        .env("SCAN_REPORT", report)
        .file("the page/package-lock.json", "{}")
}

fn asked(script: &Script) -> String {
    std::fs::read_to_string(script.state().join("asked")).unwrap()
}

#[test]
fn the_report_is_there_whatever_it_holds() {
    for (scanner, found, command) in [
        ("npm-audit", "1", "audit --json --package-lock-only"),
        ("pip-audit", "1", "--requirement requirements.txt --format json --output"),
        ("safety", "64", "--stage cicd scan --target . --save-as json"),
    ] {
        let script = auditing(scanner);
        for code in ["0", found] {
            std::fs::write(script.state().join("code"), code).unwrap();
            let ran = script.run().exits(0).never_says("hush");
            assert!(ran.text("the reports/audit.json").contains("auditReportVersion"));
            assert!(asked(&script).starts_with(command), "{}", asked(&script));
        }
    }
}

/// What npm leaves where the registry is not reached, and where it refuses.
#[test]
fn no_answer_is_no_clean_bill() {
    for (report, reason) in [
        (
            r#"{"message": "request to https://registry.npmjs.org failed, reason: connect ECONNREFUSED", "error": {"summary": ""}}"#,
            "connect ECONNREFUSED",
        ),
        (r#"{"error": {"code": "EAUDIT", "summary": "endpoint is down"}}"#, "endpoint is down"),
        ("{}", "no report"),
        ("<html>", "no report"),
        ("", "no report"),
    ] {
        let script = auditing("npm-audit");
        std::fs::write(script.state().join("down"), report).unwrap();
        let ran = script
            .run()
            .exits(1)
            .says("::error::the advisories for the page cannot be asked for: ")
            .says(reason);
        assert!(!ran.directory.join("the reports/audit.json").exists());
    }
    for (scanner, maker) in [("pip-audit", "pip-audit"), ("safety", "Safety")] {
        let script = auditing(scanner);
        std::fs::write(script.state().join("silent"), "").unwrap();
        script.run().exits(1).says(&format!("cannot be asked for: {maker} ended with 65"));
    }
    // A key that Safety does not take, although it left something.
    let script = auditing("safety");
    std::fs::write(script.state().join("code"), "65").unwrap();
    script.run().exits(1).says("Safety ended with 65");
}

#[test]
fn a_key_that_is_empty_is_said() {
    auditing("safety")
        .env("SAFETY_API_KEY", "")
        .run()
        .exits(1)
        .says("the secret that holds the key of Safety is empty");
}

#[test]
fn nothing_is_known_without_a_lock_file() {
    let script = auditing("npm-audit").file("empty/package.json", "{}").env("DIRECTORY", "empty");
    script.run().exits(3).says("::error::empty has no package-lock.json");
}

#[test]
fn refuses_settings_it_does_not_know() {
    for (key, value) in [
        ("SCANNER", "yarn"),
        ("DIRECTORY", ""),
        ("DIRECTORY", "nowhere"),
        ("REQUIREMENTS", ""),
        ("SCAN_REPORT", "report.json"),
    ] {
        auditing("pip-audit").env(key, value).run().exits(2);
    }
}
