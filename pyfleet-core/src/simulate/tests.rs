use proptest::prelude::*;

use super::{Answer, Event, Simulation, simulate};
use crate::source::Source;
use crate::workflow::{self, Workflow};

fn read(text: &str) -> Workflow {
    let (read, findings) = workflow::parse(Source::new("w.yml", text));
    let said: Vec<_> = findings.iter().map(|finding| &finding.message).collect();
    assert!(!findings.has_errors(), "{said:?}\n{text}");
    read.unwrap().0
}

fn starts(on: &str, event: &Event) -> (Answer, String) {
    let text = format!("on:\n  {on}\njobs: {{a: {{runs-on: ubuntu-24.04, steps: [{{run: x}}]}}}}\n");
    let verdict = simulate(&read(&text), event).starts;
    (verdict.answer, verdict.because.join("; "))
}

/// Filters, as GitHub's documentation describes them.
#[test]
fn what_starts_a_workflow() {
    use Answer::{No, Unknown, Yes};
    let push = || Event::new("push");
    let pull = || Event::new("pull_request");
    let by_hand = || Event::new("workflow_dispatch").on("main");
    let many =
        |last: &str| push().on("main").changing((0..300).map(|n| format!("x/{n}")).chain([last.to_owned()]));
    let kind = |event: &str, kind: &str| Event { activity: Some(kind.to_owned()), ..Event::new(event) };
    let choice = "workflow_dispatch: {inputs: {to: {type: choice, options: [dev, prod], required: true}, dry: {type: boolean}, n: {type: number}}}";
    let cases: Vec<(&str, Event, Answer, &str)> = vec![
        ("push:", push(), Yes, ""),
        ("push:", pull(), No, "it has no `pull_request`"),
        ("push: {branches: [main]}", push(), Unknown, "which branch or tag is pushed"),
        ("push: {branches: [main]}", push().on("main"), Yes, ""),
        (
            "push: {branches: [main]}",
            push().on("Main"),
            No,
            "`branches` does not let the branch `Main` through",
        ),
        (
            "push: {branches: [main]}",
            push().on("refs/tags/main"),
            No,
            "`branches` stands alone, so that no tag",
        ),
        ("push: {tags-ignore: [v0.*]}", push().on("refs/tags/v1"), Yes, ""),
        (
            "push: {tags-ignore: [v0.*]}",
            push().on("refs/tags/v0.1"),
            No,
            "`tags-ignore` does not let the tag",
        ),
        ("push: {tags-ignore: [v0.*]}", push().on("main"), No, "no branch starts it"),
        ("push: {branches: [main], tags: [v*]}", push().on("refs/tags/v1"), Yes, ""),
        ("push: {branches: ['**', '!wip/**']}", push().on("wip/a"), No, "let the branch `wip/a` through"),
        ("push: {paths: [src/**]}", push().on("main"), Unknown, "which files change (it has `paths`)"),
        ("push: {paths: [src/**]}", push().on("main").changing(["a", "src/b"]), Yes, ""),
        (
            "push: {paths: [src/**]}",
            push().on("main").changing(["a"]),
            No,
            "`paths` lets no changed file through",
        ),
        ("push: {paths-ignore: [docs/**]}", push().on("main").changing(["docs/a"]), No, "`paths-ignore`"),
        ("push: {paths-ignore: [docs/**]}", push().on("main").changing(["docs/a", "b"]), Yes, ""),
        ("push: {paths: [src/**]}", push().on("refs/tags/v1").changing(["a"]), Yes, ""),
        ("push: {paths: [x/**]}", many("a"), Yes, ""),
        ("push: {paths: [x/1]}", many("a"), Unknown, "which 300 of the changed files"),
        ("push: {paths: [y/**]}", many("y/a"), Unknown, "which 300 of the changed files"),
        ("push: {branches: [main], paths: [src/**]}", push().on("topic"), No, "`branches`"),
        ("push: {branches: [main], paths: [src/**]}", push().changing(["a"]), No, "`paths`"),
        (
            "push: {branches: [main], paths: [src/**]}",
            push(),
            Unknown,
            "pushed; it depends on which files change",
        ),
        ("pull_request:", pull(), Yes, ""),
        (
            "pull_request:",
            kind("pull_request", "closed"),
            No,
            "`closed` is not one of its types: opened, synchronize, reopened",
        ),
        ("pull_request: {types: [closed]}", pull(), No, "`synchronize` is not one of its types: closed"),
        ("pull_request: {branches: [main]}", pull(), Unknown, "into which branch"),
        ("pull_request: {branches: [main]}", pull().on("topic").into_branch("main"), Yes, ""),
        (
            "pull_request: {branches: [main]}",
            pull().on("main").into_branch("topic"),
            No,
            "the branch `topic`",
        ),
        (
            "push: {branches: [main], branches-ignore: [x]}",
            push().on("main"),
            No,
            "GitHub refuses `branches` beside",
        ),
        (
            "push: {branches-ignore: ['!x']}",
            push().on("main"),
            Unknown,
            "what `!` means under `branches-ignore`",
        ),
        ("push: {paths: [src/**]}", push().changing(["a"]), Unknown, "whether a tag is pushed"),
        (
            "push: {branches: [main], tags: [v*], paths: [x/**]}",
            push().changing(["a"]),
            Unknown,
            "whether a tag",
        ),
        ("push: {paths: [src/**]}", push().on("main").changing(["./src/a"]), Yes, ""),
        ("merge_group:", Event::new("merge_group"), Yes, ""),
        ("merge_group: {branches: [main]}", Event::new("merge_group").into_branch("dev"), No, "`dev`"),
        ("schedule: [{cron: 17 3 * * 1}]", Event::new("schedule"), Yes, ""),
        ("push:", Event::new("schedule"), No, "it has no `schedule`"),
        ("issues:", Event::new("issues"), Yes, ""),
        ("issues: {types: [opened]}", Event::new("issues"), Unknown, "whether it is one of opened"),
        ("issues: {types: [opened]}", kind("issues", "opened"), Yes, ""),
        ("issues: {types: [opened]}", kind("issues", "labeled"), No, "`labeled`"),
        ("workflow_run: {workflows: [CI]}", Event::new("workflow_run"), Unknown, "one of CI that ran"),
        ("workflow_dispatch:", by_hand(), Yes, ""),
        ("workflow_dispatch:", by_hand().with_input("x", "1"), No, "it has no inputs"),
        (choice, by_hand(), No, "the input `to` is required: dev, prod"),
        (choice, by_hand().with_input("to", "prod"), Yes, ""),
        (choice, by_hand().with_input("TO", "prod"), Yes, ""),
        (
            choice,
            by_hand().with_input("to", "test").with_input("y", ""),
            No,
            "no input `y`: there are to, dry, n; the input `to` is dev, prod, not `test`",
        ),
        (
            choice,
            by_hand().with_input("to", "dev").with_input("dry", "yes"),
            No,
            "`true` or `false`, not `yes`",
        ),
        (choice, by_hand().with_input("to", "dev").with_input("n", "many"), No, "a number, not `many`"),
    ];
    for (on, event, answer, because) in cases {
        let (said, reason) = starts(on, &event);
        assert!(said == answer && reason.contains(because), "{on}, {event}: {said:?}: {reason}");
    }
}

