use std::collections::BTreeMap;

use super::{Content, Door, File, Proof, prove};
use crate::diagnostic::Diagnostic;
use crate::manifest::{self, AwsRole};
use crate::plan::{self, Plan};
use crate::project::{self, Project};
use crate::source::Source;
use crate::workflow::{self, OrExpression, PullRequest, Push, Workflow, WorkflowCall};

const PYFLEET: &str = include_str!("../../../examples/pyfleet/pyfleet.yml");
const SANDBOX_BROKER: &str = include_str!("../../../examples/sandbox-broker/pyfleet.yml");

type Files = BTreeMap<String, File>;

/// A project, its plan, and the files that it renders to, as far as steps do not matter.
fn planned(text: &str) -> (Project, Plan, Files) {
    let manifest = manifest::parse(Source::new("pyfleet.yml", text)).0.unwrap();
    let project = project::resolve(&manifest).0.unwrap();
    let (plan, _) = plan::plan(&project);
    let file = |own: &plan::Workflow| File {
        content: Content::Workflow(Box::new(own.model.clone())),
        is_rendered: true,
    };
    let files = plan.workflows.iter().map(|own| (own.file.clone(), file(own))).collect();
    (project, plan, files)
}

fn codes(proof: &Proof) -> Vec<&'static str> {
    let mut codes: Vec<&str> = proof.findings.iter().map(|(_, finding)| finding.code).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn broken(proof: &Proof) -> Vec<String> {
    let claims = proof
        .environments
        .iter()
        .flat_map(|environment| environment.claims.iter().map(move |claim| (claim, &environment.name)));
    claims
        .filter(|(claim, _)| !claim.holds)
        .map(|(claim, environment)| format!("{environment}: {}", claim.property.name()))
        .collect()
}

fn foreign(text: &str) -> File {
    let read = workflow::parse(Source::new("own.yml", text)).0;
    let content = read.map_or(Content::Unreadable, |(workflow, _)| Content::Workflow(Box::new(workflow)));
    File { content, is_rendered: false }
}

/// What a workflow of somebody's own breaks.
fn with_own(text: &str) -> Proof {
    let (project, plan, mut files) = planned(PYFLEET);
    files.insert(".github/workflows/own.yml".to_owned(), foreign(text));
    prove(&project, &plan, &files)
}

#[test]
fn what_is_planned_is_proven() {
    for text in [PYFLEET, SANDBOX_BROKER] {
        let (project, plan, files) = planned(text);
        let proof = prove(&project, &plan, &files);
        assert_eq!(proof.findings, []);
        assert!(proof.environments.iter().all(|own| !own.claims.is_empty() && !own.accesses.is_empty()));
    }
}

/// The story of a team that goes on step by step: nothing is in reach before its level.
#[test]
fn each_level_opens_its_own_doors() {
    let (facts, wishes) = SANDBOX_BROKER.split_once("\nworkflows:\n").unwrap();
    let wishes: Vec<&str> = wishes.lines().collect();
    for (level, wished, doors) in [
        (1, 1, vec![]),
        (2, 2, vec![]),
        (3, 3, vec![Door::PullRequests]),
        (4, 5, vec![Door::Changes, Door::PullRequests, Door::Reads]),
    ] {
        let facts = facts.replace("safety-level: 4", &format!("safety-level: {level}"));
        let text = format!("{facts}\nworkflows:\n{}\n", wishes[..wished].join("\n"));
        assert!(text.contains(&format!("safety-level: {level}")));
        let (project, plan, mut files) = planned(&text);
        if level < 4 {
            // A token that may start what people start: there is nothing of that kind.
            let own = "on: push\npermissions: {actions: write}\njobs: {a: {runs-on: x, steps: [{run: x}]}}";
            files.insert(".github/workflows/own.yml".to_owned(), foreign(own));
        }
        let proof = prove(&project, &plan, &files);
        assert_eq!(proof.findings, [], "level {level}");
        let accesses = proof.environments.iter().flat_map(|own| &own.accesses);
        let mut seen: Vec<Door> = accesses.map(|own| own.door).collect();
        seen.sort_unstable_by_key(|door| format!("{door:?}"));
        seen.dedup();
        assert_eq!(seen, doors, "level {level}");
    }
}

