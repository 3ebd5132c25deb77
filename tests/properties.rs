//! Properties of what is rendered, over generated manifests that are right but as nasty as they may be.
//!
//! A generated manifest is a JSON value, so that its keys can be shuffled; it is written as JSON or as YAML, by
//! writers that are not ours. They are the same in every run; `PROPTEST_CASES=1000`
//! looks at so many new ones.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestCaseResult, TestRng, TestRunner};
use pyfleet_core::plan::Plan;
use pyfleet_core::project::Project;
use pyfleet_core::prove::{Content, File, prove};
use pyfleet_core::source::Source;
use pyfleet_core::workflow;
use pyfleet_gen::project_file::load;
use pyfleet_gen::render::{Files, read_back, render};
use pyfleet_gen::repository::is_owned_path;
use pyfleet_gen::{Exit, Streams, run};
use serde_json::{Map, Value as Json, json};

use crate::tool;

/// How many manifests are generated for each property.
const CASES: u32 = 64;

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What YAML, bash, templates, JSON and GitHub's log know as more than text.
const FRAGMENTS: &[&str] = &[
    "a",
    "pytest",
    " ",
    "  ",
    "\t",
    "\n",
    "\n\n",
    "\n  ",
    "'",
    "\"",
    "`id`",
    "$(id)",
    "$HOME",
    "${HOME}",
    "$$",
    "\\",
    "\\n",
    "\\0",
    "$'\\n'",
    ";",
    "&&",
    "||",
    "|",
    ">",
    "<",
    "<<EOF\nEOF",
    "&",
    "*",
    "?",
    "!",
    "!!str",
    "&a",
    "*a",
    "- ",
    ": ",
    ":",
    " #",
    "#",
    " # x",
    "%",
    "@",
    "~",
    "null",
    "yes",
    "no",
    "on",
    "0o7",
    "010",
    "1e3",
    "1.10",
    ".inf",
    "1:30",
    "---",
    "...",
    "{",
    "}",
    "{{",
    "}}",
    "[",
    "]",
    ",",
    "{=",
    "=}",
    "{= x =}",
    "{%",
    "%}",
    "{!",
    "!}",
    "::error::x",
    "%0A",
    "é",
    "漢字",
    "🦀",
    "\u{e000}",
    "=",
    "+",
    "-",
    "--",
    "/",
    "..",
    "secrets.X",
    "github.token",
    "inputs",
    "EOF\n",
    "\n#x",
    "\n- x",
    "\nx: y",
];

/// Any text; never an expression, and nothing that looks like a placeholder.
fn text() -> impl Strategy<Value = String> {
    let is_plain = |text: &String| {
        let names = |open: usize| {
            let end = text[open..].find('}').map_or("", |end| &text[open + 1..open + end]);
            !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        // Too large to be a number for the writer of YAML that is used here, which leaves it without quotes.
        let overflows = text.trim().parse::<f64>().is_ok_and(f64::is_infinite);
        !overflows && !text.contains("${{") && !text.match_indices('{').any(|(open, _)| names(open))
    };
    vec(select(FRAGMENTS), 0..7)
        .prop_map(|fragments| fragments.concat())
        .prop_filter("an expression or a placeholder", is_plain)
}

/// Any command: a text that does something, and can fail.
fn command() -> impl Strategy<Value = String> {
    text()
        .prop_map(|text| if text.trim().is_empty() { format!("{text}true") } else { text })
        .prop_filter("a failure that is ignored", |text| {
            !["|| :", "||:", "|| true", "||true", "||\n"].iter().any(|ignored| text.contains(ignored))
        })
}

/// Any path inside the repository.
fn path() -> impl Strategy<Value = String> {
    let part = select(
        &[
            "api", "a b", "$(id)", "`id`", "it's", "é", "#x", "[x]", "{x", "a&b", "%x", "!x", "@x", "x;y",
            "x#y", "yes", "1.10", "漢", "a  b", "{= x =}", "x,y", "$HOME", "...", "~x",
        ][..],
    );
    vec(part, 1..4)
        .prop_map(|parts| parts.join("/"))
        .prop_filter("a home directory", |path| !path.starts_with('~'))
}

/// A name without anything that two of them could be joined ambiguously by.
fn slug() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9]{0,5}(-[0-9])?"
}