/// One job a line: `id: condition`, behind those in brackets.
fn run(event: &Event, jobs: &[(&str, &[&str], &str)]) -> Simulation {
    let mut text = "on: [push, pull_request, workflow_dispatch]\njobs:\n".to_owned();
    for (id, needs, condition) in jobs {
        text.push_str(&format!(
            "  {id}:\n    needs: {needs:?}\n    runs-on: ubuntu-24.04\n    outputs: {{o: '${{{{ steps.s.outputs.o }}}}', same: '${{{{ github.event_name }}}}'}}\n    steps: [{{id: s, run: x}}]\n"
        ));
        if !condition.is_empty() {
            text.push_str(&format!("    if: {}\n", serde_json::to_string(condition).unwrap()));
        }
    }
    simulate(&read(&text), event)
}

fn told(simulation: &Simulation) -> Vec<String> {
    let jobs = simulation.jobs.iter();
    jobs.map(|(id, job)| format!("{id} {:?}: {}", job.runs.answer, job.runs.because.join("; "))).collect()
}

#[test]
fn what_is_skipped_is_skipped_behind_it_too() {
    let jobs: &[(&str, &[&str], &str)] = &[
        ("build", &[], "github.event_name == 'pull_request'"),
        ("test", &["build"], "!cancelled()"),
        ("deploy", &["test"], ""),
        ("report", &["deploy"], "always()"),
        ("mend", &["test"], "failure()"),
        ("release", &["build"], "needs.build.result == 'skipped' && success()"),
    ];
    assert_eq!(
        told(&run(&Event::new("push"), jobs)),
        [
            "build No: `github.event_name == 'pull_request'` is false: `github.event_name` is `push`",
            "test Yes: `cancelled()` is false",
            "deploy No: `build` is skipped",
            "report Yes: `always()` is true",
            "mend No: `failure()` is false",
            "release No: `success()` is false",
        ]
    );
    let cancelled = Event::new("pull_request").assuming("needs.build.result=cancelled".parse().unwrap());
    assert_eq!(
        told(&run(&cancelled, jobs))[1..3],
        [
            "test Unknown: it depends on `cancelled()`".to_owned(),
            "deploy No: `build` is cancelled".to_owned(),
        ]
    );
    let failing = Event::new("pull_request").assuming("needs.test.result=failure".parse().unwrap());
    assert_eq!(
        told(&run(&failing, jobs))[2..5],
        [
            "deploy No: `test` fails".to_owned(),
            "report Yes: `always()` is true".to_owned(),
            "mend Yes: `failure()` is true".to_owned()
        ]
    );
}