/// A workflow beside those of the manifest: what it may reach, and what keeps it out.
#[test]
fn a_workflow_of_somebodys_own() {
    const ALL: &[&str] = &["access-started-otherwise", "access-unplanned", "access-unreviewed"];
    let cases: &[(&str, &str, &[&str], &[&str])] = &[
        ("nothing of it", "on: push\njobs: {a: {runs-on: x, steps: [{run: x}]}}", &[], &[]),
        (
            "another environment",
            "on: push\npermissions: {id-token: write}\njobs: {a: {environment: pypi, runs-on: x, steps: [{run: x}]}}",
            &[],
            &[],
        ),
        (
            "the environment, on whatever a stranger does",
            "on: issue_comment\njobs: {a: {environment: prod, runs-on: x, steps: [{run: x}]}}",
            ALL,
            &[
                "prod: own-jobs",
                "prod: started-by",
                "prod: destroyed-by-hand",
                "prod: reviewed",
                "prod: planned",
            ],
        ),
        (
            "in another case",
            "on: workflow_dispatch\njobs: {a: {environment: {name: PROD-Backend}, runs-on: x, steps: [{run: x}]}}",
            &["access-unplanned", "access-unreviewed"],
            &["prod: own-jobs", "prod: destroyed-by-hand", "prod: reviewed", "prod: planned"],
        ),
        (
            "where it is only read, when it may be",
            "on: {schedule: [{cron: 17 3 * * 1}]}\njobs: {a: {environment: dev-plan, runs-on: x, steps: [{run: x}]}}",
            &["access-unplanned"],
            &["dev: own-jobs"],
        ),
        (
            "behind the reviewers of its own",
            "on: workflow_dispatch\njobs:\n  ask: {environment: prod-approval, runs-on: x, steps: [{run: x}]}\n  \
             a: {needs: ask, environment: prod, runs-on: x, steps: [{run: x}]}",
            &["access-unplanned"],
            &["prod: own-jobs", "prod: destroyed-by-hand", "prod: planned"],
        ),
        (
            "a run decides",
            "on: {workflow_dispatch: {inputs: {to: {type: environment}}}}\njobs: {a: {environment: '${{ inputs.to }}', runs-on: x, steps: [{run: x}]}}",
            &["access-unplanned", "access-unreviewed"],
            &[
                "dev: own-jobs",
                "dev: destroyed-by-hand",
                "dev: planned",
                "prod: own-jobs",
                "prod: destroyed-by-hand",
                "prod: reviewed",
                "prod: planned",
            ],
        ),
        (
            "a run decides on something else",
            "on: push\njobs: {a: {environment: 'preview-${{ github.ref_name }}', runs-on: x, steps: [{run: x}]}}",
            &[],
            &[],
        ),
        ("what cannot be read", "on: push\njobs: [", &["access-unreadable"], &["all"]),
        (
            "a token of a pull request",
            "on: pull_request\npermissions: {id-token: write}\njobs: {a: {runs-on: x, steps: [{run: x}]}}",
            &["access-unplanned"],
            &["dev: own-jobs"],
        ),
        (
            "a token of a pull request, on its base",
            "on: pull_request_target\njobs: {a: {permissions: {id-token: write}, runs-on: x, steps: [{run: x}]}}",
            &["access-started-otherwise", "access-unplanned"],
            &["dev: own-jobs", "dev: started-by"],
        ),
        (
            "a token that starts what people start",
            "on: [issue_comment, workflow_dispatch]\npermissions: {actions: write}\njobs: {a: {runs-on: x, steps: [{run: gh workflow run tf.yml}]}}",
            &["access-started-otherwise"],
            &["dev: started-by", "dev: destroyed-by-hand", "prod: started-by", "prod: destroyed-by-hand"],
        ),
        (
            "a token that starts it on a push: what destroys is started by hand alone",
            "on: push\njobs: {a: {permissions: write-all, runs-on: x, steps: [{run: gh workflow run tf.yml}]}}",
            &["access-started-otherwise"],
            &["dev: destroyed-by-hand", "prod: destroyed-by-hand"],
        ),
        (
            "a token that starts it by hand",
            "on: workflow_dispatch\npermissions: {actions: write}\njobs: {a: {runs-on: x, steps: [{run: gh workflow run tf.yml}]}}",
            &[],
            &[],
        ),
        (
            "a condition of which nothing is known",
            "on: push\njobs: {a: {if: 'new(1) || always()', environment: dev-plan, runs-on: x, steps: [{run: x}]}}",
            &["access-unplanned"],
            &["dev: own-jobs"],
        ),
        (
            "a condition that is not understood",
            "on: push\njobs: {a: {if: \"always() || 'a' ?? 'b'\", environment: dev-plan, runs-on: x, steps: [{run: x}]}}",
            &["access-unplanned"],
            &["dev: own-jobs"],
        ),
        (
            "the number of a pull request",
            "on: pull_request\njobs: {a: {if: \"!contains(github.ref, '1')\", environment: dev-plan, runs-on: x, steps: [{run: x}]}}",
            &["access-started-otherwise", "access-unplanned"],
            &["dev: own-jobs", "dev: started-by"],
        ),
        (
            "an action without types",
            "on: deployment_status\njobs: {a: {if: github.event.action == 'created', environment: ' dev-plan ', runs-on: x, steps: [{run: x}]}}",
            &["access-started-otherwise", "access-unplanned"],
            &["dev: own-jobs", "dev: started-by"],
        ),
        (
            "no environment after all",
            "on: pull_request\npermissions: write-all\njobs: {a: {environment: {name: ''}, runs-on: x, steps: [{run: x}]}}",
            &["access-started-otherwise", "access-unplanned"],
            &[
                "dev: own-jobs",
                "dev: started-by",
                "dev: destroyed-by-hand",
                "prod: started-by",
                "prod: destroyed-by-hand",
            ],
        ),
        (
            "a token of no pull request",
            "on: push\npermissions: {id-token: write}\njobs: {a: {runs-on: x, steps: [{run: x}]}}",
            &[],
            &[],
        ),
        (
            "never",
            "on: push\njobs: {a: {if: false, environment: dev, runs-on: x, steps: [{run: x}]}}",
            &[],
            &[],
        ),
    ];
    for (what, text, expected, claims) in cases {
        let proof = with_own(text);
        assert_eq!(codes(&proof), *expected, "{what}: {:#?}", proof.findings);
        if *claims == ["all"] {
            assert!(
                proof.environments.iter().flat_map(|own| &own.claims).all(|claim| !claim.holds),
                "{what}"
            );
        } else {
            assert_eq!(broken(&proof), *claims, "{what}");
        }
    }
}

