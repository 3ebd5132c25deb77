use super::script::{HOSTILE, Script, assert_inert};
use serde_json::{Value, json};

fn scan(results: &Value) -> Script {
    let report = json!({"SchemaVersion": 2, "ArtifactName": "app", "Results": results});
    Script::new("scan-report.sh")
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
        ("MINIMUM_SEVERITY", "HIGH"),
        ("MINIMUM_SEVERITY", ""),
        ("ON_FINDINGS", "ignore"),
    ] {
        scan(&json!([])).env(key, value).run().exits(2);
    }
}
