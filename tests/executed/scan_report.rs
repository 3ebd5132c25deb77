use super::script::{HOSTILE, Script, assert_inert};
use serde_json::{Value, json};

fn scan(results: &Value) -> Script {
    let report = json!({"SchemaVersion": 2, "ArtifactName": "app", "Results": results});
    Script::new("scan-report.sh")
        .env("SCANNER", "trivy")
        .env("SCAN_REPORT", "the report.json")
        .env("MINIMUM_SEVERITY", "high")
        .env("ON_FINDINGS", "fail")
        .env("TITLE", "Trivy")
        .file("the report.json", report.to_string())
}

fn vulnerability(severity: &str) -> Value {
    json!({
        "VulnerabilityID": "CVE-2026-1", "PkgName": "openssl", "InstalledVersion": "3.0.1", "FixedVersion": "3.0.2",
        "Severity": severity, "Title": "a bug",
    })
}

fn findings() -> Value {
    json!([
        {"Target": "app (debian 12)", "Class": "os-pkgs", "Vulnerabilities": [vulnerability("MEDIUM"), vulnerability("HIGH")]},
        {"Target": "terraform/main.tf", "Class": "config", "Misconfigurations": [
            {"ID": "AWS-1", "AVDID": "AVD-AWS-0001", "Severity": "CRITICAL", "Status": "FAIL", "Title": "open", "CauseMetadata": {"StartLine": 7}},
            {"ID": "AWS-2", "Severity": "CRITICAL", "Status": "PASS", "Title": "closed"},
        ]},
        {"Target": "key.pem", "Class": "secret", "Secrets": [{"RuleID": "private-key", "Severity": "LOW", "Title": "key", "StartLine": 1, "Match": "hush"}]},
        {"Target": "empty"},
    ])
}

#[test]
fn lists_findings_by_severity() {
    let ran = scan(&findings())
        .run()
        .exits(1)
        .says("::error::Trivy: 2 finding(s) at or above high")
        .outputs("findings", "2")
        .shows("### ❌ `Trivy`: 2 at or above high")
        .shows("| 1 | 1 | 1 | 1 | 0 |")
        .shows("| critical | `AVD-AWS-0001` | `terraform/main.tf:7` | – | `open` |")
        .shows("| high | `CVE-2026-1` | `openssl 3.0.1` | `3.0.2` | `a bug` |")
        .never_says("hush")
        .never_says("AWS-2");
    assert!(ran.summary.find("| critical").unwrap() < ran.summary.find("| high").unwrap());
}

#[test]
fn counts_from_the_minimum_upwards() {
    for (minimum, count, code) in
        [("unknown", "4", 1), ("low", "4", 1), ("medium", "3", 1), ("high", "2", 1), ("critical", "1", 1)]
    {
        scan(&findings()).env("MINIMUM_SEVERITY", minimum).run().exits(code).outputs("findings", count);
    }
    scan(&json!([{"Vulnerabilities": [vulnerability("HIGH")]}]))
        .env("MINIMUM_SEVERITY", "critical")
        .run()
        .exits(0)
        .shows("✅");
    scan(&json!([{"Vulnerabilities": [vulnerability("INVENTED")]}]))
        .env("MINIMUM_SEVERITY", "unknown")
        .run()
        .exits(1);
}

#[test]
fn warns_where_findings_do_not_fail() {
    scan(&findings())
        .env("ON_FINDINGS", "warn")
        .run()
        .exits(0)
        .says("::warning::Trivy: 2 finding(s)")
        .shows("⚠️");
}

