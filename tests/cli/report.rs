use serde_json::{Value, json};

use super::{BUILD, LOCK, MANIFEST, SCRIPT, TEST, make_stale, rendered, with_build};
use crate::repo::{Ran, Repo};

/// The states of the files that are not current.
fn states(report: &Value) -> Vec<(String, String)> {
    let files = report["files"].as_array().unwrap();
    let state = |file: &Value| {
        (file["path"].as_str().unwrap().to_owned(), file["state"].as_str().unwrap().to_owned())
    };
    files.iter().map(state).filter(|(_, state)| state != "current").collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(path, state)| (path.to_owned(), state.to_owned())).to_vec()
}

#[test]
fn a_program_reads_that_everything_is_current() {
    let ran = rendered();
    let ran = ran.run(["check", "--format", "json"]).exits(0);
    let report = ran.report();
    assert_eq!(report["findings"], json!([]));
    assert_eq!(
        report["files"].as_array().unwrap().len(),
        ran.files().keys().filter(|path| is_owned(path)).count()
    );
    assert_eq!(
        report["summary"],
        json!({ "command": "check", "exit_code": 0, "errors": 0, "warnings": 0, "notes": 0, "not_current": 0 })
    );
    assert_eq!(ran.err(), "");
}

fn is_owned(path: &str) -> bool {
    pyfleet_gen::repository::is_owned_path(path)
}

#[test]
fn a_program_reads_every_state() {
    let repo = rendered();
    make_stale(&repo).append(SCRIPT, "# mine\n");
    let ran = repo.run(["check", "--format", "json"]).exits(1);
    assert_eq!(states(&ran.report()), pairs([(SCRIPT, "edited"), (TEST, "stale"), (LOCK, "stale")]));
    assert_eq!(ran.report()["summary"]["not_current"], 3);
    let help = |position: usize| {
        ran.report()["files"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|file| file["state"] != "current")
            .nth(position)
            .unwrap()["help"]
            .clone()
    };
    assert_eq!(help(0), "`pyfleet-gen render` makes it current, and what was edited is lost then");
    assert_eq!(help(1), "`pyfleet-gen render` makes it current");

    let repo = rendered();
    let crlf = repo.read(TEST).replace('\n', "\r\n");
    repo.write(TEST, crlf).remove(SCRIPT).manifest(&with_build("{ ejected: true }"));
    let report = repo.run(["check", "--format", "json"]).exits(1).report();
    for expected in pairs([(SCRIPT, "missing"), (TEST, "line-endings"), (BUILD, "ejected")]) {
        assert!(states(&report).contains(&expected), "{report:#}");
    }

    let repo = rendered();
    repo.manifest(&with_build("{ enabled: false }")).append(".github/scripts/image-check.sh", "# mine\n");
    make_stale(&repo).replace(LOCK, &format!("\"{}\"", env!("CARGO_PKG_VERSION")), "\"0.0.7\"");
    let report = repo.run(["check", "--format", "json"]).exits(1).report();
    for expected in pairs([
        (BUILD, "orphaned"),
        (".github/scripts/image-check.sh", "orphaned-edited"),
        (TEST, "other-version"),
    ]) {
        assert!(states(&report).contains(&expected), "{report:#}");
    }
}

#[test]
fn a_program_reads_what_render_did() {
    let repo = Repo::new();
    let dry = repo.manifest(MANIFEST).run(["render", "--dry-run", "--format", "json"]).exits(0).report();
    assert!(
        dry["summary"]["written"] == false && states(&dry).len() == dry["files"].as_array().unwrap().len()
    );
    repo.has_no(TEST);
    let done = repo.run(["render", "--format", "json"]).exits(0).report();
    assert_eq!((&done["summary"]["written"], states(&done)), (&json!(true), states(&dry)));
    repo.has(TEST).remove(LOCK).write(TEST, "mine\n");
    let refused = repo.run(["render", "--format", "json"]).exits(2).report();
    assert!(states(&refused).contains(&(TEST.to_owned(), "foreign".to_owned())), "{refused:#}");
    assert_eq!(refused["summary"]["written"], false);
    repo.holds(TEST, "mine\n");
}

