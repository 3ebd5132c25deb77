//! Equal meaning is equal value, and what is written out again means the same.

use proptest::prelude::{Strategy, any, prop, prop_assert_eq};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Graph, Level, OrExpression, PassedSecrets, Path, Permissions, Scope, Source, Workflow, parse};

fn workflow(text: &str) -> Workflow {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn with_job(job: &str) -> Workflow {
    workflow(&format!("on: push\njobs:\n  a: {job}\n"))
}

#[test]
fn equal_meanings_are_equal_values() {
    for (short, long) in
        [("push", "{push: null}"), ("push", "[push]"), ("[push, pull_request]", "{pull_request: , push: {}}")]
    {
        let read = |on: &str| workflow(&format!("on: {on}\njobs: {{}}\n")).on;
        assert_eq!(read(short), read(long));
    }
    for (short, long) in [
        ("{needs: b}", "{needs: [b]}"),
        ("{environment: prod}", "{environment: {name: prod, deployment: true}}"),
        ("{concurrency: g}", "{concurrency: {group: g, cancel-in-progress: false, queue: single}}"),
        ("{runs-on: x}", "{runs-on: {labels: x}}"),
        ("{permissions: {}}", "{permissions: {issues: none}}"),
        ("{container: node}", "{container: {image: node}}"),
        ("{services: {db: pg}}", "{services: {db: {image: pg, ports: []}}}"),
        ("{env: {A: 1, B: true}}", "{env: {B: 'true', A: '1'}}"),
        ("{if: true}", "{if: 'true'}"),
        ("{strategy: {matrix: {a: [1]}}}", "{strategy: {matrix: {a: [1]}, fail-fast: true}}"),
    ] {
        assert_eq!(with_job(short), with_job(long));
    }
}

#[test]
fn different_meanings_are_different_values() {
    for (one, other) in [
        ("{permissions: {}}", "{}"),
        ("{permissions: read-all}", "{permissions: {contents: read}}"),
        ("{concurrency: {group: g, queue: max}}", "{concurrency: g}"),
        ("{environment: {name: prod, deployment: false}}", "{environment: prod}"),
        ("{strategy: {matrix: {a: [3.10]}}}", "{strategy: {matrix: {a: ['3.10']}}}"),
        ("{runs-on: [a, b]}", "{runs-on: [b, a]}"),
        ("{steps: [{wait-all: }]}", "{steps: [{}]}"),
    ] {
        assert_ne!(with_job(one), with_job(other));
    }
}

const EVERYTHING: &str = "
name: all
run-name: by ${{ github.actor }}
on:
  push: {branches: [main], paths-ignore: '*.md'}
  pull_request:
  merge_group: {types: checks_requested}
  schedule: [{cron: '17 3 * * 1', timezone: Europe/Berlin}]
  workflow_dispatch:
    inputs:
      size: {type: choice, options: [s, m], default: s, description: How big}
      dry: {type: boolean, default: true, required: true}
      bare:
  workflow_call:
    inputs: {n: {type: number, default: 3}}
    outputs: {o: {value: '${{ jobs.a.outputs.x }}'}}
    secrets: {TOKEN: {required: true}, OTHER: }
  workflow_run: {workflows: [ci], types: [completed]}
  issues: {types: [opened]}
permissions: {}
env: {A: 1}
defaults: {run: {shell: bash}}
concurrency: {group: g, cancel-in-progress: '${{ github.event_name == ''pull_request'' }}'}
jobs:
  a:
    name: Job a
    runs-on: {group: big, labels: [linux]}
    permissions: {contents: read, id-token: write}
    environment: {name: prod, url: https://example.org, deployment: false}
    concurrency: {group: h, queue: max}
    strategy:
      fail-fast: false
      max-parallel: 2
      matrix: {v: ['3.12', 4], from: '${{ fromJSON(needs.x.outputs.y) }}', include: [{v: 1, w: 2}], exclude: []}
    timeout-minutes: 30
    container: {image: 'node@sha256:0', env: {A: b}, ports: [80], credentials: {username: a, password: b}}
    outputs: {x: '${{ steps.s.outputs.x }}'}
    steps:
      - {uses: actions/checkout@v7, with: {persist-credentials: false, fetch-depth: 0}}
      - {id: s, run: 'true', env: {B: 2}, continue-on-error: '${{ matrix.x }}', timeout-minutes: 3}
      - {parallel: [{run: a, background: true}]}
      - {wait: s}
      - {wait-all: true}
      - {cancel: s}
  call:
    needs: a
    if: always()
    uses: ./.github/workflows/x.yml
    with: {n: 3}
    secrets: inherit
  other:
    uses: o/r/.github/workflows/x.yml@0000000000000000000000000000000000000000
    secrets: {TOKEN: '${{ secrets.TOKEN }}'}
";

#[test]
fn everything_is_read_and_written_back() {
    let read = workflow(EVERYTHING);
    let written = serde_yaml::to_string(&read).unwrap();
    assert_eq!(workflow(&written), read, "{written}");
    assert_eq!(
        read.on.names().collect::<Vec<_>>(),
        [
            "push",
            "pull_request",
            "merge_group",
            "schedule",
            "workflow_dispatch",
            "workflow_call",
            "workflow_run",
            "issues"
        ]
    );
    let job = &read.jobs["a"];
    assert_eq!(job.timeout_minutes, Some(OrExpression::Literal(30)));
    assert_eq!(job.steps[0].input("Fetch-Depth"), Some("0"));
    assert_eq!(job.steps_at(&Path::of(["jobs", "a"])).len(), 7, "parallel steps count");
    assert_eq!(read.jobs["call"].secrets, Some(PassedSecrets::Inherit));
    assert_eq!(read.permissions_of(&read.jobs["call"]), Some(&Permissions::none()));
}

/// What is read in what is written.
fn written_and_read(workflow: &Workflow) -> Workflow {
    let text = workflow.to_yaml().unwrap();
    let (read, findings) = parse(Source::new("written.yml", text.clone()));
    read.unwrap_or_else(|| panic!("{findings:?}\n{text}")).0
}

#[test]
fn everything_is_written_as_a_file() {
    let read = workflow(EVERYTHING);
    assert_eq!(written_and_read(&read), read);
}

/// Texts that YAML knows as more than text, or as another type.
fn nasty() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(vec![
        "a",
        "",
        " ",
        "\n",
        "\t",
        "'",
        "\"",
        "\\",
        ": ",
        " #",
        "- ",
        "---",
        "{",
        "]",
        "&a",
        "*a",
        "!!str",
        "|",
        ">",
        "%",
        "@",
        "`",
        "yes",
        "null",
        "~",
        "1.10",
        "0x1f",
        "12:30",
        "2026-01-31",
        "${{ github.ref }}",
        "\u{e9}",
        "\u{1f980}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "<<",
        "=",
        "on",
    ]);
    prop::collection::vec(fragment, 0..5).prop_map(|fragments| fragments.concat())
}

/// A workflow of nasty texts, by way of JSON, which any tool can build.
fn built() -> impl Strategy<Value = Workflow> {
    // GitHub reads no expression in filters and descriptions, and no name is empty.
    let plain = || nasty().prop_map(|text| format!("n{}", text.replace("${{", "")));
    let texts = || prop::collection::btree_map(plain(), nasty(), 0..3);
    let step = (nasty(), nasty(), texts(), texts()).prop_map(
        |(name, run, env, with)| serde_json::json!({ "name": name, "run": run, "env": env, "with": with }),
    );
    let job = (nasty(), prop::collection::vec(plain(), 0..3), texts(), plain(), prop::collection::vec(step, 0..3), any::<u32>())
        .prop_map(|(name, labels, outputs, group, steps, minutes)| {
            serde_json::json!({
                "name": name, "needs": labels.clone(), "runs-on": labels, "outputs": outputs, "if": name, "steps": steps,
                "concurrency": { "group": group, "queue": "max" }, "timeout-minutes": minutes,
                "environment": { "name": group, "url": name },
                "strategy": { "matrix": { "a": [name, 1, true, null, { "b": [group] }] } },
            })
        });
    let jobs = prop::collection::btree_map(plain(), job, 0..3);
    (plain(), texts(), prop::collection::vec(plain(), 0..3), jobs).prop_map(|(name, env, branches, jobs)| {
        serde_json::from_value(serde_json::json!({
            "name": name, "run-name": name, "env": env, "jobs": jobs, "permissions": {},
            "on": { "push": { "branches": branches }, "workflow_dispatch": { "inputs": { "x": { "description": name } } } },
        }))
        .unwrap()
    })
}

/// Whatever a workflow holds, the file says it. The same workflows in every run.
#[test]
fn what_is_built_is_what_is_read() {
    let config = Config { cases: 512, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng)
        .run(&built(), |workflow| {
            prop_assert_eq!(written_and_read(&workflow), workflow);
            Ok(())
        })
        .unwrap();
}

#[test]
fn without_steps_keeps_everything_else() {
    let read = workflow(EVERYTHING);
    let mut without = read.without_steps();
    assert_ne!(without, read);
    assert_eq!(without.without_steps(), without);
    without.jobs["a"].steps = read.jobs["a"].steps.clone();
    assert_eq!(without, read);
}

#[test]
fn what_github_refuses_is_refused() {
    for (text, reason) in [
        ("{on: pusch, jobs: {}}", "unknown variant `pusch`"),
        ("{on: {push: {branch: main}}, jobs: {}}", "unknown field `branch`"),
        ("{on: push, jobs: {a: {step: []}}}", "unknown field `step`"),
        ("{on: push, jobs: {a: {permissions: {content: read}}}}", "unknown variant `content`"),
        ("{on: push, jobs: {a: {timeout-minutes: soon}}}", "expected a whole number or an expression"),
        ("{on: push, jobs: {a: {steps: [{uses: actions/checkout}]}}}", "expected `owner/name@reference`"),
        ("{on: push, jobs: {a: {strategy: {matrix: {v: 3}}}}}", "must be a list"),
        ("{jobs: {}}", "missing field `on`"),
    ] {
        let error = serde_yaml::from_str::<Workflow>(text).unwrap_err().to_string();
        assert!(error.contains(reason), "{text}: {error}");
    }
}

#[test]
fn write_all_includes_the_id_token_and_read_all_does_not() {
    assert_eq!(Permissions::WriteAll.level(Scope::IdToken), Level::Write);
    assert_eq!(Permissions::ReadAll.level(Scope::IdToken), Level::None);
    assert!(!Scope::IdToken.allows(Level::Read) && !Scope::Models.allows(Level::Write));
}

#[test]
fn circles_are_found() {
    let graph_of = |jobs: &str| workflow(&format!("{{on: push, jobs: {jobs}}}"));
    let two = graph_of("{x: , a: {needs: [x, c]}, b: {needs: a}, c: {needs: B}}");
    assert_eq!(Graph::of(&two).cycle(), Some(vec!["a", "c", "b"]));
    assert_eq!(Graph::of(&two).ancestors("a"), ["x", "c", "b", "a"]);
    let own = graph_of("{a: {needs: a}}");
    assert_eq!(Graph::of(&own).cycle(), Some(vec!["a"]));
    let unknown = graph_of("{a: {needs: [a2]}}");
    assert_eq!(Graph::of(&unknown).unknown(), [("a", 0, "a2")]);
}

#[test]
fn the_events_are_githubs() {
    let Some(data) = crate::reference_data::folder() else { return };
    let text = crate::reference_data::text(data.join("languageservices/workflow-v1.0.json"));
    let grammar: serde_json::Value = serde_json::from_str(&text).unwrap();
    let events = &grammar["definitions"]["on-mapping-strict"]["mapping"]["properties"];
    for event in events.as_object().unwrap().keys() {
        let on = if event == "schedule" { "{schedule: []}".to_owned() } else { format!("{{{event}: }}") };
        workflow(&format!("{{on: {on}, jobs: {{}}}}"));
    }
    let scopes = &grammar["definitions"]["permissions-mapping"]["mapping"]["properties"];
    for (scope, rule) in scopes.as_object().unwrap() {
        let scope: Scope = serde_json::from_value(scope.as_str().into()).unwrap();
        let kind = rule["type"].as_str().unwrap();
        assert_eq!(scope.allows(Level::Read), kind != "permission-level-write-or-no-access", "{scope}");
        assert_eq!(scope.allows(Level::Write), kind != "permission-level-read-or-no-access", "{scope}");
    }
}

/// Workflows that people run: whatever reads must be written back as the same, and all but a handful
/// must read.
#[test]
fn the_corpus_reads_and_is_written_back() {
    let Some(data) = crate::reference_data::folder() else { return };
    let (mut read, mut refused) = (0, Vec::new());
    for file in crate::reference_data::files(data.join("corpus/workflows")) {
        let name = file.display().to_string();
        match parse(Source::new(&*name, crate::reference_data::text(file))) {
            (Some((workflow, _)), findings) if findings.is_empty() => {
                assert_eq!(written_and_read(&workflow), workflow, "{name}");
                read += 1;
            }
            (_, findings) => refused.push(format!("{name}: {findings:?}")),
        }
    }
    assert!(read > 600 && refused.len() * 50 < read, "{read} read, refused:\n{}", refused.join("\n"));
}