#[test]
fn an_empty_report_is_a_pass() {
    scan(&json!([])).run().exits(0).outputs("findings", "0");
    scan(&Value::Null).run().exits(0).shows("### ✅ `Trivy`: 0 at or above high");
    scan(&json!([])).file("the report.json", r#"{"SchemaVersion": 2}"#).run().exits(0);
}

#[test]
fn what_is_no_report_is_never_a_pass() {
    for report in [
        "",
        "no json",
        "{}",
        "[]",
        r#"{"SchemaVersion": 1}"#,
        r#"{"SchemaVersion": 2} {"SchemaVersion": 2}"#,
        r#"{"SchemaVersion": 2, "Results": {}}"#,
        r#"{"SchemaVersion": 2, "Results": ["x"]}"#,
        r#"{"SchemaVersion": 2, "Results": [{"Vulnerabilities": {}}]}"#,
        r#"{"SchemaVersion": 2, "Results": [{"Vulnerabilities": ["x"]}]}"#,
        r#"{"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{"Severity": 9}]}]}"#,
        r#"{"SchemaVersion": 2, "Results": [{"Misconfigurations": [{"ID": {}}]}]}"#,
        r#"{"results": {"failed_checks": []}}"#,
    ] {
        let ran = scan(&json!([]))
            .file("the report.json", report)
            .env("ON_FINDINGS", "warn")
            .run()
            .exits(3)
            .says("::error::Trivy:");
        assert!(ran.outputs.is_empty(), "{report}");
    }
    scan(&json!([])).env("SCAN_REPORT", "missing.json").run().exits(3).says("left no report");
}

#[test]
fn hostile_texts_stay_inert() {
    for hostile in HOSTILE {
        let ran = scan(&json!([{"Target": hostile, "Vulnerabilities": [{
            "VulnerabilityID": hostile, "PkgName": hostile, "InstalledVersion": hostile, "FixedVersion": hostile, "Severity": "HIGH", "Title": hostile,
        }], "Misconfigurations": [{"ID": hostile, "Severity": hostile, "Title": hostile, "CauseMetadata": {"StartLine": hostile}}]}]))
        .run()
        .exits(1);
        assert_inert(&ran.summary, &[]);
        assert_eq!(ran.summary.lines().filter(|line| line.starts_with('|')).count(), 7, "{}", ran.summary);
    }
}

#[test]
fn a_long_list_is_cut_and_a_long_title_too() {
    let mut long = vulnerability("HIGH");
    long["Title"] = json!("ä`".repeat(5_000));
    let mut all = vec![long; 50];
    all.extend(vec![vulnerability("HIGH"); 2_950]);
    let ran = scan(&json!([{"Vulnerabilities": all}])).run().exits(1).shows("The 50 most severe of 3000");
    assert!(ran.summary.len() < 60_000, "{}", ran.summary.len());
    assert_inert(&ran.summary, &[]);
}

#[test]
fn refuses_settings_it_does_not_know() {
    for (key, value) in [
        ("SCAN_REPORT", ""),
        ("SCANNER", ""),
        ("SCANNER", "Trivy"),
        ("MINIMUM_SEVERITY", "error"),
        ("ACCEPTED", "none"),
        ("ACCEPTED", "{}"),
        ("ACCEPTED", "[{}]"),
        ("ACCEPTED", r#"[{"rule": "A", "at": "images.app", "reason": "why", "until": "some day"}]"#),
        ("MINIMUM_SEVERITY", "HIGH"),
        ("MINIMUM_SEVERITY", ""),
        ("ON_FINDINGS", "ignore"),
    ] {
        scan(&json!([])).env(key, value).run().exits(2);
    }
}

/// The report of another scanner.
fn report_of(scanner: &str, minimum: &str, report: &Value) -> Script {
    scan(&json!([]))
        .env("SCANNER", scanner)
        .env("MINIMUM_SEVERITY", minimum)
        .file("the report.json", report.to_string())
}

#[test]
fn tfsec_is_read_too() {
    let result = |severity: &str| {
        json!({
            "rule_id": "AVD-AWS-0107", "long_id": "aws-ec2-no-public-ingress-sgr", "severity": severity,
            "description": "open to everybody", "location": {"filename": "/repo/infra/main.tf", "start_line": 5, "end_line": 5},
        })
    };
    report_of("tfsec", "medium", &json!({"results": [result("CRITICAL"), result("LOW")]}))
        .env("GITHUB_WORKSPACE", "/repo")
        .run()
        .exits(1)
        .outputs("findings", "1")
        .shows(
            "| critical | `aws-ec2-no-public-ingress-sgr` | `infra/main.tf:5` | – | `open to everybody` |",
        );
    report_of("tfsec", "medium", &json!({"results": null})).run().exits(0);
    report_of("tfsec", "medium", &json!({})).run().exits(3).says("not one of tfsec");
}

#[test]
fn checkov_is_read_too() {
    let of = |kind: &str| {
        json!({"check_type": kind, "results": {"failed_checks": [{
            "check_id": "CKV_AWS_24", "bc_check_id": null, "check_name": "no SSH for everybody", "severity": null,
            "file_path": "/main.tf", "file_line_range": [4, 11],
        }]}, "summary": {"failed": 1, "parsing_errors": 0}})
    };
    // It knows no severity: everything counts.
    report_of("checkov", "unknown", &of("terraform"))
        .run()
        .exits(1)
        .outputs("findings", "1")
        .shows("| unknown | `CKV_AWS_24` | `main.tf:4` | – | `no SSH for everybody` |");
    report_of("checkov", "unknown", &json!([of("terraform"), of("terraform_json")]))
        .run()
        .exits(1)
        .outputs("findings", "2");
    let nothing = json!({"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0});
    report_of("checkov", "unknown", &nothing).run().exits(0);
    // What could not be read was not looked at.
    let mut unread = of("terraform");
    unread["summary"]["parsing_errors"] = json!(2);
    report_of("checkov", "unknown", &unread)
        .env("ON_FINDINGS", "warn")
        .run()
        .exits(3)
        .says("could not read 2 file(s)");
    report_of("checkov", "unknown", &json!({"resource_count": 3})).run().exits(3);
}

#[test]
fn eslint_has_errors_and_warnings() {
    let message = |rule: Value, severity: u8| json!({"ruleId": rule, "severity": severity, "message": "not so", "line": 3});
    let report = json!([
        {"filePath": "/repo/page/a.js", "messages": [message(json!("no-eval"), 2), message(json!("no-console"), 1)]},
        {"filePath": "/repo/page/b.js", "messages": [message(Value::Null, 2)]},
        {"filePath": "/repo/page/c.js", "messages": []},
    ]);
    let script = |minimum| report_of("eslint", minimum, &report).env("GITHUB_WORKSPACE", "/repo");
    script("error")
        .run()
        .exits(1)
        .outputs("findings", "2")
        .shows("| Error | Warning |")
        .shows("| 2 | 1 |")
        .shows("| error | `no-eval` | `page/a.js:3` | – | `not so` |")
        .shows("| error | `syntax` | `page/b.js:3` |")
        .shows("| warning | `no-console` |");
    script("warning").run().exits(1).outputs("findings", "3");
    script("high").run().exits(2);
    report_of("eslint", "error", &json!([{"filePath": "a.js", "messages": [message(json!("x"), 3)]}]))
        .run()
        .exits(3);
}

/// As npm itself answered about a package that another one brings.
fn npm() -> Value {
    let advisory = |source: u32, url: &str, severity: &str| json!({"source": source, "name": "lodash", "dependency": "lodash", "title": "a bug", "url": url, "severity": severity, "range": "<4.17.21"});
    json!({"auditReportVersion": 2, "vulnerabilities": {
        "lodash": {"name": "lodash", "severity": "high", "isDirect": false, "range": "4.17.20", "fixAvailable": true, "via": [
            advisory(1096996, "https://github.com/advisories/GHSA-29mw-wpgm-hmr9", "moderate"),
            advisory(1106913, "https://github.com/advisories/GHSA-35jh-r3h4-6jhm", "high"),
        ]},
        "async": {"name": "async", "severity": "high", "isDirect": true, "range": "*", "via": ["lodash"], "fixAvailable": true},
    }, "metadata": {"vulnerabilities": {"high": 2}}})
}

#[test]
fn each_advisory_of_npm_is_told_once() {
    report_of("npm-audit", "high", &npm())
        .run()
        .exits(1)
        .outputs("findings", "1")
        .shows("| 0 | 1 | 1 | 0 | 0 |")
        .shows("| high | `GHSA-35jh-r3h4-6jhm` | `lodash <4.17.21` | `npm audit fix` | `a bug` |");
    report_of("npm-audit", "medium", &npm()).run().exits(1).outputs("findings", "2");
    report_of("npm-audit", "critical", &npm()).run().exits(0);
    // What npm leaves where nobody answered.
    report_of("npm-audit", "high", &json!({"message": "down", "error": {"summary": ""}})).run().exits(3);
}

#[test]
fn pip_audit_says_what_it_did_not_look_at() {
    let report = json!({"dependencies": [
        {"name": "jinja2", "version": "2.4.1", "vulns": [{"id": "PYSEC-2021-66", "aliases": ["CVE-2020-28493"], "fix_versions": ["2.11.3"], "description": "slow"}]},
        {"name": "flask", "version": "3.1.0", "vulns": []},
        {"name": "own", "skip_reason": "Dependency not found on PyPI"},
    ], "fixes": []});
    report_of("pip-audit", "unknown", &report)
        .run()
        .exits(1)
        .says("::warning::Trivy: 1 package(s) are not known to the index")
        .shows("| unknown | `PYSEC-2021-66` | `jinja2 2.4.1` | `2.11.3` | `slow` |");
    // By its other name.
    accept(report_of("pip-audit", "unknown", &report), "CVE-2020-28493", "2099-12-31").run().exits(0);
    report_of("pip-audit", "unknown", &json!({"dependencies": {}})).run().exits(3);
}

/// As the schema says that Safety publishes: nobody but an account gets a report.
#[test]
fn safety_is_read_by_its_schema() {
    let of = |known: Value| {
        json!({"meta": {"scan_type": "scan"}, "scan_results": {"files": [], "projects": [{"id": "shop", "files": [{
            "location": "requirements.txt", "type": "requirements.txt", "categories": ["python"],
            "results": {"dependencies": [{"name": "jinja2", "specifications": [
                {"raw": "jinja2==2.4.1", "vulnerabilities": {"known_vulnerabilities": known, "remediation": {"vulnerabilities_found": 1, "recommended": "3.1.6"}}},
            ]}]},
        }]}]}})
    };
    let one = json!({"id": "70612", "vulnerable_spec": "<3"});
    report_of("safety", "unknown", &of(json!([one])))
        .run()
        .exits(1)
        .shows("| unknown | `70612` | `jinja2==2.4.1` | `3.1.6` | `https://data.safetycli.com/v/70612/` |");
    let ignored = json!({"id": "70612", "vulnerable_spec": "<3", "ignored": {"code": "manual", "reason": "x", "expires": null}});
    report_of("safety", "unknown", &of(json!([ignored]))).run().exits(0);
    report_of("safety", "unknown", &json!({"scan_results": {}})).run().exits(3);
}

fn accept(script: Script, rule: &str, until: &str) -> Script {
    let accepted =
        json!([{"rule": rule, "at": "images.app", "reason": "nobody gets | there", "until": until}]);
    script.env("SCANNED", "images.app").env("ACCEPTED", accepted.to_string())
}

#[test]
fn what_is_accepted_does_not_count_and_is_listed() {
    let script = || scan(&findings()).env("MINIMUM_SEVERITY", "critical");
    for rule in ["AVD-AWS-0001", "AWS-1"] {
        accept(script(), rule, "2099-12-31")
            .run()
            .exits(0)
            .outputs("findings", "0")
            .says("nothing at or above critical, 1 accepted")
            .shows("### ✅ `Trivy`: 0 at or above critical, 1 accepted")
            .shows(&format!("| `{rule}` | 1 | 2099-12-31 | `nobody gets \\| there` |"));
    }
    // On its last day it still holds.
    let day = |day: &str| format!("[[ \"$*\" == '-u +%Y-%m-%d' ]] && echo {day}");
    accept(script(), "AVD-AWS-0001", "2027-03-31").tool("date", &day("2027-03-31")).run().exits(0);
    accept(script(), "AVD-AWS-0001", "2027-03-31")
        .tool("date", &day("2027-04-01"))
        .run()
        .exits(1)
        .outputs("findings", "1")
        .says("::warning::Trivy: AVD-AWS-0001 was accepted until 2027-03-31, and counts again")
        .says("::error::Trivy: 1 finding(s) at or above critical")
        .shows("| `AVD-AWS-0001` | 1 | 2027-03-31, ended |");
}

#[test]
fn what_is_accepted_elsewhere_or_not_found_is_said() {
    let script = || scan(&findings()).env("MINIMUM_SEVERITY", "critical");
    let elsewhere =
        accept(script(), "AVD-AWS-0001", "2099-12-31").env("SCANNED", "images.other").run().exits(1);
    assert!(!elsewhere.summary.contains("Accepted"), "{}", elsewhere.summary);
    accept(script(), "CVE-2020-1", "2099-12-31")
        .run()
        .exits(1)
        .says("::warning::Trivy: CVE-2020-1 is accepted until 2099-12-31, and was not found: take the waiver out")
        .shows("| `CVE-2020-1` | 0 | 2099-12-31 |");
    for hostile in HOSTILE {
        let accepted =
            json!([{"rule": hostile, "at": "images.app", "reason": hostile, "until": "2099-12-31"}]);
        let ran = script().env("SCANNED", "images.app").env("ACCEPTED", accepted.to_string()).run().exits(1);
        assert_inert(&ran.summary, &[]);
    }
}
