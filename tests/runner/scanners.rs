//! What scanners say of Terraform's files, of code and of dependencies, judged in rendered workflows.

use std::fs;

use super::Run;
use crate::repo::Repo;
use crate::tool;

/// Two stacks, and the workflow of a manifest of the tests.
fn stacks(manifest: &str) -> Repo {
    let repo = Repo::new();
    let text = fs::read_to_string(tool::repository().join("tests/manifests").join(manifest)).unwrap();
    repo.manifest(&text);
    for stack in ["network", "app"] {
        repo.write(&format!("infra/{stack}/main.tf"), "resource \"terraform_data\" \"it\" {}\n");
    }
    repo.run(["render"]).exits(0);
    repo
}

fn terraform(repo: &Repo) -> Run {
    Run::of(".github/workflows/terraform.yml", repo.path(".")).event("push").action(
        "github/codeql-action/upload-sarif",
        |action| {
            let report = action.input("sarif_file").unwrap();
            action.say(format!(
                "{} {}",
                action.input("category").unwrap(),
                fs::read_to_string(report).unwrap()
            ));
            Ok(())
        },
    )
}

/// The release with a program that finds something in one stack; what was fetched is taken for what was released.
const CURL: &str = r#"
while (($#)); do [[ $1 == --output ]] && out=$2; shift; done
cat >"$STATE/tfsec" <<'EOP'
#!/usr/bin/env bash
directory=$1
while (($#)); do
  case $1 in --format) format=$2 ;; --out) out=$2 ;; esac
  shift
done
if [[ $format == sarif ]]; then echo "sarif of $directory" >"$out"; exit; fi
finding='{"rule_id": "AVD-AWS-0107", "long_id": "aws-ec2-no-public-ingress-sgr", "severity": "CRITICAL",
  "description": "open to everybody", "location": {"filename": "'$PWD/$directory'/main.tf", "start_line": 1}}'
[[ $directory == infra/network ]] || finding=${finding//0107/0089}
printf '{"results": [%s]}\n' "$finding" >"$out"
EOP
chmod +x "$STATE/tfsec" && tar -czf "$out" -C "$STATE" tfsec
"#;
const SHA256SUM: &str = "echo \"329ae7f67f2f1813ebe08de498719ea7003c75d3ca24bb0b038369062508008e  $2\"";

#[test]
fn tfsec_warns_and_what_is_accepted_is_told_with_its_end() {
    let Some(_) = tool::find("jq") else { return };
    let repo = stacks("tfsec.yml");
    let run = terraform(&repo).tool("curl", CURL).tool("sha256sum", SHA256SUM);
    let Some(ran) = run.run() else { return };
    let scan = ran.job("scan").succeeded().says("::warning::app: 1 finding(s) at or above medium");
    let summary = scan.of("stack", "network").summary();
    assert!(summary.contains("### ✅ `network`: 0 at or above medium, 1 accepted"), "{summary}");
    assert!(
        summary.contains("| `AVD-AWS-0107` | 1 | 2099-12-31 | `the load balancer is there for everybody` |")
    );
    let summary = scan.of("stack", "app").summary();
    assert!(summary.contains("### ⚠️ `app`: 1 at or above medium"), "{summary}");
    assert!(summary.contains("`infra/app/main.tf:1`"), "{summary}");
    ran.job("code-scanning").succeeded().says("tfsec-config-network sarif of infra/network");

    // What has ended counts again; where findings fail, that fails.
    repo.replace("pyfleet.yml", "2099-12-31", "2024-12-31");
    repo.replace("pyfleet.yml", "on-findings: warn", "on-findings: fail");
    repo.run(["render"]).exits(0);
    let Some(ran) = terraform(&repo).tool("curl", CURL).tool("sha256sum", SHA256SUM).run() else { return };
    ran.job("scan").failed().says("AVD-AWS-0107 was accepted until 2024-12-31, and counts again");
    assert!(ran.job("scan").of("stack", "network").summary().contains("2024-12-31, ended"));
    ran.job("gate").failed();

    // Another archive than the one that is known.
    let Some(ran) = terraform(&repo).tool("curl", CURL).run() else { return };
    ran.job("scan")
        .failed()
        .says("::error::the archive of tfsec 1.28.14 has another checksum than it should");
    ran.job("code-scanning").failed();
}

/// Leaves both reports, as Checkov does where it is told two files.
const CHECKOV: &str = r#"
[[ "$*" == *'--framework terraform terraform_json --skip-download --soft-fail --quiet --compact --output json --output sarif '* ]] || exit 9
files=${*: -1}
printf '{"check_type": "terraform", "results": {"failed_checks": [%s]}, "summary": {"parsing_errors": %s}}' "$(cat "$STATE/found")" "$(cat "$STATE/missed")" >"${files%,*}"
echo sarif >"${files#*,}"
"#;

#[test]
fn whatever_checkov_finds_counts() {
    let Some(_) = tool::find("jq") else { return };
    let repo = stacks("checkov.yml");
    let finding = r#"{"check_id": "CKV_AWS_24", "check_name": "no SSH", "severity": null, "file_path": "/main.tf", "file_line_range": [1, 2]}"#;
    for (found, missed, said) in [
        ("", "0", None),
        (finding, "0", Some("::error::app: 1 finding(s) at or above unknown")),
        ("", "1", Some("::error::app: Checkov could not read 1 file(s)")),
    ] {
        let checkov = format!(
            "mkdir -p \"$STATE\"; echo '{found}' >\"$STATE/found\"; echo {missed} >\"$STATE/missed\"\n{CHECKOV}"
        );
        let Some(ran) = terraform(&repo)
            .tool("pip", "[[ $* == 'install checkov==3.3.30' ]]")
            .tool("checkov", &checkov)
            .run()
        else {
            return;
        };
        match said {
            None => _ = ran.job("scan").succeeded(),
            Some(said) => {
                ran.job("scan").failed().says(said);
                ran.job("gate").failed().says("::error::job scan: failure");
            }
        }
        // Shown all the same.
        ran.job("code-scanning").succeeded().says("checkov-config-app sarif");
        assert_eq!(ran.artifact("scan_app").files(), ["scan.json", "scan.sarif"]);
    }
}

const MANIFEST: &str = r#"version: 1
project: shop
github: { repository: acme/shop, visibility: private }
tests:
  page: { directory: page, node: "20", install: npm ci, suites: { unit: npm test } }
  api: { directory: api, python: "3.12", install: pip install -r requirements.txt, suites: { unit: "true" } }
security:
  eslint: {}
  dependencies: { tool: [npm-audit, pip-audit, safety], api-key: { secret: SAFETY_API_KEY } }
workflows:
  test: {}
waivers:
  - { rule: GHSA-35jh-r3h4-6jhm, at: tests.page.npm-audit, reason: no text of strangers gets there, until: 2099-12-31 }
"#;

/// A registry that knows of one vulnerability.
const NPM: &str = r#"
case $1 in
  ci | test) ;;
  audit) echo '{"auditReportVersion": 2, "vulnerabilities": {"lodash": {"fixAvailable": true, "via": [{"source": 1, "name": "lodash",
    "title": "a bug", "url": "https://github.com/advisories/GHSA-35jh-r3h4-6jhm", "severity": "high", "range": "<4.17.21"}]}}}'; exit 1 ;;
  *) exit 9 ;;