fn test_group() -> impl Strategy<Value = Json> {
    let languages = prop_oneof![
        Just(json!({ "python": "3.12" })),
        Just(json!({ "python": ["3.12", "3.13"] })),
        Just(json!({ "node": "24" })),
        Just(json!({ "node": ["24.1", "25"] })),
    ];
    let install = prop_oneof![
        command().prop_map(Json::from),
        Just(json!("npm ci")),
        Just(json!("pip install -r requirements.txt")),
    ];
    let service = (btree_map("V_[A-Z0-9]{1,4}", text(), 0..4), any::<bool>());
    (
        languages,
        option::of(path()),
        option::of(install),
        btree_map(slug(), command(), 1..4),
        option::of((path(), option::of(0..=100_u8), any::<bool>())),
        btree_map(slug(), service, 0..3),
        any::<bool>(),
    )
        .prop_map(|(mut group, directory, install, suites, coverage, services, comment)| {
            set(&mut group, "directory", directory);
            set(&mut group, "install", install);
            set(&mut group, "suites", Some(suites));
            set(&mut group, "comment", comment.then_some(true));
            let coverage = coverage.map(|(report, minimum, codecov)| {
                let mut coverage = json!({ "report": report });
                set(&mut coverage, "minimum", minimum);
                let upload = json!({ "codecov": { "token": { "secret": "CODECOV_TOKEN" } } });
                set(&mut coverage, "upload", codecov.then_some(upload));
                coverage
            });
            set(&mut group, "coverage", coverage);
            let services: Map<String, Json> = (5000..)
                .zip(services)
                .map(|(port, (name, (env, has_port)))| {
                    let mut service = json!({ "image": format!("postgres@sha256:{DIGEST}"), "env": env });
                    set(&mut service, "ports", has_port.then(|| json!([port])));
                    (name, service)
                })
                .collect();
            set(&mut group, "services", Some(services));
            group
        })
}

fn image() -> impl Strategy<Value = Json> {
    (option::of(path()), option::of(path()), any::<bool>(), select(&["low", "high", "critical"][..]))
        .prop_map(|(directory, dockerfile, non_root, severity)| {
            let mut image = json!({
                "repository": "acme/app", "registry": "hub", "tags": ["sha", "branch"], "max-size": "500MB",
                "require": { "non-root": non_root }, "scan": { "minimum-severity": severity },
            });
            set(&mut image, "directory", directory);
            set(&mut image, "dockerfile", dockerfile);
            image
        })
}

/// A value of a Terraform variable; `{environment}` is filled in, see [`expected`].
fn variable() -> impl Strategy<Value = Json> {
    let scalar = prop_oneof![
        4 => text().prop_map(Json::from),
        1 => any::<bool>().prop_map(Json::from),
        1 => any::<i32>().prop_map(Json::from),
        1 => text().prop_map(|text| json!(format!("{text}/{{environment}}"))),
    ];
    prop_oneof![
        4 => scalar.clone(),
        1 => vec(scalar.clone(), 0..3).prop_map(Json::from),
        1 => btree_map("[a-z]{1,3}\"?", scalar, 0..3).prop_map(|entries| json!(entries)),
        1 => Just(json!({ "variable": "INSTANCE_TYPE" })),
        1 => Just(json!({ "variable": "EMAILS", "as": "list" })),
    ]
}

fn stack(environments: Vec<String>) -> impl Strategy<Value = Json> {
    let count = environments.len();
    let var_files =
        select(&["envs/{environment}.tfvars", "../a b.tfvars", "it's.tfvars", "$(id).tfvars"][..]);
    (
        path(),
        option::of(subsequence(environments, 1..=count)),
        vec(var_files, 0..3),
        btree_map("[a-z_][a-z0-9_-]{0,5}", variable(), 0..4),
    )
        .prop_map(|(directory, environments, var_files, variables)| {
            let mut stack = json!({ "directory": directory, "var-files": var_files, "variables": variables });
            set(&mut stack, "environments", environments);
            stack
        })
}

