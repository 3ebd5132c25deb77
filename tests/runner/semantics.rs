//! Each rule that the executor follows, on small workflows, with the document that states it.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyfleet_core::source::Source;
use pyfleet_core::workflow;

use super::{Ran, Run};
use crate::repo::Repo;

/// Runs jobs, written as the value of `jobs:`; `set_up` says how.
#[track_caller]
fn run(jobs: &str, set_up: impl FnOnce(Run) -> Run) -> Option<Ran> {
    let repo = Repo::new();
    let head = "on: {push: , pull_request: , workflow_dispatch: {inputs: {go: {type: boolean}, \
                where: {type: choice, options: [dev, prod]}, note: {type: string}}}}\n";
    repo.write("w.yml", format!("{head}jobs:\n{jobs}"));
    set_up(Run::of("w.yml", repo.path("."))).run()
}

macro_rules! ran {
    ($jobs:expr) => {
        ran!($jobs, |run| run)
    };
    ($jobs:expr, $set_up:expr) => {
        match run($jobs, $set_up) {
            Some(ran) => ran,
            None => return,
        }
    };
}

/// GitHub docs, "Workflow syntax", `jobs.<job_id>.needs`; actions/runner#2205 for the ancestor that was skipped.
#[test]
fn a_job_without_a_status_function_wants_success_of_all_ancestors() {
    let ran = ran!(
        "  broken: {runs-on: x, steps: [{run: exit 3}]}
  behind: {runs-on: x, needs: broken, steps: [{run: true}]}
  condition: {runs-on: x, needs: broken, if: github.event_name == 'push', steps: [{run: true}]}
  always: {runs-on: x, needs: behind, if: ALWAYS(), steps: [{run: true}]}
  after-always: {runs-on: x, needs: always, steps: [{run: true}]}
  own-words: {runs-on: x, needs: always, if: \"${{ !cancelled() && needs.always.result == 'success' }}\", steps: [{run: true}]}
  failure: {runs-on: x, needs: behind, if: failure(), steps: [{run: true}]}
  off: {runs-on: x, if: \"github.ref == 'refs/heads/other'\", steps: [{run: true}]}
  past-it: {runs-on: x, needs: off, if: always(), steps: [{run: true}]}
  ancestor-skipped: {runs-on: x, needs: past-it, steps: [{run: true}]}
"
    );
    ran.job("broken").failed().says("Process completed with exit code 3.");
    ran.job("behind").skipped();
    ran.job("condition").skipped();
    ran.job("always").succeeded();
    ran.job("after-always").skipped();
    ran.job("own-words").succeeded();
    ran.job("failure").succeeded();
    ran.job("off").skipped();
    ran.job("past-it").succeeded();
    ran.job("ancestor-skipped").skipped();
    assert_eq!(ran.conclusion(), "failure");
}

/// GitHub docs, "Contexts reference", "needs context"; "Evaluate expressions", "Operators": texts compare without
/// regard to case.
#[test]
fn needs_holds_results_and_outputs_of_direct_needs() {
    let ran = ran!(
        "  a: {runs-on: x, outputs: {word: '${{ steps.s.outputs.word }}', none: '${{ steps.s.outputs.none }}'},
      steps: [{id: s, run: 'echo word=Yes >>\"$GITHUB_OUTPUT\"'}]}
  b: {runs-on: x, needs: a, if: \"needs.a.outputs.word == 'YES'\", steps: [{id: s, env: {NEEDS: '${{ toJSON(needs) }}'}, run: 'jq -c . <<<\"$NEEDS\"'}]}
  c: {runs-on: x, needs: b, if: \"needs.a.result == 'success'\", steps: [{run: true}]}
"
    );
    let step = ran.job("b").succeeded().step("s");
    assert_eq!(step.log, "{\"a\":{\"result\":\"success\",\"outputs\":{\"word\":\"Yes\"}}}\n");
    assert!(!ran.job("a").outputs.contains_key("none")); // An empty output does not exist.
    ran.job("c").skipped(); // `a` is not among its own needs.
    assert_eq!(ran.job("a").output("word"), "Yes");
    assert_eq!(ran.conclusion(), "success");
}

/// The runs of the examples in GitHub docs, "Running variations of jobs in a workflow".
#[test]
fn a_matrix_has_the_documented_combinations() {
    let ran = ran!(
        "  include:
    runs-on: x
    strategy: {matrix: {fruit: [apple, pear], animal: [cat, dog], include: [
      {color: green}, {color: pink, animal: cat}, {fruit: apple, shape: circle}, {fruit: banana}, {fruit: banana, animal: cat}]}}
    steps: [{run: true}]
  exclude:
    runs-on: x
    strategy: {matrix: {os: [mac, win], version: [12, 14], environment: [staging, production], exclude: [
      {os: mac, version: 12, environment: production}, {os: win, version: 14}]}}
    steps: [{run: true}]
  list:
    runs-on: x
    name: 'for ${{ matrix.stack }}'
    strategy: {fail-fast: false, matrix: {include: \"${{ fromJSON('[{\\\"stack\\\":\\\"one\\\",\\\"n\\\":{\\\"deep\\\":1}},{\\\"stack\\\":\\\"two\\\"}]') }}\"}}
    outputs: {last: '${{ steps.s.outputs.last }}'}
    steps: [{id: s, run: 'echo \"last=${{ matrix.n.deep }}\" >>\"$GITHUB_OUTPUT\"; test ${{ matrix.stack }} = one'}]
  nothing: {runs-on: x, strategy: {matrix: {include: \"${{ fromJSON('[]') }}\"}}, steps: [{run: true}]}
  empty-axis: {runs-on: x, strategy: {matrix: {a: \"${{ fromJSON('[]') }}\"}}, steps: [{run: true}]}
  no-json: {runs-on: x, strategy: {matrix: {a: '${{ fromJSON(github.nothing) }}'}}, steps: [{run: true}]}
  first-failure: {runs-on: x, strategy: {matrix: {code: [1, 0]}}, steps: [{run: 'exit ${{ matrix.code }}'}]}
"
    );
    let combinations = |job: &str| -> Vec<String> {
        let text = |(key, value): (&String, &serde_json::Value)| format!("{key}={value}").replace('"', "");
        let all = &ran.job(job).combinations;
        all.iter()
            .map(|one| one.matrix.as_object().unwrap().iter().map(text).collect::<Vec<_>>().join(" "))
            .collect()
    };
    assert_eq!(
        combinations("include"),
        [
            "fruit=apple animal=cat color=pink shape=circle",
            "fruit=apple animal=dog color=green shape=circle",
            "fruit=pear animal=cat color=pink",
            "fruit=pear animal=dog color=green",
            "fruit=banana",
            "fruit=banana animal=cat",
        ]
    );
    assert_eq!(combinations("exclude").len(), 5);
    assert_eq!(ran.job("exclude").names()[0], "exclude (mac, 12, staging)");
    let list = ran.job("list").failed();
    assert_eq!(list.names(), ["for one", "for two"]);
    assert_eq!((list.of("stack", "one").result(), list.of("stack", "two").result()), ("success", "failure"));
    assert_eq!(list.output("last"), "1"); // The second has none.
    ran.job("nothing").failed().says("Matrix must define at least one vector");
    ran.job("empty-axis").failed().says("does not contain any values");
    ran.job("no-json").failed();
    let results: Vec<_> = ran.job("first-failure").combinations.iter().map(|one| one.result()).collect();
    assert_eq!(results, ["failure", "cancelled"]);
}

/// GitHub docs, "Contexts reference", "steps context", and "Workflow syntax", `continue-on-error`.
#[test]
fn steps_go_on_as_their_conditions_say() {
    let ran = ran!(
        "  a:
    runs-on: x
    steps:
      - {id: forgiven, continue-on-error: true, run: exit 1}
      - {id: next, run: 'echo ${{ steps.forgiven.outcome }} ${{ steps.forgiven.conclusion }} ${{ job.status }}'}
      - {id: broken, run: exit 4}
      - {id: left-out, if: github.event_name == 'push', run: true}
      - {id: on-failure, if: failure(), run: 'echo ${{ job.status }} [${{ steps.left-out.conclusion }}]'}
      - {id: report, if: '${{ !cancelled() }}', run: true}
      - {id: on-cancel, if: cancelled(), run: true}
"
    );
    let job = ran.job("a").failed();
    assert_eq!(job.step("forgiven").outcome, "failure");
    assert_eq!(job.step("forgiven").conclusion, "success");
    assert_eq!(job.step("next").log, "failure success success\n");
    assert_eq!(job.step("left-out").outcome, "skipped");
    assert_eq!(job.step("on-failure").log, "failure [skipped]\n");
    assert_eq!(job.step("report").outcome, "success");
    assert_eq!(job.step("on-cancel").outcome, "skipped");
}

/// GitHub docs, "Workflow commands for GitHub Actions", "Environment files"; actions/runner, `FileCommandManager.cs`.
#[test]
fn steps_write_to_the_runner_through_files() {
    let ran = ran!(
        r#"  a:
    runs-on: x
    env: {WHO: job}
    steps:
      - id: writes
        run: |
          { echo "one=a=b<<c"; echo "many<<END"; echo "1=2"; echo; echo "three"; echo END; } >>"$GITHUB_OUTPUT"
          echo WHO=file >>"$GITHUB_ENV"
          mkdir tools; printf '#!/bin/sh\necho own tool\n' >tools/own; chmod +x tools/own
          echo "$PWD/tools" >>"$GITHUB_PATH"
          echo '# Told' >>"$GITHUB_STEP_SUMMARY"
      - {id: reads, run: 'own; echo "$WHO ${{ env.WHO }}"'}
      - {id: overrides, env: {WHO: step, GITHUB_RUN_ID: "1"}, if: env.WHO == 'step', run: 'echo "$WHO $GITHUB_RUN_ID"'}
      - {id: again, run: 'echo more >>"$GITHUB_STEP_SUMMARY"; echo "${#GITHUB_OUTPUT}"; test ! -s "$GITHUB_OUTPUT"'}
  malformed: {runs-on: x, steps: [{id: s, run: 'echo word >>"$GITHUB_OUTPUT"'}]}
  unclosed: {runs-on: x, steps: [{run: 'echo "word<<END" >>"$GITHUB_OUTPUT"'}]}
  node: {runs-on: x, steps: [{run: 'echo "NODE_OPTIONS=--require=x" >>"$GITHUB_ENV"'}]}
  long: {runs-on: x, steps: [{id: s, run: 'head -c 1048577 /dev/zero | tr "\0" x >>"$GITHUB_STEP_SUMMARY"'}]}
"#
    );
    let job = ran.job("a").succeeded();
    assert_eq!(job.step("writes").outputs["one"], "a=b<<c");
    assert_eq!(job.step("writes").outputs["many"], "1=2\n\nthree");
    assert_eq!(job.step("reads").log, "own tool\nfile file\n");
    assert_eq!(job.step("overrides").log, "step 4242\n");
    assert_eq!(job.summary(), "# Told\nmore\n");
    assert_eq!(job.step("again").summary, "more\n");
    ran.job("malformed").failed().says("Invalid format 'word'");
    ran.job("unclosed").failed().says("Matching delimiter not found 'END'");
    ran.job("node").failed().says("NODE_OPTIONS");
    assert_eq!(ran.job("long").succeeded().says("upload aborted").summary(), "");
}

/// GitHub docs, "Contexts reference", "Context availability".
#[test]
fn env_has_three_levels_and_each_its_contexts() {
    let repo = Repo::new();
    let text = r#"
on: push
env: {A: "workflow ${{ vars.V }}", B: "workflow ${{ secrets.S }}"}
jobs:
  a:
    runs-on: x
    env: {B: "job ${{ github.job }}", C: job}
    steps: [{id: s, env: {C: "step after ${{ env.C }}"}, run: 'echo "$A, $B, $C, ${{ env.C }}"'}]
"#;
    repo.write("w.yml", text);
    let run = Run::of("w.yml", repo.path(".")).variable("V", "value").secret("S", "hidden");
    let Some(ran) = run.run() else { return };
    assert_eq!(ran.job("a").step("s").log, "workflow value, job a, step after job, step after job\n");
    // What is not there is refused before anything runs.
    for (job, refused) in [
        ("{runs-on: x, env: {C: '${{ env.A }}'}}", "`env` cannot be read here"),
        ("{runs-on: x, if: secrets.S == 'x'}", "`secrets` cannot be read here"),
        ("{runs-on: x, steps: [{if: secrets.S == 'x', run: y}]}", "`secrets` cannot be read here"),
    ] {
        let text = format!("{{on: push, jobs: {{a: {job}}}}}");
        let (_, findings) = workflow::parse(Source::new("w.yml", text));
        let said: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert!(matches!(said.as_slice(), [only] if only.starts_with(refused)), "{job}: {said:?}");
    }
}

/// GitHub docs, "Workflow syntax", `jobs.<job_id>.steps[*].shell`.
#[test]
fn a_shell_is_what_the_nearest_default_says() {
    let repo = Repo::new();
    let text = r#"
on: push
defaults: {run: {working-directory: below}}
jobs:
  none: {runs-on: x, steps: [{working-directory: ., run: "mkdir below"}, {id: s, run: 'false | true; basename "$PWD"; echo $-'}]}
  bash: {runs-on: x, defaults: {run: {shell: bash, working-directory: .}}, steps: [{id: s, run: 'false | true; echo unreached'}]}
  sh: {runs-on: x, defaults: {run: {shell: bash, working-directory: .}}, steps: [{id: s, shell: sh, run: 'false | true; echo "[$BASH_VERSION]"'}]}
  nowhere: {runs-on: x, steps: [{run: true}]}
"#;
    repo.write("w.yml", text);
    let Some(ran) = Run::of("w.yml", repo.path(".")).run() else { return };
    assert!(ran.job("none").succeeded().step("s").log.starts_with("below\ne"));
    assert_eq!(ran.job("bash").failed().step("s").log, "##[error]Process completed with exit code 1.\n");
    ran.job("sh").succeeded();
    ran.job("nowhere").failed().says("An error occurred trying to start process");
}

#[test]
fn a_job_starts_on_a_clean_machine_and_checks_out_what_was_committed() {
    let repo = Repo::new();
    repo.write(
        "w.yml",
        r#"
on: push
jobs:
  bare: {runs-on: x, steps: [{id: s, run: 'ls -A; ls -A "$HOME"; touch "$HOME/left" "$RUNNER_TEMP/left" left; env | cut -d= -f1'}]}
  checkout:
    runs-on: x
    needs: bare
    steps:
      - {uses: actions/checkout@v7}
      - {id: shallow, run: 'ls -A; ls -A "$HOME"; test ! -e "$RUNNER_TEMP/left"; git log --format=%s; git branch --show-current; ./script'}
      - {uses: actions/checkout@v7, with: {fetch-depth: 0, path: again}}
      - {id: deep, run: 'git -C again log --format=%s; test "$(git -C again rev-parse HEAD)" = "$GITHUB_SHA"'}
"#,
    );
    repo.write(".gitignore", "ignored\n")
        .write("ignored", "")
        .write("script", "#!/bin/sh\necho executable\n");
    fs::set_permissions(repo.path("script"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let git = |arguments: &[&str]| super::git(&repo.path("."), arguments);
    git(&["init", "--quiet", "--initial-branch=main"]);
    for subject in ["first", "second"] {
        git(&["add", "--all"]);
        let author = ["-c", "user.name=octocat", "-c", "user.email=octocat@example.com"];
        git(&[&author[..], &["commit", "--quiet", "--allow-empty", "--message", subject]].concat());
    }
    let Some(ran) = Run::of("w.yml", repo.path(".")).env("AMBIENT", "x").run() else { return };
    let bare = &ran.job("bare").succeeded().step("s").log;
    assert!(!bare.contains("script") && !bare.contains("CARGO"), "{bare}");
    for name in
        ["CI", "AMBIENT", "GITHUB_SHA", "GITHUB_REPOSITORY", "RUNNER_TEMP", "GITHUB_EVENT_PATH", "RUNNER_OS"]
    {
        assert!(bare.lines().any(|line| line == name), "{name} is missing: {bare}");
    }
    assert!(!bare.contains("GITHUB_TOKEN"), "{bare}");
    let checkout = ran.job("checkout").succeeded();
    assert_eq!(checkout.step("shallow").log, ".git\n.gitignore\nscript\nw.yml\nsecond\nmain\nexecutable\n");
    assert_eq!(checkout.step("deep").log, "second\nfirst\n");
}

/// The READMEs of actions/upload-artifact v7 and actions/download-artifact v8.
#[test]
fn artifacts_travel_as_the_actions_say() {
    let upload = "uses: actions/upload-artifact@v7, with: ";
    let download = "uses: actions/download-artifact@v8, with: ";
    let jobs = format!(
        r#"  keeps:
    runs-on: x
    steps:
      - run: mkdir -p out/deep out/.hidden; echo 1 >out/a; echo 2 >out/deep/b; echo 3 >out/.hidden/c; echo 4 >single; echo 5 >.plan
      - {{{upload}{{name: plan_one, path: out}}}}
      - {{{upload}{{name: plan_two, path: "${{{{ github.workspace }}}}/single"}}}}
      - {{{upload}{{name: both, path: "out/deep/\nsingle\nmissing"}}}}
      - {{{upload}{{name: hidden, path: .plan, include-hidden-files: true}}}}
      - {{id: nothing, {upload}{{name: nothing, path: .plan}}}}
  again: {{runs-on: x, needs: keeps, steps: [{{run: touch a}}, {{{upload}{{name: plan_one, path: a}}}}]}}
  missing: {{runs-on: x, steps: [{{{upload}{{name: missing, path: nothing, if-no-files-found: error}}}}]}}
  name: {{runs-on: x, steps: [{{run: touch a}}, {{{upload}{{name: a/b, path: a}}}}]}}
  fetches:
    runs-on: x
    needs: keeps
    steps:
      - {{{download}{{name: plan_one, path: one}}}}
      - {{{download}{{pattern: plan_*, path: each}}}}
      - {{{download}{{pattern: plan_*, path: merged, merge-multiple: true}}}}
      - {{{download}{{pattern: none_*, path: none}}}}
      - {{id: s, run: "find . -type f | sort; test ! -e none"}}
  absent: {{runs-on: x, needs: keeps, steps: [{{{download}{{name: absent}}}}]}}
"#
    );
    let ran = ran!(&jobs);
    ran.job("keeps").succeeded();
    assert_eq!(ran.artifacts(), ["both", "hidden", "plan_one", "plan_two"]);
    assert_eq!(ran.artifact("plan_one").files(), ["a", "deep/b"]);
    assert_eq!(ran.artifact("plan_two").text("single"), "4\n");
    assert_eq!(ran.artifact("both").files(), ["out/deep/b", "single"]);
    assert_eq!(ran.artifact("hidden").files(), [".plan"]);
    assert!(ran.job("keeps").step("nothing").log.contains("No files were found"));
    ran.job("again").failed().says("already exists");
    ran.job("missing").failed().says("No files were found");
    ran.job("name").failed().says("The artifact name is not valid");
    assert_eq!(
        ran.job("fetches").succeeded().step("s").log,
        "./each/plan_one/a\n./each/plan_one/deep/b\n./each/plan_two/single\n./merged/a\n./merged/deep/b\n\
         ./merged/single\n./one/a\n./one/deep/b\n"
    );
    ran.job("absent").failed().says("Artifact not found for name: absent");
}

const GATED: &str = r#"  approval: {runs-on: x, environment: prod-approval, steps: [{run: true}]}
  apply:
    runs-on: x
    needs: approval
    environment: ${{ github.event_name == 'push' && 'prod' || '' }}
    concurrency: {group: "mutate-prod-${{ github.run_id }}"}
    outputs: {plain: "${{ steps.s.outputs.plain }}", secret: "${{ steps.s.outputs.secret }}"}
    steps:
      - id: s
        env: {ONE: "${{ secrets.one }}", BOTH: "${{ secrets.BOTH }}"}
        run: |
          echo "one: $ONE both: $BOTH ${{ github.token }}"
          printf 'plain=x\nsecret=is %s\n' "$ONE" >>"$GITHUB_OUTPUT"
          echo "$BOTH" >>"$GITHUB_STEP_SUMMARY"
          echo "::add-mask::computed%25"
          echo "a computed% value"
          printf '::stop-commands::token\n::add-mask::value\n::token::\na value\n'
  without: {runs-on: x, steps: [{id: s, env: {ONE: "${{ secrets.ONE }}", BOTH: "${{ secrets.BOTH }}"}, run: 'echo "[$ONE] ${#BOTH}"'}]}
  last: {runs-on: x, needs: apply, if: always(), steps: [{run: true}]}
"#;

/// What actions/toolkit documents of `latest`, the filter by which both actions look for an artifact.
#[test]
fn an_artifact_of_an_earlier_attempt_is_in_nobodys_way() {
    let repo = Repo::new();
    repo.write(
        "w.yml",
        r#"on: push
jobs:
  a:
    runs-on: x
    steps:
      - {run: 'echo "$ATTEMPT" >a', env: {ATTEMPT: "${{ github.run_attempt }}"}}
      - {id: keep, uses: actions/upload-artifact@v7, with: {name: kept, path: a}}
      - run: 'false'
"#,
    );
    let run = Run::of("w.yml", repo.path("."));
    let Some(first) = run.run() else { return };
    assert_eq!(first.artifact("kept").text("a"), "1\n");
    let second = run.run_failed_again(first).unwrap();
    assert_eq!(second.job("a").failed().step("keep").outcome, "success");
    assert_eq!(second.artifact("kept").text("a"), "2\n");
}

fn gated(run: Run) -> Run {
    run.secret("BOTH", "of-the-repository")
        .environment_secret("Prod", "ONE", "of-the-environment")
        .environment_secret("prod", "BOTH", "first line\nsecond line")
}

/// GitHub docs, "Managing environments for deployment" and "Control the concurrency of workflows and jobs".
#[test]
fn an_environment_has_its_own_secrets_which_no_log_shows() {
    let ran = ran!(GATED, |run| gated(run).approved("prod-approval", "octocat", "looks good"));
    let apply = ran.job("apply").succeeded();
    assert_eq!(apply.environment(), Some("prod"));
    assert_eq!(apply.group(), Some("mutate-prod-4242"));
    assert_eq!(
        apply.step("s").log,
        "one: *** both: ***\n*** ***\n::add-mask::***\na *** value\n\
         ::stop-commands::token\n::add-mask::value\n::token::\na value\n"
    );
    assert_eq!(apply.summary(), "***\n***\n");
    assert_eq!(apply.step("s").outputs["secret"], "is of-the-environment"); // To later steps of the job.
    assert_eq!(apply.output("plain"), "x");
    assert!(!apply.outputs.contains_key("secret"));
    apply.says("Skip output 'secret' since it may contain secret.");
    assert_eq!(ran.job("without").step("s").log, "[] 17\n");
    assert!(ran.state("approvals.json").contains(r#""comment":"looks good""#));

    let ran = ran!(GATED, |run| gated(run).event("workflow_dispatch"));
    assert_eq!(ran.job("apply").environment(), None); // The empty name.
    assert_eq!(ran.job("apply").step("s").outputs["secret"], "is ");
}

/// GitHub docs, "Reviewing deployments".
#[test]
fn reviewers_stop_what_they_have_not_approved() {
    let ran = ran!(GATED, |run| gated(run).refused("prod-approval", "octocat", "not today"));
    ran.job("approval").failed().says("octocat has rejected prod-approval: not today");
    ran.job("apply").skipped();
    ran.job("last").succeeded();
    assert_eq!(ran.conclusion(), "failure");

    let ran = ran!(GATED, |run| gated(run).unanswered("prod-approval"));
    ran.job("approval").is("waiting");
    ran.job("apply").is("unstarted");
    ran.job("last").is("unstarted"); // `always()` does not start what is waited for.
    ran.job("without").succeeded();
    assert_eq!(ran.conclusion(), "waiting");
}

/// GitHub docs, "Events that trigger workflows", `workflow_dispatch` and `pull_request`.
#[test]
fn an_event_brings_its_data() {
    let jobs = r#"  a: {runs-on: x, if: inputs.go, steps: [{id: s, env: {ALL: "${{ toJSON(inputs) }}", TEXTS: "${{ toJSON(github.event.inputs) }}"},
    run: 'jq -c . <<<"$ALL$TEXTS"; jq -c .inputs.where "$GITHUB_EVENT_PATH"'}]}
  b: {runs-on: x, if: "!inputs.go", permissions: {id-token: write}, steps: [{id: s, run: 'echo "${{ github.ref }} ${{ github.base_ref }} [${{ secrets.S }}] ${{ github.event.pull_request.head.repo.full_name }}"'}, {uses: aws-actions/configure-aws-credentials@v6, with: {role-to-assume: "arn:aws:iam::123456789012:role/x", aws-region: eu-central-1}}]}
"#;
    let ran = ran!(jobs, |run| run.event("workflow_dispatch").inputs([("go", "true"), ("where", "prod")]));
    assert_eq!(
        ran.job("a").succeeded().step("s").log,
        "{\"go\":true,\"where\":\"prod\",\"note\":\"\"}\n{\"go\":\"true\",\"where\":\"prod\",\"note\":\"\"}\n\"prod\"\n"
    );
    ran.job("b").skipped();

    let ran = ran!(jobs, |run| run.event("pull_request").secret("S", "secret"));
    assert_eq!(
        ran.job("b").succeeded().step("s").log,
        "refs/pull/7/merge main [***] octo-org/infrastructure\n"
    );

    let ran = ran!(jobs, |run| run.event("pull_request").secret("S", "secret").fork("somebody/fork"));
    assert_eq!(ran.job("b").failed().step("s").log, "refs/pull/7/merge main [] somebody/fork\n");
    ran.job("b").says("did you mean to set `id-token: write`?");

    let ran = ran!(jobs, |run| run.ref_("refs/tags/v1").payload(serde_json::json!({ "forced": true })));
    assert!(ran.job("b").log().contains("refs/tags/v1"));
}

/// The documentation of aws-actions/configure-aws-credentials.
#[test]
fn credentials_are_for_jobs_that_may_ask_and_for_the_expected_account() {
    let credentials = |account: &str| {
        format!(
            "{{uses: aws-actions/configure-aws-credentials@v6, with: {{aws-region: eu-west-1, allowed-account-ids: '{account}', \
             role-to-assume: 'arn:aws:iam::123456789012:role/x'}}}}"
        )
    };
    let jobs = format!(
        "  may: {{runs-on: x, permissions: {{id-token: write}}, steps: [{}, {{id: s, run: 'echo $AWS_REGION $AWS_DEFAULT_REGION'}}]}}
  other-account: {{runs-on: x, permissions: {{id-token: write}}, steps: [{}]}}
  may-not: {{runs-on: x, permissions: {{contents: read}}, steps: [{}]}}
",
        credentials("123456789012"),
        credentials("999999999999"),
        credentials("123456789012")
    );
    let ran = ran!(&jobs);
    assert_eq!(ran.job("may").succeeded().step("s").log, "eu-west-1 eu-west-1\n");
    ran.job("other-account").failed().says("is not in 999999999999");
    ran.job("may-not").failed().says("Could not load credentials");
}

/// actions/runner, `ProcessInvoker.cs` and `StepsRunner.cs`; GitHub docs, "Workflow cancellation reference".
#[test]
fn a_cancelled_run_ends_its_step_and_runs_what_asks_for_it() {
    let ran = ran!(
        r#"  a:
    runs-on: x
    steps:
      - id: works
        run: |
          trap 'echo entry process interrupted' INT
          bash -c 'trap "echo child interrupted" INT; echo ready; sleep 1; echo child done'
          exit 0
      - {id: next, run: true}
      - {id: report, if: "${{ !cancelled() }}", run: true}
      - {id: clean-up, if: always(), run: 'echo "${{ steps.works.outcome }} ${{ job.status }}"'}
      - {id: on-cancel, if: cancelled(), run: true}
  behind: {runs-on: x, needs: a, steps: [{run: true}]}
  not-cancelled: {runs-on: x, needs: a, if: "${{ !cancelled() }}", steps: [{run: true}]}
  gate: {runs-on: x, needs: [a, behind], if: always(), steps: [{id: s, run: 'echo "${{ needs.a.result }}"'}]}
"#,
        |run| run.cancelled_when("a", "works", "ready")
    );
    let a = ran.job("a").is("cancelled");
    assert_eq!(a.step("works").log, "ready\nchild done\nentry process interrupted\n");
    let outcomes =
        ["works", "next", "report", "clean-up", "on-cancel"].map(|step| a.step(step).outcome.as_str());
    assert_eq!(outcomes, ["cancelled", "skipped", "skipped", "success", "success"]);
    assert_eq!(a.step("clean-up").log, "cancelled cancelled\n");
    ran.job("behind").skipped();
    ran.job("not-cancelled").skipped();
    assert_eq!(ran.job("gate").succeeded().step("s").log, "cancelled\n");
    assert_eq!(ran.conclusion(), "cancelled");
}

/// actions/runner, `ProcessInvoker.cs`: SIGINT, 7.5 s, SIGTERM, 2.5 s, and the whole tree is killed.
#[test]
fn a_step_that_does_not_end_is_killed() {
    let ran = ran!(
        r#"  a:
    runs-on: x
    steps:
      - id: stubborn
        run: |
          trap 'echo interrupted' INT; trap 'echo terminated' TERM
          echo ready
          while :; do sleep 0.2; done
"#,
        |run| run.cancelled_when("a", "stubborn", "ready")
    );
    assert_eq!(ran.job("a").is("cancelled").step("stubborn").log, "ready\ninterrupted\nterminated\n");
}

/// What a job left running ends with it: actions/runner, "Cleaning up orphan processes".
#[test]
fn nothing_outlives_its_job() {
    let ran = ran!(
        "  a: {runs-on: x, steps: [{id: s, run: 'sleep 200 >/dev/null 2>&1 & echo $!'}]}
  b: {runs-on: x, needs: a, steps: [{run: true}]}
"
    );
    let process = ran.job("a").succeeded().step("s").log.trim().to_owned();
    let state = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn tools_and_actions_can_be_replaced() {
    let jobs = "  a:
    runs-on: x
    steps:
      - {id: gh, run: 'gh api runs; echo \"$AMBIENT\"'}
      - {id: own, uses: Own/Action/below@v1, with: {Name: 'of ${{ github.job }}'}}
      - {if: \"steps.own.outputs.answer == 'of a'\", run: 'echo \"$EXPORTED\"'}
";
    let ran = ran!(jobs, |run| run
        .tool("gh", "echo \"$*\" >>\"$STATE/calls\"; echo stand-in")
        .env("AMBIENT", "of the runner")
        .action("own/action/below", |action| {
            action.output("answer", action.input("name").unwrap());
            action.export("EXPORTED", "two\nlines");
            action.say("did it");
            Ok(())
        }));
    let job =
        ran.job("a").succeeded().says("stand-in\nof the runner\n").says("did it\n").says("two\nlines\n");
    assert_eq!(job.step("own").outputs["answer"], "of a");
    assert_eq!(ran.state("calls"), "api runs\n");

    let unknown = catch_unwind(AssertUnwindSafe(|| run(jobs, |run| run.tool("gh", "true"))));
    match unknown {
        Ok(None) => {}
        Ok(Some(_)) => panic!("an unknown action runs"),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().unwrap();
            assert_eq!(message, "there is no stand-in for the action Own/Action/below@v1");
        }
    }
}

/// GitHub docs, "Control the concurrency of workflows and jobs".
#[test]
fn the_group_of_a_run_is_told() {
    let repo = Repo::new();
    repo.write("w.yml", "on: push\nconcurrency: {group: 'a-${{ github.ref_name }}'}\njobs: {a: {runs-on: x, steps: [{run: true}]}}\n");
    let Some(ran) = Run::of("w.yml", repo.path(".")).run() else { return };
    assert_eq!(ran.group(), Some("a-main"));
}