esac
"#;
const NPX: &str = r#"
[[ $3 != --version ]] || exit 0
echo '[]' >"$6"
"#;
const PIP_AUDIT: &str = "echo '{\"dependencies\": [], \"fixes\": []}' >\"${*: -1}\"";
const SAFETY: &str = r#"
[[ $SAFETY_API_KEY == hush ]] || exit 65
echo '{"scan_results": {"projects": []}}' >"${*: -1}"
"#;

fn test(repo: &Repo) -> Run {
    Run::of(".github/workflows/test.yml", repo.path("."))
        .event("push")
        .secret("SAFETY_API_KEY", "hush")
        .tool("npm", NPM)
        .tool("npx", NPX)
        .tool("pip", "true")
        .tool("pip-audit", PIP_AUDIT)
        .tool("safety", SAFETY)
}

#[test]
fn each_language_is_looked_at_by_its_own_tools() {
    let Some(_) = tool::find("jq") else { return };
    let repo = Repo::new();
    repo.manifest(MANIFEST).write("page/package-lock.json", "{}").write("api/requirements.txt", "");
    repo.run(["render"]).exits(0);
    let Some(ran) = test(&repo).run() else { return };
    ran.job("security-page").succeeded().says("nothing at or above high, 1 accepted");
    ran.job("security-api").succeeded();
    assert!(ran.job("security-page").summary().contains("`GHSA-35jh-r3h4-6jhm`"));
    assert_eq!(ran.artifact("security_page").files(), ["eslint.json", "npm-audit.json"]);
    assert_eq!(ran.artifact("security_api").files(), ["pip-audit.json", "safety.json"]);
    assert_eq!(ran.conclusion(), "success");

    // A fork has no key: Safety is not asked, and the others are.
    let Some(ran) = test(&repo).event("pull_request").fork("somebody/shop").run() else { return };
    ran.job("security-api").succeeded();
    assert_eq!(ran.job("security-api").step("Ask Safety about the dependencies").outcome, "skipped");
    assert_eq!(ran.artifact("security_api").files(), ["pip-audit.json"]);

    // An error that ESLint finds; nobody who knows advisories; a project without an ESLint.
    let finds = NPX.replace("'[]'", r#"'[{"filePath": "a.js", "messages": [{"ruleId": "no-eval", "severity": 2, "message": "no", "line": 1}]}]'"#);
    let Some(ran) = test(&repo).tool("npx", &finds).run() else { return };
    ran.job("security-page").failed().says("::error::ESLint of page: 1 finding(s) at or above error");
    assert!(ran.job("security-page").summary().contains("| error | `no-eval` | `a.js:1` |"));
    ran.job("gate").failed();
    let down = r#"[[ $1 != audit ]] || { echo '{"message": "connect ECONNREFUSED", "error": {}}'; exit 1; }"#;
    let Some(ran) = test(&repo).tool("npm", down).tool("npx", "exit 1").run() else { return };
    let job = ran.job("security-page").failed();
    job.says("::error::the advisories for page cannot be asked for: connect ECONNREFUSED");
    job.says("::error::there is no ESLint among what the lock file of page installs");
    let Some(ran) = test(&repo).secret("SAFETY_API_KEY", "old").run() else { return };
    ran.job("security-api")
        .failed()
        .says("::error::the advisories for api cannot be asked for: Safety ended with 65");
}