/// What is planned with one thing changed, and what that breaks.
fn changed(text: &str, file: &str, change: impl FnOnce(&mut Workflow)) -> Proof {
    let (project, plan, mut files) = planned(text);
    files.retain(|path, _| path.ends_with(&format!("/{file}")));
    let Some(Content::Workflow(workflow)) = files.values_mut().next().map(|file| &mut file.content) else {
        panic!("{file} is not planned");
    };
    change(workflow);
    prove(&project, &plan, &files)
}

/// Every job that waits for reviewers, in every way not to wait for them.
#[test]
fn no_way_around_the_reviewers_goes_unseen() {
    let (project, plan, files) = planned(PYFLEET);
    let proof = prove(&project, &plan, &files);
    let prod = proof.environments.iter().find(|own| own.name.as_str() == "prod").unwrap();
    let waiting: Vec<_> = prod.accesses.iter().filter(|own| !own.reviewed_by.is_empty()).collect();
    assert!(waiting.len() >= 9, "{}", waiting.len());
    for access in waiting {
        let file = access.file.rsplit('/').next().unwrap();
        let (id, asking) = (access.job.as_str(), access.reviewed_by[0].0.as_str());
        let despite = |change: &dyn Fn(&mut Workflow)| {
            let proof = changed(PYFLEET, file, |workflow| change(workflow));
            let is_it = |own: &Diagnostic| {
                own.code == "access-unreviewed" && own.message.starts_with(&format!("`{id}` "))
            };
            let found = proof.findings.iter().find(|(_, own)| is_it(own));
            found.unwrap_or_else(|| panic!("{file}: {id}")).1.message.clone()
        };
        let said = despite(&|workflow| workflow.jobs[id].condition = Some("always()".to_owned()));
        assert!(said.contains(&format!("may run although `{asking}` is skipped, on ")), "{said}");
        let said = despite(&|workflow| {
            workflow.jobs[id].condition = Some(format!("always() && needs.{asking}.result != 'skipped'"));
        });
        assert!(said.contains(&format!("may run although `{asking}` fails, on ")), "{said}");
        let said = despite(&|workflow| {
            workflow.jobs[asking].continue_on_error = Some(OrExpression::Literal(true));
            workflow.jobs[id].condition = Some(format!("!cancelled() && needs.{asking}.result == 'success'"));
        });
        assert!(said.contains(&format!("although `{asking}` fails")), "{said}");
        let said = despite(&|workflow| {
            for own in workflow.jobs.values_mut() {
                own.needs.retain(|needed| needed != asking);
                let condition = own.condition.take();
                let result = format!("needs.{asking}.result == 'success'");
                own.condition = condition.map(|own| own.replace(&result, "true"));
            }
        });
        // Where another job of the workflow asks for something else, that is what it may run without.
        let is_seen = said.contains("nothing that it waits for asks the reviewers of `prod-approval`");
        assert!(is_seen || said.contains("may run although `approve-apply-prod-1` is skipped"), "{said}");
        let said = despite(&|workflow| {
            workflow.jobs[asking].environment = Some(workflow::Environment::named("dev-approval"));
        });
        // Where another job of the workflow asks for something else, that is what it may run without.
        let is_seen = said.contains("nothing that it waits for asks the reviewers of `prod-approval`");
        assert!(is_seen || said.contains("may run although `approve-apply-prod-1` is skipped"), "{said}");
        let said = despite(&|workflow| workflow.on.workflow_call = Some(WorkflowCall::default()));
        assert!(said.ends_with("on workflow_call: what a caller has done before is not looked at"), "{said}");
    }
}