fn terraform(environments: Vec<String>) -> impl Strategy<Value = Json> {
    let locks = prop_oneof![
        Just(json!({})),
        Just(json!({ "lock": "dynamodb", "lock-table": "locks" })),
        Just(json!({ "lock": "both", "lock-table": "locks-{environment}" })),
    ];
    (
        locks,
        select(&["terraform", "opentofu"][..]),
        select(&["none", "non-production", "all"][..]),
        btree_map(slug(), stack(environments), 1..4),
        any::<bool>(),
        option::of(option::of(0_u32..)),
    )
        .prop_map(|(mut backend, tool, plan, mut stacks, depend, limit)| {
            set(&mut backend, "bucket", Some("shop-{account-id}-{region}"));
            set(&mut backend, "key", Some("it's/{project}/{environment}/{stack} $(id).tfstate"));
            let names: Vec<String> = stacks.keys().cloned().collect();
            if let ([first, .., last], true) = (names.as_slice(), depend) {
                set(stacks.get_mut(last).unwrap(), "depends-on", Some([first]));
            }
            let mut terraform = json!({
                "tool": tool, "version": "1.11.4", "backend": backend, "pull-request-plan": plan, "stacks": stacks,
                "scan": { "minimum-severity": "low", "on-findings": "warn" },
            });
            let cost = limit.map(|limit| {
                let mut cost = json!({ "version": "0.10.42", "api-key": { "secret": "INFRACOST_API_KEY" } });
                set(&mut cost, "max-monthly-increase", limit);
                cost
            });
            set(&mut terraform, "cost", cost);
            terraform
        })
}

fn manifest() -> impl Strategy<Value = Json> {
    let environments = btree_set(slug(), 1..4).prop_flat_map(|names| {
        let names: Vec<String> = names.into_iter().collect();
        (Just(names.clone()), Just(names).prop_shuffle())
    });
    let triggers = prop_oneof![
        Just(json!({})),
        Just(json!({ "on": { "push": true, "manual": true, "schedule": ["17 3 * * 1", "0 0 1 jan *"] } })),
        Just(
            json!({ "on": { "pull-request": { "branches": ["main", "release/1.0"] }, "merge-group": true } })
        ),
    ];
    let facts = (slug(), select(&["public", "private", "internal"][..]), any::<bool>());
    (environments, facts, triggers).prop_flat_map(|((sorted, environments), facts, triggers)| {
        (
            Just((environments, facts, triggers)),
            btree_map(slug(), test_group(), 1..4),
            btree_map(slug(), image(), 1..3),
            terraform(sorted),
        )
            .prop_map(|((environments, (project, visibility, self_hosted), triggers), tests, images, terraform)| {
                let environments: Map<String, Json> = environments
                    .into_iter()
                    .map(|name| (name, json!({ "url": "https://shop.example.com/?a=b#c" })))
                    .collect();
                let mut manifest = json!({
                    "version": 1,
                    "project": project,
                    "safety-level": 3,
                    "github": { "repository": "acme/shop", "visibility": visibility },
                    "environments": environments,
                    "aws": { "account-id": "123456789012", "region": "eu-central-1" },
                    "terraform": terraform,
                    "tests": tests,
                    "registries": { "hub": { "ecr": {} } },
                    "images": images,
                    "workflows": { "test": triggers, "build": {}, "terraform": {}, "nightly-2": { "kind": "test" } },
                });
                let runner = json!({ "runner": ["self-hosted", "linux"], "timeout-minutes": 45 });
                set(&mut manifest, "defaults", (self_hosted && visibility != "public").then_some(runner));
                manifest
            })
    })
}

fn set(object: &mut Json, key: &str, value: Option<impl serde::Serialize>) {
    if let (Some(entries), Some(value)) = (object.as_object_mut(), value) {
        entries.insert(key.to_owned(), json!(value));
    }
}

/// A manifest's text: JSON, which is YAML too, or YAML.
fn written(manifest: &Json, as_json: bool) -> String {
    if as_json {
        serde_json::to_string_pretty(manifest).unwrap()
    } else {
        serde_yaml::to_string(manifest).unwrap()
    }
}