#[test]
fn what_only_a_run_knows_is_not_known_until_it_is_assumed() {
    let jobs: &[(&str, &[&str], &str)] = &[
        ("look", &[], ""),
        ("act", &["look"], "needs.look.outputs.o == 'yes' && vars.ON"),
        ("after", &["act"], ""),
        ("other", &["look"], "needs.look.outputs.same == 'push' && needs.look.outputs.nothing == ''"),
        ("never", &["look"], "needs.look.outputs.o == 'yes' && github.event_name == 'schedule'"),
    ];
    let push = || Event::new("push").on("main");
    assert_eq!(
        told(&run(&push(), jobs)),
        [
            "look Yes: ",
            "act Unknown: it depends on `needs.look.outputs.o`; it depends on `vars.ON`",
            "after Unknown: it depends on whether `act` runs",
            "other Yes: `needs.look.outputs.same == 'push'` is true: `needs.look.outputs.same` is `push`; `needs.look.outputs.nothing == ''` is true: `needs.look.outputs.nothing` is empty",
            "never No: `github.event_name == 'schedule'` is false: `github.event_name` is `push`",
        ]
    );
    let assumed = push()
        .assuming("needs.look.outputs.o=yes".parse().unwrap())
        .assuming("vars.on=true".parse().unwrap());
    assert_eq!(told(&run(&assumed, jobs))[1..3], [
        "act Yes: `needs.look.outputs.o == 'yes'` is true: `needs.look.outputs.o` is `yes`; `vars.ON` is `true`".to_owned(),
        "after Yes: ".to_owned(),
    ]);
    // What is assumed of a job says that it runs.
    let run_it = push().assuming("needs.act.result=success".parse().unwrap());
    assert_eq!(
        told(&run(&run_it, jobs))[1..3],
        ["act Yes: that is assumed".to_owned(), "after Yes: ".to_owned()]
    );
}

#[test]
fn a_pull_request_of_a_fork() {
    let jobs: &[(&str, &[&str], &str)] = &[
        ("plan", &[], "github.event.pull_request.head.repo.full_name == github.repository"),
        ("main", &[], "github.ref == 'refs/heads/main'"),
        ("bot", &[], "github.event.pull_request.user.login != 'dependabot[bot]'"),
        ("draft", &[], "!github.event.pull_request.draft"),
    ];
    let of = |is_fork, actor: Option<&str>| Event {
        is_fork,
        actor: actor.map(str::to_owned),
        repository: Some("acme/shop".to_owned()),
        ..Event::new("pull_request")
    };
    let answers =
        |event: &Event| run(event, jobs).jobs.values().map(|job| job.runs.answer).collect::<Vec<_>>();
    use Answer::{No, Unknown, Yes};
    assert_eq!(answers(&of(false, Some("octocat"))), [Yes, No, Yes, Unknown]);
    assert_eq!(answers(&of(true, None)), [No, No, Unknown, Unknown]);
    let draft = of(true, None).assuming("github.event.pull_request.draft=true".parse().unwrap());
    assert_eq!(answers(&draft)[3], No);
}