#[test]
fn a_program_reads_every_mistake_and_its_place() {
    let repo = Repo::new();
    repo.manifest("version: 1\nproject: demo\n# \u{fc}\ngithub: { \"repository\": a/b, visibilty: private }\nverison: 2\n");
    for command in ["check", "render", "validate"] {
        let ran = repo.run([command, "--format", "json"]).exits(2);
        let report = ran.report();
        let [first, second] = report["findings"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
        assert_eq!(
            first,
            &json!({
                "code": "unknown-key",
                "severity": "error",
                "message": "unknown key `visibilty`",
                "help": ["did you mean `visibility`?", first["help"][1]],
                "file": "pyfleet.yml",
                "path": "github.visibilty",
                "line": 4, "column": 30, "end_line": 4, "end_column": 39,
            })
        );
        assert_eq!((&second["line"], &second["path"]), (&json!(5), &json!("verison")));
        assert_eq!((&report["summary"]["errors"], &report["summary"]["exit_code"]), (&json!(2), &json!(2)));
        assert_eq!(report["summary"].get("written").is_some(), command == "render");
        assert_eq!((report.get("files"), ran.err()), (None, String::new()));
    }
}

#[test]
fn what_keeps_a_run_from_reading_leaves_standard_output_empty() {
    let repo = rendered();
    for arguments in [
        &["validate", "nowhere.yml", "--format", "json"][..],
        &["-C", "nowhere", "check", "--format", "json"],
        &["check", "--format", "jsno"],
    ] {
        let ran = repo.run(arguments).exits(2);
        assert!(ran.out().is_empty() && ran.err().starts_with("error: "), "{}{}", ran.out(), ran.err());
    }
    let ran = repo.write(LOCK, "garbage").run(["check", "--format", "json"]).exits(2);
    assert_eq!(ran.out(), "");
}

/// The commands of a run; every line but the last is one.
#[track_caller]
fn commands(ran: &Ran<'_>) -> Vec<String> {
    let mut lines: Vec<String> = ran.out().lines().map(str::to_owned).collect();
    let last = lines.pop().unwrap();
    assert!(!last.trim_start().starts_with("::") && last.contains(" error"), "{last}");
    for line in &lines {
        let properties = line.strip_prefix("::error file=").or(line.strip_prefix("::warning file="));
        assert!(properties.is_some_and(|rest| rest.contains("::")), "{line}");
    }
    assert_eq!(ran.err(), "");
    lines
}

#[test]
fn github_shows_findings_where_they_are() {
    let repo = Repo::new();
    repo.manifest("version: 1\nproject: demo\nverison: 2\n");
    let ran = repo.run(["validate", "--format", "github"]).exits(2);
    assert!(
        commands(&ran).iter().any(|line| line.starts_with(
            "::error file=pyfleet.yml,line=3,endLine=3,col=1,endColumn=8,title=unknown-key::unknown key `verison`%0Ahelp: did you mean `version`?"
        )),
        "{}",
        ran.out()
    );
    // From elsewhere, the file is where it is.
    repo.write("sub/pyfleet.yml", repo.read("pyfleet.yml"));
    for arguments in [["-C", "sub"], ["--manifest", "sub/pyfleet.yml"]] {
        let ran = repo.run(arguments.iter().chain(&["validate", "--format", "github"])).exits(2);
        assert!(commands(&ran)[0].starts_with("::error file=sub/pyfleet.yml,line="), "{}", ran.out());
    }
    let ran = repo.ran(
        repo.command().current_dir(repo.path("sub")).args(["-C", "..", "validate", "--format", "github"]),
    );
    assert!(commands(&ran)[0].starts_with("::error file=[REPO]/pyfleet.yml,line="), "{}", ran.out());
}

#[test]
fn github_shows_files_that_are_not_current() {
    let repo = rendered();
    assert_eq!(repo.run(["check", "--format", "github"]).exits(0).out(), "0 errors, 0 warnings, 0 notes\n");
    let ran = make_stale(&repo).run(["check", "--format", "github"]).exits(1);
    let shown = commands(&ran);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(
        shown[0],
        "::error file=.github/workflows/test.yml,title=not current::.github/workflows/test.yml: is as it was rendered, \
         and would be rendered differently now%0Ahelp: `pyfleet-gen render` makes it current"
    );
    assert!(ran.out().ends_with("\n0 errors, 0 warnings, 0 notes; 2 files are not current\n"));
    // What was mended is no error any more.
    assert_eq!(repo.run(["render", "--format", "github"]).exits(0).out(), "0 errors, 0 warnings, 0 notes\n");
}

/// A workflow file that somebody else wrote, for whom findings are a way to the runner.
#[test]
fn no_format_is_a_way_to_the_runner_or_the_terminal() {
    let repo = Repo::new();
    let name = "a,b%3A::error::x.yml";
    repo.write(
        name,
        "on: push\npermissions: {}\njobs:\n  one:\n    name: \"50%\\n::stop-commands::x\"\n    runs-on: ubuntu-24.04\n    needs: [\"::error::forged ##[error]forged \\e[2J \\u202e\"]\n    \"::add-mask::x\": y\n",
    );
    let ran = repo.run(["validate", name, "--format", "github"]).exits(1);
    let found = repo.run(["validate", name, "--format", "json"]).exits(1).report()["findings"].clone();
    assert_eq!(commands(&ran).len(), found.as_array().unwrap().len(), "{}", ran.out());
    for line in commands(&ran) {
        assert!(line.contains(" file=a%2Cb%253A%3A%3Aerror%3A%3Ax.yml,line="), "{line}");
    }
    for format in ["human", "json", "github"] {
        let ran = repo.run(["validate", name, "--format", format]);
        for line in (ran.out() + &ran.err()).lines() {
            let is_ours = format == "github" && line.starts_with("::error file=");
            assert!(is_ours || !line.trim_start().starts_with("::"), "{line}");
            assert!(!line.contains("##[") && !line.contains(['\u{1b}', '\u{202e}']), "{line}");
        }
    }
}

#[test]
fn no_format_shows_a_secret() {
    let repo = Repo::new();
    let secret = format!("{}{}", "ghp_", "a1".repeat(20));
    repo.manifest(&MANIFEST.replace("pytest tests/unit", &format!("pytest --token {secret}")));
    repo.append("pyfleet.yml", &format!("{secret}: 1\n"))
        .write(&format!("{secret}.yml"), format!("on: {secret}\n"));
    for format in ["human", "json", "github"] {
        repo.run(["validate", "--format", format]).exits(2).says("secret").says_not(&secret);
        repo.run(["validate", &format!("{secret}.yml"), "--format", format])
            .exits(1)
            .says("***")
            .says_not(&secret);
    }
}
