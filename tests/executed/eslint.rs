use super::script::Script;

/// What npx runs: the project's own, in place of which a stand-in answers.
const NPX: &str = r#"
[[ $1 == --no-install && $2 == eslint ]] || exit 9
[[ ! -e $STATE/missing ]] || { echo 'npm error npx canceled due to missing packages and no YES option' >&2; exit 1; }
[[ $3 != --version ]] || { echo v9.39.5; exit 0; }
[[ "$3 $4 $5 $7" == '--format json --output-file .' ]] || exit 9
[[ ! -e $STATE/broken ]] || { echo "ESLint couldn't find an eslint.config.(js|mjs|cjs) file." >&2; exit 2; }
printf '[{"filePath": "%s/a.js", "messages": []}]' "$PWD" >"$6"
exit "$(cat "$STATE/code")"
"#;

fn linting() -> Script {
    let script = Script::new("eslint.sh")
        .tool("npx", NPX)
        .env("DIRECTORY", "the page")
        .file("the page/package.json", "{}");
    std::fs::write(script.state().join("code"), "0").unwrap();
    let report = script.directory().join("the reports/eslint.json");
    script.env("SCAN_REPORT", report)
}

#[test]
fn the_report_is_there_whatever_it_holds() {
    let script = linting();
    for code in ["0", "1"] {
        std::fs::write(script.state().join("code"), code).unwrap();
        let ran = script.run().exits(0).says("v9.39.5");
        assert!(ran.text("the reports/eslint.json").contains("the page/a.js"));
    }
}

#[test]
fn no_report_is_a_failure() {
    let script = linting();
    std::fs::write(script.state().join("broken"), "").unwrap();
    script
        .run()
        .exits(1)
        .says("couldn't find an eslint.config")
        .says("::error::ESLint did not finish in the page");
}

#[test]
fn another_eslint_than_the_projects_is_never_fetched() {
    let script = linting();
    std::fs::write(script.state().join("missing"), "").unwrap();
    script.run().exits(3).says("::error::there is no ESLint among what the lock file of the page installs");
}

#[test]
fn refuses_settings_it_does_not_know() {
    for (key, value) in
        [("DIRECTORY", ""), ("DIRECTORY", "nowhere"), ("SCAN_REPORT", ""), ("SCAN_REPORT", "report.json")]
    {
        linting().env(key, value).run().exits(2);
    }
}