/// What a manifest renders to; the test fails where something is found.
fn rendered(text: &str) -> Result<(Plan, Files), TestCaseError> {
    rendered_of(text).map(|(_, plan, files)| (plan, files))
}

fn rendered_of(text: &str) -> Result<(Project, Plan, Files), TestCaseError> {
    let loaded = load(Source::new("pyfleet.yml", text));
    let Some((project, plan)) = loaded.planned else {
        return Err(TestCaseError::fail(format!("the manifest is refused: {:#?}\n{text}", loaded.findings)));
    };
    let files =
        render(&project, &plan, "pyfleet.yml").map_err(|error| TestCaseError::fail(format!("{error:#}")))?;
    Ok((project, plan, files))
}

/// The workflows among rendered files.
fn workflows(files: &Files) -> impl Iterator<Item = (&String, &String)> {
    files.iter().filter(|(path, _)| path.starts_with(".github/workflows/"))
}

/// Runs a property over as many manifests, and prints how many that were.
fn holds(name: &str, property: impl Fn(Json, bool) -> TestCaseResult) {
    let wanted = env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = wanted.unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    // The same manifests in every run, unless somebody looks for new ones.
    let mut runner = match wanted {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let result = runner.run(&(manifest(), any::<bool>()), |(manifest, as_json)| property(manifest, as_json));
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
    println!("{name}: {cases} manifests");
}

fn pyfleet(root: &Path, command: &str) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
    let exit = run(["pyfleet-gen", "-C", root.to_str().unwrap(), command], &mut streams);
    (exit, String::from_utf8([out, err].concat()).unwrap())
}

#[test]
fn rendering_is_stable() {
    holds("rendering is stable", |manifest, as_json| {
        let text = written(&manifest, as_json);
        let (_, files) = rendered(&text)?;
        prop_assert_eq!(&files, &rendered(&text)?.1);

        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("pyfleet.yml"), &text).unwrap();
        let (exit, said) = pyfleet(root, "render");
        prop_assert_eq!(exit, Exit::Clean, "{}", said);
        for (path, text) in &files {
            prop_assert_eq!(&fs::read_to_string(root.join(path)).unwrap(), text);
        }
        let (exit, said) = pyfleet(root, "check");
        prop_assert_eq!(exit, Exit::Clean, "{}", said);
        let (exit, said) = pyfleet(root, "render");
        prop_assert_eq!(exit, Exit::Clean, "{}", said);
        let unchanged = said.lines().filter(|line| line.starts_with("unchanged ")).count();
        prop_assert_eq!(unchanged, files.len(), "{}", said);
        Ok(())
    });
}

#[test]
fn the_order_of_keys_means_nothing() {
    holds("the order of keys means nothing", |manifest, as_json| {
        let (_, files) = rendered(&written(&manifest, as_json))?;
        let mut other = reversed(&manifest);
        // But for environments, whose order is the order of promotion.
        other["environments"] = manifest["environments"].clone();
        prop_assert_eq!(files, rendered(&written(&other, as_json))?.1);
        Ok(())
    });
}

