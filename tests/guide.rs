//! `.github/cicd/README.md`: complete, formatted, true to what the scripts print, and with charts that Mermaid reads.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::process::Stdio;

use pyfleet_core::flowchart::{Flowchart, NodeKind};
use pyfleet_core::guide::{Printer, TROUBLES, Trouble};
use pyfleet_core::manifest::Kind;
use pyfleet_core::plan::{Body, Plan};
use pyfleet_core::project::Project;
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Job};
use pyfleet_gen::{project_file, render};
use serde_json::{Value, json};

use crate::tool;

fn planned(manifest: &str) -> (Project, Plan) {
    let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
    loaded.planned.unwrap_or_else(|| panic!("{:?}", loaded.findings))
}

fn guide(manifest: &str) -> String {
    let (project, plan) = planned(manifest);
    render::render(&project, &plan, "pyfleet.yml").unwrap().remove(render::README).unwrap()
}

/// Every manifest that other tests render.
fn manifests() -> Vec<String> {
    let root = tool::repository();
    let mut manifests = vec![
        fs::read_to_string(root.join("examples/pyfleet/pyfleet.yml")).unwrap(),
        fs::read_to_string(root.join("examples/sandbox-broker/pyfleet.yml")).unwrap(),
        fs::read_to_string(root.join("examples/experience-showcase/pyfleet.yml")).unwrap(),
        NOTHING.to_owned(),
    ];
    for entry in fs::read_dir(root.join("tests/manifests")).unwrap() {
        manifests.push(fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    manifests
}

const NOTHING: &str = "\
version: 1
project: demo
github: { repository: octo/demo }
tests: { api: { python: \"3.11\", suites: { unit: pytest } } }
workflows: { test: { enabled: false }, build: { ejected: true } }
";

fn level(level: u8, workflows: &str) -> String {
    format!(
        "version: 1\nproject: demo\nsafety-level: {level}\ngithub: {{ repository: octo/demo, visibility: private }}\n\
         tests: {{ api: {{ python: \"3.11\", suites: {{ unit: pytest }} }} }}\n\
         registries: {{ ghcr: {{ ghcr: {{}} }} }}\nimages: {{ api: {{ registry: ghcr, repository: demo }} }}\n\
         workflows: {workflows}\n"
    )
}

#[test]
fn prettier_would_not_write_it_differently() {
    let Some(prettier) = tool::find("prettier") else { return };
    let directory = tempfile::tempdir().unwrap();
    for (number, manifest) in manifests().iter().enumerate() {
        fs::write(directory.path().join(format!("{number}.md")), guide(manifest)).unwrap();
    }
    let mut command = prettier.command();
    command.args(["--list-different", "--no-config", "--no-editorconfig", "."]).current_dir(directory.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// A reader pastes these commands as they are.
#[test]
fn a_shell_understands_every_command() {
    let Some(shellcheck) = tool::find("shellcheck") else { return };
    let directory = tempfile::tempdir().unwrap();
    for manifest in manifests() {
        let guide = guide(&manifest);
        let commands: String =
            guide.split("```sh\n").skip(1).filter_map(|block| block.split("```").next()).collect();
        let remedies = guide.lines().filter(|line| line.starts_with("- **")).filter_map(|line| {
            let command = line.strip_suffix('`')?.rsplit('`').next()?;
            Some(format!("{command}\n"))
        });
        let file = directory.path().join("commands.sh");
        fs::write(&file, commands + &remedies.collect::<String>()).unwrap();
        let mut command = shellcheck.command();
        let output = command.args(["--shell", "bash", "--norc"]).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The parts of a message between what differs from run to run stand in one line of its script, in this order.
fn prints(script: &str, seen: &str) -> bool {
    let parts: Vec<&str> = seen.split('…').filter(|part| !part.trim().is_empty()).collect();
    script.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| {
        let found = parts.iter().try_fold(line, |rest, part| rest.split_once(part).map(|(_, rest)| rest));
        !parts.is_empty() && found.is_some()
    })
}

#[test]
fn every_message_is_one_that_its_script_prints() {
    for trouble in TROUBLES {
        let Printer::Scripts(scripts) = trouble.by else { continue };
        for name in scripts {
            let script = pyfleet_templates::script(name).expect(name);
            assert!(prints(script, trouble.seen), "{name} never says: {}", trouble.seen);
        }
    }
    // What would be found in any script says nothing.
    assert!(!prints("annotate error \"a b\"\n", "b … a") && !prints("x\n", "…") && !prints("# a b\n", "a"));
}

/// Whether a job's rendered steps run what prints a message: a script by its name, as its text, or from another script.
fn is_run(job: &Job, body: &Body, trouble: &Trouble) -> bool {
    let runs =
        |part: &str| job.steps.iter().filter_map(|step| step.run.as_ref()).any(|run| run.contains(part));
    match trouble.by {
        Printer::Scripts(scripts) => scripts.iter().any(|script| {
            let text = pyfleet_templates::script(script).expect(script);
            let callers = body.scripts().filter(|name| name != script);
            runs(&format!(".github/scripts/{script}"))
                || runs(text.trim_end())
                || callers.filter(|caller| runs(&format!(".github/scripts/{caller}"))).any(|caller| {
                    let call = format!("bash \"$here/{script}\"");
                    pyfleet_templates::script(caller).is_some_and(|text| text.contains(&call))
                })
        }),
        Printer::Step(_) => {
            job.steps.iter().filter_map(|step| step.run.as_ref()).any(|run| prints(run, trouble.seen))
        }
        Printer::Action(action, _) => job.steps.iter().any(|step| step.is_action(action)),
    }
}

/// A job is said to print a message if, and but for what narrows it only if, its steps run what prints it.
#[test]
fn every_message_belongs_to_the_jobs_that_print_it() {
    let mut met = BTreeSet::new();
    for manifest in manifests() {
        let (project, plan) = planned(&manifest);
        let files = render::render(&project, &plan, "pyfleet.yml").unwrap();
        for workflow in &plan.workflows {
            let source = Source::new(workflow.file.clone(), files[&workflow.file].clone());
            let (rendered, _) = workflow::parse(source).0.unwrap();
            for (id, job) in &workflow.jobs {
                for trouble in TROUBLES {
                    let is_told = trouble.is_printed_by(&job.body);
                    let is_run = is_run(&rendered.jobs[id], &job.body, trouble);
                    let at = format!("{}, {id}: {}", workflow.file, trouble.seen);
                    assert!(is_run || !is_told, "never says: {at}");
                    let is_narrowed = trouble.only.is_some() || matches!(trouble.by, Printer::Action(..));
                    assert!(is_told || !is_run || is_narrowed, "is not explained: {at}");
                    if is_told {
                        met.insert(trouble.seen);
                    }
                }
            }
        }
    }
    let never: Vec<&str> =
        TROUBLES.iter().map(|trouble| trouble.seen).filter(|seen| !met.contains(seen)).collect();
    assert_eq!(never, [""; 0], "no manifest of the tests renders a job that says it");
}

/// What deployments or a look for drift can print is explained without another workflow beside them.
#[test]
fn messages_need_no_workflow_beside_the_one_that_prints_them() {
    let only = |manifest: &str, kind| {
        let path = tool::repository().join("tests/manifests").join(manifest);
        let (project, mut plan) = planned(&fs::read_to_string(path).unwrap());
        plan.workflows.retain(|workflow| workflow.kind == kind);
        render::render(&project, &plan, "pyfleet.yml").unwrap().remove(render::README).unwrap()
    };
    let deploy = only("services.yml", Kind::Deploy);
    for message in
        ["… is not healthy after … attempts", "the image runs as root", "this was approved for attempt"]
    {
        assert!(deploy.contains(message), "{message}\n{deploy}");
    }
    let drift = only("by-hand.yml", Kind::TfDrift);
    for message in
        ["… init failed: .terraform", "the secret … is empty here", "there is nothing to compare with"]
    {
        assert!(drift.contains(message), "{message}\n{drift}");
    }
    assert!(!drift.contains("the plan is refused") && !drift.contains("runs as root"), "{drift}");
}

/// What a role that reads is said to write is what its policy lets it write.
#[test]
fn a_role_that_reads_is_described_by_its_policy() {
    let mut said = BTreeSet::new();
    for manifest in manifests() {
        let (project, plan) = planned(&manifest);
        for role in pyfleet_core::oidc::setup(&project, &plan).roles {
            if !role.purpose.ends_with("plan") {
                continue;
            }
            let policy = serde_json::to_value(&role.permissions).unwrap();
            let statements = policy["Statement"].as_array().unwrap().clone();
            let allows = |sid: &str| statements.iter().any(|statement| statement["Sid"] == sid);
            let writes =
                statements.iter().filter(|statement| statement["Effect"] == "Allow").any(|statement| {
                    let action = statement["Action"].to_string();
                    action.contains(":Put") || action.contains(":Delete")
                });
            assert_eq!(role.because.ends_with("nothing at all"), !writes, "{}", role.because);
            assert_eq!(role.because.contains("saved plans"), allows("HandOverPlan"), "{}", role.because);
            let locks = allows("Lock") || allows("LockItem");
            assert_eq!(role.because.contains("writes locks"), locks, "{}", role.because);
            said.insert(role.because);
        }
    }
    assert!(said.len() > 2, "{said:?}");
}

/// Who is asked, told from what each job waits for.
#[test]
fn jobs_that_nobody_is_asked_about_are_named() {
    for manifest in manifests() {
        let (project, plan) = planned(&manifest);
        let guide = guide(&manifest);
        let approval = guide.split("\n## ").find(|part| part.starts_with("Who approves")).unwrap_or_default();
        let environments = pyfleet_core::oidc::setup(&project, &plan).environments;
        let gates: Vec<&str> =
            environments.iter().filter(|own| own.reviewers).map(|own| own.name.as_str()).collect();
        for workflow in &plan.workflows {
            let line = format!("- `{}`: ", workflow.name);
            let line = approval.lines().find_map(|text| text.strip_prefix(&line)).unwrap_or_default();
            for (id, job) in &workflow.model.jobs {
                let identity = workflow.jobs.get(id).and_then(|job| job.identity.as_ref());
                let purpose = identity.map(|identity| identity.purpose.name());
                let changes = purpose.is_some_and(|purpose| !purpose.ends_with("plan"));
                let waits = job.needs.iter().any(|needed| {
                    let environment = workflow.model.jobs[needed].environment.as_ref();
                    environment.is_some_and(|environment| gates.contains(&environment.name.as_str()))
                });
                assert_eq!(
                    line.contains(&format!("`{id}`")),
                    changes && !waits,
                    "{}: {id}\n{line}",
                    workflow.file
                );
            }
        }
    }
}

/// A message is explained where a run can print it, and only there.
#[test]
fn messages_belong_to_what_is_rendered() {
    let tests = guide(&level(1, "{ test: {} }"));
    assert!(tests.contains("- **`job …: …`**") && !tests.contains("is locked"), "{tests}");
    let by_hand = guide(&manifests()[0]);
    for message in ["the state … is locked …; …", "confirm must be exactly `…`", "the plan is refused for …"]
    {
        assert!(by_hand.contains(message), "{message}");
    }
    assert!(by_hand.contains("`gh workflow run tf.yml -f environment=ENVIRONMENT"));
    let renamed = manifests()[0].replace("  tf: {}", "  hand: { kind: tf }");
    let renamed = guide(&renamed);
    assert!(renamed.contains("`gh workflow run hand.yml -f") && !renamed.contains("tf.yml"), "{renamed}");
}

/// Whatever a workflow may do, and whatever it needs, is said.
#[test]
fn every_job_right_and_name_is_there() {
    for manifest in manifests() {
        let (project, plan) = planned(&manifest);
        let guide = guide(&manifest);
        let setup = pyfleet_core::oidc::setup(&project, &plan);
        for workflow in &plan.workflows {
            let section = guide
                .split("\n### ")
                .find(|part| part.starts_with(&format!("`{}`\n", workflow.name)))
                .unwrap();
            assert!(section.contains(&workflow.file));
            let automatic = workflow
                .auto
                .as_ref()
                .map(|auto| format!("`{}`. `{}` answers for it.", auto.reason, auto.owner));
            assert!(automatic.is_none_or(|automatic| section.contains(&automatic)), "{section}");
            assert!(guide.contains(&format!("- [`{0}`](#{0}) starts with ", workflow.name)));
            for (id, job) in &workflow.jobs {
                let line = section
                    .lines()
                    .find(|line| line.starts_with("- `") && line.contains(&format!("`{id}`")))
                    .unwrap();
                for permission in &job.permissions {
                    let scope =
                        format!("`{}: {}` ({})", permission.scope, permission.level, permission.because);
                    assert!(line.contains(&scope), "{line}");
                }
                let role =
                    job.identity.as_ref().map(|identity| format!("role `{}`", identity.purpose.name()));
                assert!(role.is_none_or(|role| line.contains(&role)), "{line}");
                let environment = workflow.model.jobs[id].environment.as_ref();
                assert!(
                    environment.is_none_or(|environment| line.contains(&format!("`{}`", environment.name))),
                    "{line}"
                );
            }
        }
        for environment in &setup.environments {
            let asked = if environment.reviewers { "its reviewers" } else { "nobody is asked" };
            assert!(
                guide
                    .contains(&format!("- `{}`, from `{}`: {asked}\n", environment.name, environment.branch))
            );
            for name in &environment.names.secrets {
                assert!(guide.contains(&format!(
                    "gh secret set {name} --repo {} --env {}\n",
                    setup.repository, environment.name
                )));
            }
        }
        for name in &setup.outside.secrets {
            assert!(guide.contains(&format!("gh secret set {name} --repo {}\n", setup.repository)));
        }
        assert_eq!(guide.contains("(oidc-setup.md)"), !setup.roles.is_empty());
    }
}

#[test]
fn levels_one_and_two_need_nothing() {
    for (number, workflows) in [(1, "{ test: {} }"), (2, "{ test: {}, build: {} }")] {
        let guide = guide(&level(number, workflows));
        assert!(guide.contains(&format!("Safety level {number}.")));
        assert!(guide.contains("### 1. Roles and environments\n\nNone are needed.\n"), "{guide}");
        assert!(guide.contains("### 2. Variables and secrets\n\nNone are needed.\n"), "{guide}");
        assert!(guide.contains("Nobody has to: no job runs in an environment"), "{guide}");
        assert!(
            guide.contains("[{ \"context\": \"") && guide.contains("\"context\": \"test gate\" }"),
            "{guide}"
        );
    }
}

#[test]
fn what_is_not_rendered_is_named() {
    let guide = guide(NOTHING);
    for says in [
        "No workflow is rendered.",
        "Switched off: `test`.",
        "no longer written: `.github/workflows/build.yml`.",
    ] {
        assert!(guide.contains(says), "{guide}");
    }
}

/// What Mermaid's own parser reads in each text.
fn read_by_mermaid(texts: &[String]) -> Option<Vec<Value>> {
    let node = tool::find("node")?;
    // The package is no program; Prettier comes from the same lock file.
    tool::find("prettier")?;
    let mut command = node.command();
    command
        .arg(tool::repository().join("tests/tools/mermaid.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let lines: String = texts.iter().map(|text| format!("{}\n", json!(text))).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), texts.len());
    Some(answers)
}

/// Every chart of a guide is read as the chart of its workflow: nodes, labels, edges and environments.
#[test]
fn mermaid_reads_what_was_planned() {
    let mut charts = Vec::new();
    let mut texts = Vec::new();
    for manifest in manifests() {
        let guide = guide(&manifest);
        texts.extend(
            guide
                .split("```mermaid\n")
                .skip(1)
                .filter_map(|block| Some(block.split_once("```")?.0.to_owned())),
        );
        let (project, plan) = planned(&manifest);
        let environments = pyfleet_core::oidc::setup(&project, &plan).environments;
        for chart in plan.workflows.iter().map(Flowchart::of) {
            for node in &chart.nodes {
                let own = environments.iter().find(|own| Some(&own.name) == node.environment.as_ref());
                assert_eq!(node.kind == NodeKind::Approval, own.is_some_and(|own| own.reviewers), "{node:?}");
            }
            charts.push(chart);
        }
    }
    assert!(texts.len() > 10 && texts.len() == charts.len());
    let Some(answers) = read_by_mermaid(&texts) else { return };
    for ((chart, answer), text) in charts.iter().zip(&answers).zip(&texts) {
        assert_eq!(answer["type"], "flowchart-v2", "{answer}\n{text}");
        let nodes = answer["nodes"].as_array().unwrap();
        assert_eq!(nodes.len(), chart.nodes.len());
        for (position, node) in chart.nodes.iter().enumerate() {
            let read = nodes.iter().find(|read| read["id"] == format!("n{position}")).unwrap();
            let shape = match node.kind {
                NodeKind::Start => "stadium",
                NodeKind::Job => "square",
                NodeKind::Approval => "hexagon",
                NodeKind::Gate => "subroutine",
            };
            assert_eq!(read["shape"], shape);
            let label = read["label"].as_str().unwrap();
            assert!(label.starts_with(&node.label), "{label:?} is not {:?}", node.label);
            assert_eq!(label.contains("\none at a time in "), node.lock.is_some());
        }
        let edges: Vec<Value> = chart
            .edges
            .iter()
            .map(|edge| json!([format!("n{}", edge.from), format!("n{}", edge.to)]))
            .collect();
        assert_eq!(answer["edges"], json!(edges));
        for group in answer["groups"].as_array().unwrap() {
            let title = group["title"].as_str().unwrap().strip_prefix("environment ").unwrap();
            for id in group["nodes"].as_array().unwrap() {
                let position: usize = id.as_str().unwrap()[1..].parse().unwrap();
                assert_eq!(chart.nodes[position].environment.as_deref(), Some(title));
            }
        }
    }
}

/// The parser says no where something is wrong.
#[test]
fn mermaid_says_no() {
    let wrong =
        ["flowchart LR\n  n0[\"x --> n1\n", "flowchart LR\n  end[\"x\"]\n", "flowchart LR\n  n0[a\"b]\n"];
    let Some(answers) = read_by_mermaid(&wrong.map(str::to_owned)) else { return };
    for answer in answers {
        assert!(answer["error"].as_str().is_some_and(|error| error.contains("Parse error")), "{answer}");
    }
}

/// Somebody with a red run finds whom to call before what its messages mean.
#[test]
fn whom_to_call_stands_before_what_messages_mean() {
    let manifest = fs::read_to_string(tool::repository().join("tests/manifests/pipeline.yml")).unwrap();
    let guide = guide(&manifest);
    let (_, fails) = guide.split_once("## When something fails\n").unwrap();
    let (contacts, messages) = fails.split_once("\n`…` stands for").unwrap();
    assert_eq!(contacts, "\nWhom to call:\n\n- on-call: `#ops`\n- platform: `platform@example.com`\n");
    assert!(messages.contains("its maintenance window opens next on …"), "{messages}");
    let without = guide_of_nobody(&manifest);
    assert!(!without.contains("Whom to call"), "{without}");
}

fn guide_of_nobody(manifest: &str) -> String {
    let lines = manifest.lines().filter(|line| !line.starts_with("contacts:"));
    guide(&lines.collect::<Vec<_>>().join("\n"))
}