#[test]
fn what_else_can_be_changed_is_seen() {
    let condition = |id: &'static str, condition: &'static str| {
        move |workflow: &mut Workflow| workflow.jobs[id].condition = Some(condition.to_owned())
    };
    let proof =
        changed(PYFLEET, "tf.yml", condition("apply-dev", "!cancelled() && inputs.action == 'apply'"));
    assert_eq!(
        (codes(&proof), broken(&proof)),
        (vec!["access-without-plan"], vec!["dev: planned".to_owned()])
    );

    let proof = changed(
        PYFLEET,
        "tf-auto.yml",
        condition("plan-destroy-dev", "needs.guard.outputs.destroy-dev != '[]'"),
    );
    assert_eq!(broken(&proof), ["dev: destroyed-by-hand"]);
    let (_, finding) = &proof.findings[0];
    assert_eq!(
        finding.message,
        "`destroy-dev-2` destroys what is in `dev` and may run on push, schedule: only workflow_dispatch may lead to that"
    );

    let proof =
        changed(PYFLEET, "tf-drift.yml", |workflow| workflow.on.pull_request = Some(PullRequest::default()));
    assert_eq!(broken(&proof), ["dev: started-by", "prod: started-by"]);
    // Their conditions ask for what a person has filled in.
    let proof =
        changed(PYFLEET, "tf.yml", |workflow| workflow.on.pull_request = Some(PullRequest::default()));
    assert_eq!(proof.findings, []);

    let proof = changed(SANDBOX_BROKER, "deploy.yml", |workflow| {
        workflow.on.push = Some(Push::default());
        for job in workflow.jobs.values_mut() {
            let without =
                job.condition.take().map(|own| own.replace("inputs.environment == 'production'", "true"));
            job.condition = without;
        }
    });
    assert_eq!(broken(&proof), ["production: started-by"]);
    assert!(proof.findings[0].1.message.ends_with(
        "can change `production` and may run on push: at safety level 4 only workflow_dispatch may lead to that"
    ));
}