fn reversed(value: &Json) -> Json {
    match value {
        Json::Object(entries) => {
            Json::Object(entries.iter().rev().map(|(key, value)| (key.clone(), reversed(value))).collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(reversed).collect()),
        scalar => scalar.clone(),
    }
}

#[test]
fn what_is_read_back_is_what_was_planned() {
    holds("what is read back is what was planned", |manifest, as_json| {
        let (plan, files) = rendered(&written(&manifest, as_json))?;
        prop_assert_eq!(plan.workflows.len(), 4);
        for (file, findings) in read_back(&plan, &files) {
            prop_assert!(findings.is_empty(), "{}: {:#?}", file, findings);
        }
        Ok(())
    });
}

#[test]
fn what_is_rendered_is_proven() {
    holds("what is rendered is proven", |manifest, as_json| {
        let (project, plan, files) = rendered_of(&written(&manifest, as_json))?;
        let read = |(path, text): (&String, &String)| {
            let (workflow, _) = workflow::parse(Source::new(path.clone(), text.clone())).0.unwrap();
            (path.clone(), File { content: Content::Workflow(Box::new(workflow)), is_rendered: true })
        };
        let proof = prove(&project, &plan, &workflows(&files).map(read).collect());
        prop_assert!(proof.findings.is_empty(), "{:#?}", proof.findings);
        prop_assert_eq!(proof.environments.len(), project.environments.len());
        for environment in &proof.environments {
            prop_assert!(environment.claims.iter().all(|claim| claim.holds), "{:#?}", environment.claims);
        }
        Ok(())
    });
}

#[test]
fn comments_never_change_the_model() {
    holds("comments never change the model", |manifest, as_json| {
        let (_, files) = rendered(&written(&manifest, as_json))?;
        for (path, text) in workflows(&files) {
            let bare = without_comments(text);
            prop_assert!(bare.len() < text.len());
            let model =
                |text: &str| workflow::parse(Source::new(path.as_str(), text)).0.map(|(model, _)| model);
            prop_assert!(model(text).is_some());
            prop_assert_eq!(model(text), model(&bare));
            let independent = |text: &str| serde_yaml::from_str::<Json>(text).unwrap();
            prop_assert_eq!(independent(text), independent(&bare));
        }
        Ok(())
    });
}

/// The text without its comments. Quoted scalars stand on one line, and block scalars behind `key: |`.
fn without_comments(text: &str) -> String {
    let mut bare = String::new();
    let mut block: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(' ').len();
        if block.is_some_and(|outer| indent > outer || line.trim().is_empty()) {
            bare.push_str(line);
            continue;
        }
        let mut quote = None;
        let mut before = ' ';
        let mut end = line.len();
        let mut characters = line.char_indices().peekable();
        while let Some((offset, character)) = characters.next() {
            match (quote, character) {
                (None, '#') if before.is_whitespace() => {
                    end = offset;
                    break;
                }
                (None, '"' | '\'') if before.is_whitespace() || "[{(,".contains(before) => {
                    quote = Some(character);
                }
                // An escape of two characters: `\"`, or a quote that is doubled.
                (Some('"'), '\\') => drop(characters.next()),
                (Some('\''), '\'') if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                    characters.next();
                }
                (Some(open), close) if open == close => quote = None,
                _ => {}
            }
            before = character;
        }
        let code = line[..end].trim_end();
        let is_block =
            code.rsplit(' ').next().is_some_and(|last| last.starts_with(['|', '>']) && last.len() <= 3);
        block = is_block.then_some(indent);
        bare.push_str(code);
        bare.push('\n');
    }
    bare
}

#[test]
fn every_value_survives_bash() {
    let Some(bash) = tool::find("bash") else { return };
    holds("every value survives bash", |manifest, as_json| {
        let (_, files) = rendered(&written(&manifest, as_json))?;
        let read = |file: &str| -> Json {
            serde_yaml::from_str(&files[&format!(".github/workflows/{file}.yml")]).unwrap()
        };
        // What the manifest says, and what stands in the rendered file.
        let mut pairs: Vec<(String, String)> = Vec::new();
        let tests = read("test");
        for (group, said) in entries(&manifest["tests"]) {
            for (suite, command) in entries(&said["suites"]) {
                let job = &tests["jobs"][format!("test-{group}-{suite}")];
                let step = |name: &str| {
                    let steps = job["steps"].as_array().unwrap().iter();
                    steps.clone().find(|step| step["name"] == name).cloned().unwrap_or_default()
                };
                pairs.push((text_of(command), text_of(&step("Run the suite")["run"])));
                if said["install"].is_string() {
                    pairs.push((text_of(&said["install"]), text_of(&step("Install")["run"])));
                }
                if said["directory"].is_string() {
                    pairs.push((
                        text_of(&said["directory"]),
                        text_of(&step("Run the suite")["working-directory"]),
                    ));
                }
                for (service, container) in entries(&said["services"]) {
                    for (name, value) in entries(&container["env"]) {
                        pairs.push((text_of(value), text_of(&job["services"][service]["env"][name])));
                    }
                }
            }
        }
        let steps = read("terraform")["jobs"]["changes"]["steps"].clone();
        let changes = steps.as_array().unwrap().iter().find(|step| step["id"] == "changes").unwrap();
        let handed: Vec<(String, String)> =
            ["MATRICES", "TARGETS"].map(|name| (name.to_owned(), text_of(&changes["env"][name]))).into();
        pairs.extend(handed.iter().map(|(_, value)| (value.clone(), value.clone())));

        let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
        let survived = through_bash(bash.command(), &values);
        for ((said, _), survived) in pairs.iter().zip(&survived) {
            prop_assert_eq!(said, survived);
        }
        // The last but one: what each plan gets.
        let matrices: Json = serde_json::from_str(&survived[survived.len() - 2]).unwrap();
        for (output, stacks) in entries(&matrices) {
            let Some(environment) = output.strip_prefix("plan-") else { continue };
            for planned in stacks.as_array().unwrap() {
                let said = &manifest["terraform"]["stacks"][text_of(&planned["stack"])];
                for (name, value) in entries(&said["variables"]) {
                    prop_assert_eq!(&expected(value, environment), &planned["variables"][name]);
                }
            }
        }
        Ok(())
    });
}