#[test]
fn matrices_and_environments() {
    let text = "
on: workflow_dispatch
jobs:
  a:
    strategy: {matrix: {os: [x, y], v: [1, 2], exclude: [{os: x, v: 2}], include: [{os: z, v: 3}, {v: 1, fast: true}]}}
    environment: \"${{ github.ref_name }}\"
    runs-on: x
    outputs: {all: '[\"p\", \"q\"]'}
    steps: [{run: x}]
  b:
    needs: a
    strategy: {matrix: {v: \"${{ fromJSON(needs.a.outputs.all) }}\"}}
    environment: \"${{ vars.WHERE }}\"
    runs-on: x
    steps: [{run: x}]
  c:
    strategy: {matrix: {v: \"${{ fromJSON(vars.LIST) }}\"}}
    environment: \"${{ inputs.nothing }}\"
    runs-on: x
    steps: [{run: x}]
";
    let jobs = simulate(&read(text), &Event::new("workflow_dispatch").on("main")).jobs;
    let of = |id: &str| {
        (jobs[id].combinations.clone().map(|own| own.join(" | ")), jobs[id].environment.as_deref())
    };
    assert_eq!(of("a"), (Some("x, 1, true | y, 1, true | y, 2 | z, 3".to_owned()), Some("main")));
    assert_eq!(of("b"), (Some("p | q".to_owned()), Some("${{ vars.WHERE }}")));
    assert_eq!(of("c"), (None, None));
}

#[test]
fn mistakes_come_all_at_once() {
    let event = Event {
        is_fork: true,
        ..Event::new("schedule").on("x").into_branch("y").changing(["z"]).with_input("a", "b")
    };
    let said: Vec<String> = event.mistakes().into_iter().map(|mistake| mistake.message).collect();
    assert_eq!(
        said,
        [
            "`schedule` has no inputs",
            "`schedule` goes into no other branch",
            "`schedule` comes from no fork",
            "no workflow is told which files change by `schedule`",
            "`schedule` runs on the default branch, not on the branch x",
        ]
    );
    assert_eq!(Event::new("pull-request").mistakes()[0].help, "did you mean `pull_request`?");
    assert_eq!(Event::new("workflow_call").mistakes().len(), 1);
    for wrong in
        ["needs.a", "needs.a=b", "secrets.X=y", "needs.a.outputs=x", "1=2", "needs.*.result=success", "=", ""]
    {
        assert!(wrong.parse::<super::Assumption>().is_err(), "{wrong}");
    }
}

/// Every known event can be asked for.
#[test]
fn every_event_is_simulated() {
    for event in workflow::Triggers::EVENTS.iter().filter(|event| **event != "workflow_call") {
        let event = Event { default_branch: Some("main".to_owned()), ..Event::new(*event) };
        assert!(event.mistakes().is_empty(), "{event}");
        let on = if event.name == "schedule" {
            "schedule: [{cron: 17 3 * * 1}]".to_owned()
        } else {
            format!("{}:", event.name)
        };
        let expected = if event.name == "workflow_run" { Answer::Unknown } else { Answer::Yes };
        assert_eq!(starts(&on, &event).0, expected, "{event}");
    }
}

/// What GitHub documents of contexts, event by event; what it does not document is not known.
#[test]
fn what_conditions_read() {
    use Answer::{No, Unknown, Yes};
    let of = |name: &str, activity: &str| Event {
        activity: Some(activity.to_owned()).filter(|own| !own.is_empty()),
        actor: Some("octocat".to_owned()),
        default_branch: Some("main".to_owned()),
        ..Event::new(name)
    };
    let any = |name: &str, activity: &str| Event { activity: Some(activity.to_owned()), ..Event::any(name) };
    let assuming = |event: Event, text: &str| event.assuming(text.parse().unwrap());
    let is_main = "github.ref == 'refs/heads/main'";
    let merged = "github.event.pull_request.merged=true";
    let label = r#"github.event.pull_request.labels=[{"name": "x"}]"#;
    let labelled = "contains(github.event.pull_request.labels.*.name, 'x')";
    let cases: Vec<(Event, &str, Answer)> = vec![
        (of("push", ""), is_main, Yes),
        (of("push", "").on("refs/tags/v1"), "github.ref_type == 'tag' && github.ref_name == 'v1'", Yes),
        (of("pull_request", ""), is_main, No),
        (of("pull_request", "closed"), is_main, Unknown),
        (any("pull_request", "closed"), is_main, Unknown),
        (any("pull_request", "opened"), is_main, No),
        (any("pull_request", "opened"), "github.ref == 'refs/pull/77/merge'", Unknown),
        (any("pull_request", "opened"), "github.event.pull_request.number == 77", Unknown),
        (any("pull_request", "opened"), "!contains(github.ref, '1')", Unknown),
        (any("pull_request", "opened"), "github.ref_name > '2'", Unknown),
        (any("pull_request", "opened"), "contains(toJSON(github), 'refs/heads')", Unknown),
        (any("pull_request", "opened"), "startsWith(github.ref, 'refs/heads/')", No),
        (any("pull_request", "opened"), "github.ref_name == 'v1' || github.ref == 'refs/heads/x'", No),
        (of("deployment_status", ""), "github.event.action == 'created'", Unknown),
        (Event::any("push"), "new('x') || false", Unknown),
        (of("push", ""), "new('x') || false", No),
        (of("pull_request", "opened"), "github.event.number == github.event.pull_request.number", Yes),
        (assuming(of("pull_request", "closed"), merged), is_main, Yes),
        (assuming(of("pull_request", "closed"), "github.event.pull_request.merged=false"), is_main, No),
        (of("pull_request_review", "submitted"), is_main, Unknown),
        (of("pull_request_target", "").into_branch("release"), is_main, Yes),
        (of("pull_request_target", "").into_branch("release"), "github.base_ref == 'release'", Yes),
        (of("pull_request", "labeled"), "github.event.pull_request.user.login == 'dependabot[bot]'", Unknown),
        (of("pull_request", "opened"), "github.event.pull_request.user.login == 'dependabot[bot]'", No),
        (of("pull_request", ""), labelled, Unknown),
        (assuming(of("pull_request", ""), label), labelled, Yes),
        (
            assuming(of("pull_request", ""), label),
            "github.event.pull_request.labels[0].color == 'red'",
            Unknown,
        ),
        (of("release", "published").on("v1.0"), "startsWith(github.ref, 'refs/tags/v')", Yes),
        (of("release", "published"), "github.ref_type == 'tag'", Yes),
        (of("deployment_status", ""), "github.event.workflow_run.name == 'Deploy'", Unknown),
        (of("push", ""), "github.event.workflow_run.name == 'Deploy'", No),
        (of("schedule", ""), "github.event.sender.login == 'octocat'", Unknown),
        (of("page_build", ""), is_main, Unknown),
        (of("issues", "opened"), is_main, Yes),
        (of("push", ""), "${{ github.ref }} == 'x'", Yes),
        (of("push", ""), "${{ failure() }} or so", Yes),
        (Event::any("push"), "!success()", Unknown),
        (Event::any("push"), "!failure()", Yes),
    ];
    for (event, condition, answer) in cases {
        let filters = match event.activity.as_deref() {
            Some(activity) => format!("{{types: [{activity}]}}"),
            None if event.name == "schedule" => "[{cron: 17 3 * * 1}]".to_owned(),
            None => "null".to_owned(),
        };
        let condition = serde_json::to_string(condition).unwrap();
        let text = format!(
            "on: {{{}: {filters}}}\njobs: {{a: {{if: {condition}, runs-on: x, steps: [{{run: x}}]}}}}\n",
            event.name
        );
        let (read, _) = workflow::parse(Source::new("w.yml", text.clone()));
        let workflow = read.unwrap_or_else(|| panic!("{text}")).0;
        let runs = &super::Simulator::of(&workflow).answers(&event, true).unwrap()["a"];
        assert_eq!(runs.answer, answer, "{event}: {condition}: {:?}", runs.because);
    }
}

/// A text that doubles from job to job, and a matrix with many exclusions: not known, soon.
#[test]
fn nothing_grows_without_bound() {
    let mut text = "on: workflow_dispatch\njobs:\n".to_owned();
    for job in 0..40 {
        let before = format!("${{{{ needs.j{}.outputs.o }}}}", job - 1);
        let (needs, output) = if job == 0 {
            (String::new(), "xx".to_owned())
        } else {
            (format!("needs: j{}, ", job - 1), before.repeat(2))
        };
        text.push_str(&format!(
            "  j{job}: {{{needs}runs-on: x, outputs: {{o: '{output}'}}, steps: [{{run: x}}]}}\n"
        ));
    }
    let axis: Vec<usize> = (0..160).collect();
    let excluded: Vec<String> = (0..9_000).map(|n| format!("{{a: {n}}}")).collect();
    text.push_str(&format!(
        "  m: {{strategy: {{matrix: {{a: {axis:?}, b: {axis:?}, exclude: [{}]}}}}, runs-on: x, steps: [{{run: x}}]}}\n",
        excluded.join(", ")
    ));
    let workflow = workflow::parse(Source::new("w.yml", text)).0.unwrap().0;
    let simulation = simulate(&workflow, &Event::new("workflow_dispatch"));
    assert!(simulation.jobs["m"].combinations.is_none() && simulation.jobs.len() == 41);
}

#[test]
fn jobs_in_a_circle_start_nothing() {
    let text = "on: push\njobs:\n  a: {needs: b, runs-on: x, steps: [{run: x}]}\n  b: {needs: a, runs-on: x, steps: [{run: x}]}\n";
    let simulation = simulate(&read(text), &Event::new("push"));
    assert_eq!(simulation.starts.because, ["GitHub refuses the file: jobs wait for each other: a, b"]);
    assert!(simulation.jobs.is_empty());
}

const CONDITIONS: [&str; 14] = [
    "",
    "always()",
    "failure()",
    "!cancelled()",
    "success() || vars.A == 'x'",
    "github.ref == 'refs/heads/main'",
    "github.event_name == 'push' && vars.A == 'x'",
    "vars.A == 'x' || vars.B == 'y'",
    "needs.j0.result == 'success'",
    "always() && needs.j0.outputs.o == 'x'",
    "!(needs.j1.result == 'skipped') && !failure()",
    "contains(needs.*.result, 'skipped') && always()",
    "needs.j0.outputs.o != needs.j1.outputs.o",
    "false",
];

proptest! {
    /// An answer stays what it is when more is told: what is not known is never taken for granted. A random guess at what
    /// jobs say is often one of a job that is skipped, so that half of the cases are none.
    #[test]
    fn more_knowledge_changes_no_answer(
        jobs in prop::collection::vec((prop::collection::btree_set(0..6_usize, 0..3), 0..CONDITIONS.len()), 1..7),
        facts in prop::collection::btree_map(0..9_usize, (any::<bool>(), any::<bool>()), 0..9),
        branch in prop::option::of(any::<bool>()),
        later in any::<bool>(),
        failing in prop::collection::btree_set(0..6_usize, 0..3),
    ) {
        let ids: Vec<String> = (0..jobs.len()).map(|id| format!("j{id}")).collect();
        let needs: Vec<Vec<&str>> = jobs
            .iter()
            .enumerate()
            .map(|(own, (needs, _))| needs.iter().filter(|needed| **needed < own).map(|id| ids[*id].as_str()).collect())
            .collect();
        let jobs: Vec<(&str, &[&str], &str)> = jobs
            .iter()
            .zip(&ids)
            .zip(&needs)
            .map(|(((_, condition), id), needs)| (id.as_str(), needs.as_slice(), CONDITIONS[*condition]))
            .collect();
        let name = |main: bool| if main { "main" } else { "topic" };
        let mut little = Event::new("push");
        if let Some(main) = branch {
            little = little.on(name(main));
        }
        let mut much = little.clone();
        if branch.is_none() {
            much = much.on(name(later));
        }
        for (what, (is_x, at_once)) in facts {
            let value = if is_x { "x" } else { "y" };
            let fact = match what {
                0 | 1 => format!("vars.{}={value}", ["A", "B"][what]),
                2..=5 => format!("needs.j{}.outputs.o={value}", what - 2),
                job => format!("needs.j{}.result=success", job - 6),
            };
            let fact: super::Assumption = fact.parse().unwrap();
            if at_once {
                little.assumed.push(fact.clone());
            }
            much.assumed.push(fact);
        }
        // What holds for every event holds for this one, however its jobs end.
        let mut worst = much.clone();
        for job in failing {
            worst.assumed.push(format!("needs.j{job}.result=failure").parse().unwrap());
        }
        let (any, worst) = (run(&Event::any("push"), &jobs), run(&worst, &jobs));
        for (id, job) in &any.jobs {
            let is = worst.jobs[id].runs.answer;
            prop_assert!(job.runs.answer == Answer::Unknown || job.runs.answer == is, "{}: {:?}", id, job.runs);
        }
        let (before, after) = (run(&little, &jobs), run(&much, &jobs));
        // Of a job that is skipped nothing can be assumed.
        let is_possible = |(id, job): (&String, &super::SimulatedJob)| {
            job.runs.answer != Answer::No || !super::assumption::speaks_of(&much.assumed, id)
        };
        prop_assume!(after.jobs.iter().all(is_possible));
        for (id, job) in &before.jobs {
            let later = &after.jobs[id].runs;
            prop_assert!(
                job.runs.answer == Answer::Unknown || job.runs.answer == later.answer,
                "{}: {:?}, and later {:?}\n{:?}\n{:?}\n{:?}", id, job.runs, later, jobs, little, much
            );
        }
    }
}