/// A rollback waits for nobody by a decision of the manifest, and only by that.
#[test]
fn what_waits_for_nobody_is_said() {
    let excepted = |text: &str| -> Vec<String> {
        let (project, plan, files) = planned(text);
        let proof = prove(&project, &plan, &files);
        assert_eq!(proof.findings, []);
        let claims = proof.environments.into_iter().flat_map(|own| own.claims);
        claims.flat_map(|claim| claim.except).map(|own| own.job).collect()
    };
    assert_eq!(excepted(SANDBOX_BROKER), ["rollback-ecs-production"]);
    let asked = SANDBOX_BROKER.replace("  rollback: {", "  rollback: { approval: reviewers, ");
    assert_ne!(asked, SANDBOX_BROKER);
    assert_eq!(excepted(&asked), [""; 0]);
}

/// The roles trust an environment's name: a job that assumes one elsewhere would open it to all that is there.
#[test]
fn a_role_is_assumed_where_it_belongs() {
    let (project, mut plan, files) = planned(PYFLEET);
    let planning = plan.workflows.iter_mut().flat_map(|own| own.jobs.values_mut());
    let planning = planning.filter_map(|job| job.identity.as_mut()).find(|own| own.purpose == AwsRole::Plan);
    planning.unwrap().purpose = AwsRole::Apply;
    assert_eq!(broken(&prove(&project, &plan, &files)), ["dev: trust"]);
}

/// Of a workflow that lies elsewhere no more can be said than that somebody has to look; one that changes is never known.
#[test]
fn a_called_workflow_is_a_condition() {
    let own = "acme/pyfleet/.github/workflows/tf.yml@3d3c42e5aac5ba805825da76410c181273ba90b1";
    for uses in ["acme/ci/.github/workflows/build.yml@v1", own] {
        let proof = with_own(&format!("on: push\njobs: {{a: {{uses: '{uses}'}}}}"));
        assert_eq!(codes(&proof), ["access-called"], "{uses}");
        assert!(proof.environments.iter().flat_map(|own| &own.claims).all(|claim| !claim.holds));
    }
    let calls = |uses: &str| {
        let text = format!("on: push\njobs: {{a: {{uses: '{uses}'}}}}");
        let proof = with_own(&text);
        assert_eq!(proof.findings, [], "{uses}");
        proof.conditions.into_iter().filter(|condition| condition.contains("is called")).collect::<Vec<_>>()
    };
    let elsewhere = "acme/ci/.github/workflows/build.yml@3d3c42e5aac5ba805825da76410c181273ba90b1";
    assert_eq!(
        calls(elsewhere),
        [format!("`{elsewhere}`, which is called, has no job in an environment of acme/pyfleet")]
    );
    assert_eq!(calls("./.github/workflows/own.yml"), [""; 0]);
    assert_eq!(
        codes(&with_own("on: push\njobs: {a: {uses: ./.github/workflows/gone.yml}}")),
        ["access-called"]
    );
}