fn entries(value: &Json) -> impl Iterator<Item = (&String, &Json)> {
    value.as_object().into_iter().flatten()
}

fn text_of(value: &Json) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// The values as a step's environment, seen by the shell that GitHub starts.
fn through_bash(mut bash: Command, values: &[&str]) -> Vec<String> {
    let names: Vec<String> = (0..values.len()).map(|index| format!("VALUE_{index}")).collect();
    let script: String = names.iter().map(|name| format!("printf '%s\\0' \"${name}\"\n")).collect();
    let output = bash
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script])
        .envs(names.iter().zip(values))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut survived: Vec<String> = printed.split('\0').map(str::to_owned).collect();
    assert_eq!(survived.pop().as_deref(), Some(""));
    assert_eq!(survived.len(), values.len());
    survived
}

/// A variable's value as an environment gets it.
fn expected(value: &Json, environment: &str) -> Json {
    match value {
        Json::String(text) => json!(text.replace("{environment}", environment)),
        Json::Array(items) => items.iter().map(|item| expected(item, environment)).collect(),
        Json::Object(entries) => {
            let entries: BTreeMap<&String, Json> =
                entries.iter().map(|(key, value)| (key, expected(value, environment))).collect();
            json!(entries)
        }
        other => other.clone(),
    }
}

#[test]
fn no_script_holds_an_expression_and_no_file_lies_elsewhere() {
    holds("no script holds an expression", |manifest, as_json| {
        let (_, files) = rendered(&written(&manifest, as_json))?;
        for path in files.keys() {
            prop_assert!(is_owned_path(path), "{}", path);
        }
        for (path, text) in workflows(&files) {
            let read: Json = serde_yaml::from_str(text).unwrap();
            let jobs = entries(&read["jobs"]);
            let steps = jobs.flat_map(|(_, job)| job["steps"].as_array().unwrap());
            let scripts: Vec<&str> = steps.filter_map(|step| step["run"].as_str()).collect();
            prop_assert!(!scripts.is_empty());
            for script in scripts {
                prop_assert!(!script.contains("${{"), "{}: {}", path, script);
            }
        }
        Ok(())
    });
}

/// The comparison must be able to fail.
#[test]
fn the_helpers_say_no() {
    let text = "a: \"x # y\" # z\nb: 'it''s # x' # y\n# c\nd: |\n  # e\n\n  f # g\nh: \"\\\\\" # i\nj: x#y\n";
    assert_eq!(
        without_comments(text),
        "a: \"x # y\"\nb: 'it''s # x'\n\nd: |\n  # e\n\n  f # g\nh: \"\\\\\"\nj: x#y\n"
    );
    assert_ne!(reversed(&json!({ "a": 1, "b": 2 })).to_string(), json!({ "a": 1, "b": 2 }).to_string());
    assert!(rendered("version: 2\n").is_err());
}
