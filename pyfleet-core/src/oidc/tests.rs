//! Documents of a project with two environments in one account.

use super::identity::{Identity, identities};
use super::permissions::{boundary, managed, permissions};
use super::policy::{Effect, Policy, Resource, Statement, Values};
use super::{Setup, setup, trust};
use crate::manifest::{self, AwsRole};
use crate::plan::{self, Plan};
use crate::project::{self, Project, Role};
use crate::source::Source;

pub(super) const MANIFEST: &str = r#"
version: 1
project: shop
safety-level: 4
github:
  repository: acme/shop
  visibility: private
  plan: enterprise
  subject-format: both
  owner-id: 1001
  repository-id: 2001
aws: { account-id: "123456789012", region: eu-central-1, services: [s3, ec2, dynamodb] }
environments:
  dev: { approval: none }
  prod: { branch: release }
terraform:
  version: "1.11.4"
  backend: { bucket: "shop-{environment}", key: "{environment}/{stack}.tfstate", lock: both, lock-table: locks }
  stacks:
    network: { directory: infra/network }
    app: { directory: infra/app, variables: { size: { variable: SIZE }, mail: { secret: MAIL } } }
notify:
  ops: { slack: { webhook: { secret: SLACK } }, on: [failure] }
workflows:
  tf: {}
  check-state: {}
  terraform: {}
"#;

pub(super) fn planned(manifest: &str) -> (Project, Plan) {
    let (manifest, _, findings) = manifest::parse(Source::new("pyfleet.yml", manifest));
    let manifest = manifest.unwrap_or_else(|| panic!("{findings:?}"));
    let (project, findings) = project::resolve(&manifest);
    let project = project.unwrap_or_else(|| panic!("{findings:?}"));
    let (plan, findings) = plan::plan(&project);
    assert!(!findings.has_errors(), "{findings:?}");
    (project, plan)
}

fn roles(manifest: &str) -> (Project, Vec<Identity>) {
    let (project, plan) = planned(manifest);
    let identities = identities(&project, &plan);
    (project, identities)
}

fn role<'a>(roles: &'a [Identity], environment: &str, purpose: AwsRole) -> &'a Identity {
    let is_it = |role: &&Identity| role.environment.as_str() == environment && role.purpose == purpose;
    roles.iter().find(is_it).unwrap()
}

/// The policy of a role in a manifest.
fn policy(manifest: &str, environment: &str, purpose: AwsRole) -> Policy {
    let (project, roles) = roles(manifest);
    permissions(&project, role(&roles, environment, purpose))
}

fn allowed(policy: &Policy) -> impl Iterator<Item = &Statement> {
    policy.statement.iter().filter(|statement| statement.effect == Effect::Allow)
}

fn these(statement: &Statement) -> &[String] {
    match &statement.resource {
        Some(Resource::These(resources)) => resources,
        Some(Resource::AllBut(_)) | None => &[],
    }
}

/// Every action that a policy allows, with every resource that it is allowed on.
fn pairs(policy: &Policy) -> Vec<(&str, &str)> {
    allowed(policy)
        .flat_map(|statement| {
            let resources = these(statement);
            statement.action.iter().flat_map(move |action| {
                resources.iter().map(move |resource| (action.as_str(), resource.as_str()))
            })
        })
        .collect()
}

fn sid<'a>(policy: &'a Policy, sid: &str) -> &'a Statement {
    let found = policy.statement.iter().find(|statement| statement.sid == sid);
    found.unwrap_or_else(|| panic!("{sid} of {:?}", policy.statement))
}

#[test]
fn every_role_is_there_once_with_all_that_assumes_it() {
    let (_, roles) = roles(MANIFEST);
    let all: Vec<(&str, &str)> =
        roles.iter().map(|role| (role.environment.as_str(), role.purpose.name())).collect();
    assert_eq!(
        all,
        [
            ("dev", "plan"),
            ("dev", "pull-request-plan"),
            ("dev", "apply"),
            ("dev", "backend-create"),
            ("dev", "backend-destroy"),
            ("prod", "plan"),
            ("prod", "apply"),
            ("prod", "backend-create"),
            ("prod", "backend-destroy"),
        ]
    );
    let planned = &role(&roles, "dev", AwsRole::PullRequestPlan).state.as_ref().unwrap().keys;
    assert_eq!(planned, &["dev/network.tfstate"], "`app` has a secret, and pull requests do not plan it");
}

#[test]
fn subjects_files_and_sessions_are_those_of_the_jobs() {
    let (_, roles) = roles(MANIFEST);
    let plan = role(&roles, "prod", AwsRole::Plan);
    assert_eq!(
        plan.subjects,
        ["repo:acme/shop:environment:prod-plan", "repo:acme@1001/shop@2001:environment:prod-plan"]
    );
    assert_eq!(
        plan.workflows,
        [
            "acme/shop/.github/workflows/check-state.yml@refs/heads/release",
            "acme/shop/.github/workflows/tf.yml@refs/heads/release",
        ]
    );
    assert_eq!(plan.session_seconds, 2100);
    let apply = role(&roles, "dev", AwsRole::Apply);
    assert_eq!(apply.workflows, ["acme/shop/.github/workflows/tf.yml@refs/heads/main"]);
    assert_eq!(apply.session_seconds, 3900);
    assert_eq!(apply.state.as_ref().unwrap().keys, ["dev/app.tfstate", "dev/network.tfstate"]);
}

#[test]
fn a_workflow_that_is_not_rendered_is_trusted_by_nobody() {
    for wish in ["{ enabled: false }", "{ ejected: true }"] {
        let (_, roles) = roles(&MANIFEST.replace("check-state: {}", &format!("check-state: {wish}")));
        let files = &role(&roles, "dev", AwsRole::Plan).workflows;
        assert_eq!(files, &["acme/shop/.github/workflows/tf.yml@refs/heads/main"], "{wish}");
    }
}

#[test]
fn a_role_that_the_manifest_names_is_an_existing_one() {
    let existing = MANIFEST.replace(
        "dev: { approval: none }",
        "dev: { approval: none, aws: { roles: { plan: { variable: READER }, apply: \"arn:aws:iam::123456789012:role/x/w\" } } }",
    );
    let (project, plan) = planned(&existing);
    let setup = setup(&project, &plan);
    let of =
        |purpose: &str| setup.roles.iter().find(|role| role.environment == "dev" && role.purpose == purpose);
    let reader = of("plan").unwrap();
    assert_eq!((reader.existing, reader.variable.as_deref(), &reader.name), (true, Some("READER"), &None));
    let writer = of("apply").unwrap();
    assert_eq!((writer.existing, writer.name.as_deref()), (true, Some("w")));
    assert!(!of("backend-create").unwrap().existing);
    // An apply cannot change who may become it.
    let kept = these(sid(&writer.permissions, "NoRolesOfPyfleet"));
    assert!(kept.contains(&"arn:aws:iam::123456789012:role/x/w".to_owned()), "{kept:?}");
}

#[test]
fn nothing_in_a_trust_policy_is_a_pattern() {
    let (project, plan) = planned(MANIFEST);
    for identity in identities(&project, &plan) {
        let trust = trust::trust(&project, &identity);
        let [statement] = trust.statement.as_slice() else { panic!("{trust:?}") };
        assert!(statement.condition.iter().all(|condition| condition.operator == "StringEquals"));
        let text = serde_json::to_string(&trust).unwrap();
        assert!(!text.contains(['*', '?']), "{text}");
        let claims: Vec<&str> =
            statement.condition.iter().filter_map(|condition| condition.key.rsplit(':').next()).collect();
        let brings_its_own_files = identity.purpose == AwsRole::PullRequestPlan;
        let all = ["aud", "sub", "repository_id", "job_workflow_ref"];
        assert_eq!(claims, all[..if brings_its_own_files { 3 } else { 4 }]);
    }
}

#[test]
fn a_pull_request_proves_its_repository_and_no_file() {
    let pull_request = MANIFEST.replace(", mail: { secret: MAIL }", "").replace("both\n", "immutable\n");
    let (project, roles) = roles(&pull_request);
    let role = role(&roles, "dev", AwsRole::PullRequestPlan);
    assert_eq!(role.subjects, ["repo:acme@1001/shop@2001:pull_request"]);
    let text = serde_json::to_string(&trust::trust(&project, role)).unwrap();
    assert_eq!(
        text,
        r#"{"Version":"2012-10-17","Statement":[{"Sid":"JobsOfThisRepository","Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":["sts:AssumeRoleWithWebIdentity"],"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com","token.actions.githubusercontent.com:sub":["repo:acme@1001/shop@2001:pull_request"],"token.actions.githubusercontent.com:repository_id":"2001"}}}]}"#
    );
}

#[test]
fn china_has_an_audience_and_a_partition_of_its_own() {
    let (project, roles) = roles(&MANIFEST.replace("eu-central-1", "cn-north-1"));
    for role in &roles {
        let documents = [trust::trust(&project, role), permissions(&project, role)];
        let text = serde_json::to_string(&documents).unwrap() + &managed(role).concat();
        assert!(text.contains(r#""token.actions.githubusercontent.com:aud":"sts.amazonaws.com.cn""#));
        assert!(!text.contains("arn:aws:"), "{text}");
        let Role::Arn(arn) = &role.role else { panic!("{role:?}") };
        assert!(arn.starts_with("arn:aws-cn:iam::123456789012:role/"), "{arn}");
    }
}

#[test]
fn a_plan_of_a_pull_request_writes_nothing() {
    let pull_request = MANIFEST.replace("mail: { secret: MAIL }", "");
    let policy = policy(&pull_request, "dev", AwsRole::PullRequestPlan);
    assert_eq!(
        pairs(&policy),
        [
            ("s3:ListBucket", "arn:aws:s3:::shop-dev"),
            ("s3:GetObject", "arn:aws:s3:::shop-dev/dev/app.tfstate"),
            ("s3:GetObject", "arn:aws:s3:::shop-dev/dev/network.tfstate"),
            ("dynamodb:GetItem", "arn:aws:dynamodb:eu-central-1:123456789012:table/locks"),
        ]
    );
}

#[test]
fn a_plan_writes_locks_and_saved_plans_of_its_environment_and_reads_none_of_them_back() {
    let policy = policy(MANIFEST, "dev", AwsRole::Plan);
    let writes: Vec<(&str, &str)> = pairs(&policy)
        .into_iter()
        .filter(|(action, _)| ["Put", "Delete", "Create", "Update"].iter().any(|verb| action.contains(verb)))
        .collect();
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/locks";
    assert_eq!(
        writes,
        [
            ("s3:DeleteObject", "arn:aws:s3:::shop-dev/dev/app.tfstate.tflock"),
            ("s3:DeleteObject", "arn:aws:s3:::shop-dev/dev/network.tfstate.tflock"),
            ("s3:PutObject", "arn:aws:s3:::shop-dev/dev/app.tfstate.tflock"),
            ("s3:PutObject", "arn:aws:s3:::shop-dev/dev/network.tfstate.tflock"),
            ("dynamodb:DeleteItem", table),
            ("dynamodb:PutItem", table),
            ("s3:PutObject", "arn:aws:s3:::shop-dev/_plans/*/dev/*"),
            ("s3:DeleteObject", "arn:aws:s3:::shop-dev/_pyfleet/canary-*"),
            ("s3:PutObject", "arn:aws:s3:::shop-dev/_pyfleet/canary-*"),
        ]
    );
    // A digest is written with the state, and a plan writes none.
    let Some(Values::AnyOf(keys)) =
        sid(&policy, "LockItem").condition.first().map(|condition| condition.values.clone())
    else {
        panic!("{policy:?}")
    };
    assert_eq!(keys, ["shop-dev/dev/app.tfstate", "shop-dev/dev/network.tfstate"]);
    let Some(Resource::AllBut(readable)) = &sid(&policy, "NoObjects").resource else { panic!("{policy:?}") };
    assert!(readable.iter().all(|object| !object.contains("_plans")), "{readable:?}");
}

#[test]
fn a_plan_takes_a_lock_only_with_a_role_that_may() {
    let read = MANIFEST
        .replace("safety-level: 4", "safety-level: 5")
        .replace("prod: { branch: release }", "prod: { branch: release, safety-level: 3 }")
        .replace("  tf: {}", "  tf-auto: { auto: { reason: it is all disposable, owner: \"@acme\" } }");
    for manifest in [MANIFEST.to_owned(), read] {
        let (_, roles) = roles(&manifest);
        let (_, plan) = planned(&manifest);
        let jobs = plan.workflows.iter().flat_map(|workflow| workflow.jobs.values());
        let plans = jobs.filter_map(|job| match &job.body {
            plan::Body::TfPlan(body) => Some((job.identity.as_ref()?, body)),
            _ => None,
        });
        for (identity, body) in plans {
            let may = role(&roles, identity.environment.as_str(), identity.purpose).work.locks;
            assert!(may || body.lock == "false", "{identity:?} locks: {}", body.lock);
        }
    }
}

#[test]
fn a_role_holds_what_its_jobs_need_and_the_manifest_decides() {
    // Nothing is applied: no lock, no saved plan, no proof of the lock.
    let level = MANIFEST.replace("safety-level: 4", "safety-level: 3").replace("  tf: {}\n", "");
    let level =
        level.replace("notify:\n  ops: { slack: { webhook: { secret: SLACK } }, on: [failure] }\n", "");
    let checked = policy(&level, "dev", AwsRole::Plan);
    let sids: Vec<&str> = allowed(&checked).map(|statement| statement.sid).collect();
    assert_eq!(
        sids,
        [
            "FindState",
            "ReadState",
            "SeeBucket",
            "SeeLock",
            "ReadLockAndDigest",
            "SeeLockTable",
            "ReadRecord",
            "ProveLock"
        ]
    );
    // Saved plans go elsewhere.
    let artifact = MANIFEST.replace(
        "  version: \"1.11.4\"\n",
        "  version: \"1.11.4\"\n  plan-hand-off: { encrypted-artifact: { passphrase: { secret: PASSPHRASE } } }\n",
    );
    for purpose in [AwsRole::Plan, AwsRole::Apply] {
        let text = serde_json::to_string(&policy(&artifact, "dev", purpose).statement[1..]).unwrap();
        assert!(!text.contains("_plans"), "{text}");
    }
    // No table, no lock file.
    let s3 = MANIFEST.replace("lock: both, lock-table: locks", "lock: s3");
    let dynamodb = MANIFEST.replace("lock: both", "lock: dynamodb");
    for purpose in [AwsRole::Plan, AwsRole::Apply, AwsRole::BackendCreate, AwsRole::BackendDestroy] {
        let has = |manifest: &str, part: &str| {
            pairs(&policy(manifest, "dev", purpose)).iter().any(|(_, resource)| resource.contains(part))
        };
        assert!(has(MANIFEST, ":table/locks"), "{purpose:?}");
        assert!(!has(&s3, ":table/"), "{purpose:?}");
        assert!(!has(&dynamodb, ".tflock"), "{purpose:?}");
    }
}

#[test]
fn an_apply_reaches_services_and_no_state_but_its_own() {
    let policy = policy(MANIFEST, "dev", AwsRole::Apply);
    let everything: Vec<&str> = pairs(&policy)
        .into_iter()
        .filter_map(|(action, resource)| (resource == "*").then_some(action))
        .collect();
    assert_eq!(everything, ["ec2:*"]);
    let but = |name: &str| match &sid(&policy, name).resource {
        Some(Resource::AllBut(resources)) => resources.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        but("BucketsButState"),
        [
            "arn:aws:s3:::shop-dev",
            "arn:aws:s3:::shop-dev/*",
            "arn:aws:s3:::shop-prod",
            "arn:aws:s3:::shop-prod/*"
        ]
    );
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/locks";
    assert_eq!(but("TablesButLocks"), [table.to_owned(), format!("{table}/*")]);
    assert!(pairs(&policy).iter().all(|(action, _)| !action.starts_with("iam:")), "{policy:?}");
    assert!(pairs(&policy).iter().all(|(_, resource)| !resource.contains("shop-prod")), "{policy:?}");
}

#[test]
fn an_apply_makes_roles_only_within_a_boundary_and_never_pyfleets() {
    let with_iam = MANIFEST.replace("[s3, ec2, dynamodb]", "[ec2, iam]");
    let (project, roles) = roles(&with_iam);
    let apply = role(&roles, "prod", AwsRole::Apply);
    let policy = permissions(&project, apply);
    let makes = sid(&policy, "RolesWithinTheBoundary");
    assert_eq!(these(makes), ["arn:aws:iam::123456789012:role/shop/*"]);
    assert_eq!(
        serde_json::to_value(makes).unwrap()["Condition"]["StringEquals"]["iam:PermissionsBoundary"],
        "arn:aws:iam::123456789012:policy/pyfleet-shop-prod-boundary"
    );
    for statement in
        allowed(&policy).filter(|statement| statement.action.iter().any(|action| action.starts_with("iam:")))
    {
        let reads = statement.action.iter().all(|action| matches!(action.as_str(), "iam:Get*" | "iam:List*"));
        assert!(
            reads
                || these(statement)
                    .iter()
                    .all(|resource| resource.contains("/shop/") || resource.contains("/aws-service-role/"))
        );
    }
    let boundary = boundary(&project, apply).unwrap();
    assert_eq!(pairs(&boundary), [("ec2:*", "*")]);
    assert!(super::permissions::boundary(&project, role(&roles, "prod", AwsRole::Plan)).is_none());
    // Roles without any service can do nothing.
    let (project, roles) = self::roles(&MANIFEST.replace("[s3, ec2, dynamodb]", "[iam]"));
    let boundary = super::permissions::boundary(&project, role(&roles, "prod", AwsRole::Apply)).unwrap();
    assert!(allowed(&boundary).next().is_none());
}

#[test]
fn the_roles_of_the_backend_reach_one_bucket_and_one_table() {
    for (purpose, verbs) in [
        (AwsRole::BackendCreate, &["Create", "Describe", "Get", "List", "Put", "Tag", "Update"][..]),
        (AwsRole::BackendDestroy, &["Delete", "Describe", "Get", "List", "Scan", "Update"][..]),
    ] {
        let policy = policy(MANIFEST, "dev", purpose);
        for (action, resource) in pairs(&policy) {
            let name = action.split(':').nth(1).unwrap();
            assert!(verbs.iter().any(|verb| name.starts_with(verb)), "{purpose:?} may {action}");
            assert!(
                [
                    "arn:aws:s3:::shop-dev",
                    "arn:aws:s3:::shop-dev/*",
                    "arn:aws:dynamodb:eu-central-1:123456789012:table/locks"
                ]
                .contains(&resource),
                "{purpose:?} reaches {resource}"
            );
        }
    }
    let create = policy(MANIFEST, "dev", AwsRole::BackendCreate);
    assert!(pairs(&create).iter().all(|(_, resource)| !resource.contains("shop-dev/")), "no object");
}

/// What a reader of the guide is told: `"Resource": ["*"]` allows whole services, or what IAM lists only whole.
#[test]
fn resources_are_named_wherever_aws_knows_them() {
    let (project, roles) = roles(&MANIFEST.replace("[s3, ec2, dynamodb]", "[ec2, iam]"));
    for role in &roles {
        for statement in allowed(&permissions(&project, role)) {
            let is_open = these(statement).iter().any(|resource| resource == "*");
            assert!(!is_open || matches!(statement.sid, "Services" | "ReadIam"), "{statement:?}");
        }
    }
    let (project, roles) = self::roles(SERVICES);
    for role in &roles {
        for statement in allowed(&permissions(&project, role)) {
            let is_open = these(statement).iter().any(|resource| resource == "*");
            assert!(
                !is_open || matches!(statement.sid, "LogIn" | "Register" | "SeeRevisions"),
                "{statement:?}"
            );
        }
    }
}

/// A project without Terraform, of which two services run in two accounts.
const SERVICES: &str = r#"
version: 1
project: shop
safety-level: 4
github: { repository: acme/shop, visibility: private, repository-id: 2001 }
aws: { region: eu-central-1 }
environments:
  dev: { approval: none, aws: { account-id: "111111111111" } }
  prod: { approval: none, aws: { account-id: "222222222222" } }
registries: { aws: { ecr: {} } }
images:
  api: { registry: aws, repository: shop/api }
  web: { registry: aws, repository: shop/web }
services:
  api: { image: api, ecs: { cluster: "shop-{environment}", task-role: api, execution-role: ecs } }
  web: { image: web, ecs: { cluster: "shop-{environment}", service: front, execution-role: ecs } }
workflows:
  ship: { kind: deploy, services: [api] }
  rollback: {}
"#;

#[test]
fn a_deployment_reaches_its_images_and_services_and_hands_on_the_named_roles() {
    let dev = policy(SERVICES, "dev", AwsRole::Deploy);
    assert_eq!(these(sid(&dev, "Push")), ["arn:aws:ecr:eu-central-1:111111111111:repository/shop/api"]);
    // What is rolled back besides is not deployed.
    assert_eq!(
        these(sid(&dev, "Deploy")),
        [
            "arn:aws:ecs:eu-central-1:111111111111:service/shop-dev/api",
            "arn:aws:ecs:eu-central-1:111111111111:service/shop-dev/front"
        ]
    );
    assert_eq!(
        serde_json::to_value(sid(&dev, "HandRolesToTasks")).unwrap(),
        serde_json::json!({
            "Sid": "HandRolesToTasks", "Effect": "Allow", "Action": ["iam:PassRole"],
            "Resource": ["arn:aws:iam::111111111111:role/api", "arn:aws:iam::111111111111:role/ecs"],
            "Condition": { "StringEquals": { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
        })
    );
    let actions: Vec<&str> = pairs(&dev).iter().map(|(action, _)| *action).collect();
    assert!(
        actions.iter().all(|action| !action.contains("Delete") && !action.contains("s3:")),
        "{actions:?}"
    );
    // Rolling back alone registers and pushes nothing, and hands on no role.
    let without = SERVICES.replace("  ship: { kind: deploy, services: [api] }\n", "");
    let rollback = policy(&without, "prod", AwsRole::Deploy);
    let sids: Vec<&str> = rollback.statement.iter().map(|statement| statement.sid).collect();
    assert_eq!(sids, ["SeeServices", "SeeRevisions", "Deploy", "StopDeployment"]);
}

#[test]
fn a_repository_is_made_only_where_that_is_asked_for() {
    let plain = include_str!("../../../tests/manifests/cdktf.yml");
    let asked = policy(plain, "production", AwsRole::Deploy);
    let make = sid(&asked, "MakeRepositories");
    assert_eq!(make.action, ["ecr:CreateRepository"]);
    assert_eq!(these(make), ["arn:aws:ecr:eu-central-1:123456789012:repository/shop/web"]);
    let not = plain.replace("ecr: { create-repository: true }", "ecr: {}");
    assert_ne!(not, plain);
    for purpose in [AwsRole::Deploy, AwsRole::Apply, AwsRole::Plan] {
        let policy = policy(&not, "production", purpose);
        assert!(pairs(&policy).iter().all(|(action, _)| *action != "ecr:CreateRepository"), "{policy:?}");
    }
}

#[test]
fn what_looks_before_a_deployment_sees_images_and_services_and_needs_no_state() {
    let (project, roles) = roles(SERVICES);
    let names: Vec<String> =
        roles.iter().map(|role| format!("{}-{}", role.environment, role.purpose.name())).collect();
    assert_eq!(names, ["dev-plan", "dev-deploy", "prod-plan", "prod-deploy"]);
    let plan = role(&roles, "prod", AwsRole::Plan);
    assert!(plan.state.is_none() && managed(plan).is_empty());
    assert_eq!(
        pairs(&permissions(&project, plan)).iter().map(|(action, _)| *action).collect::<Vec<_>>(),
        [
            "ecr:DescribeImages",
            "ecs:DescribeServices",
            "ecs:DescribeServices",
            "ecs:ListServiceDeployments",
            "ecs:ListServiceDeployments",
            "ecs:DescribeTaskDefinition",
            "ecs:ListTaskDefinitions"
        ]
    );
}

#[test]
fn github_is_told_what_jobs_read() {
    let held = MANIFEST.replace(
        "dev: { approval: none }",
        "dev: { approval: none, aws: { roles: { plan: { variable: READER } } } }",
    );
    let (project, plan) = planned(&held);
    let Setup { environments, outside, .. } = setup(&project, &plan);
    let told: Vec<String> = environments
        .iter()
        .map(|environment| {
            let names: Vec<&str> = environment
                .names
                .variables
                .iter()
                .chain(&environment.names.secrets)
                .map(String::as_str)
                .collect();
            format!(
                "{} {} {} {}",
                environment.name,
                environment.branch,
                environment.reviewers,
                names.join(" ")
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "dev-plan main false READER SIZE MAIL",
            "dev-backend main false ",
            "dev main false SIZE MAIL",
            "prod-plan release false SIZE MAIL",
            "prod-approval release true ",
            "prod-backend release false ",
            "prod release false SIZE MAIL",
        ]
    );
    assert_eq!(outside.secrets.iter().collect::<Vec<_>>(), ["SLACK"]);
}

#[test]
fn more_than_iam_takes_is_said() {
    let stacks: String = (0..60)
        .map(|number| format!("    stack-{number}-with-a-long-name: {{ directory: infra/{number} }}\n"))
        .collect();
    let many = MANIFEST.replace("    network: { directory: infra/network }\n", &stacks);
    let (project, plan) = planned(&many);
    let setup = setup(&project, &plan);
    let apply = setup.roles.iter().find(|role| role.purpose == "apply").unwrap();
    assert!(matches!(apply.too_large.as_slice(), [one] if one.contains("10,240")), "{:?}", apply.too_large);
    assert!(
        setup
            .roles
            .iter()
            .filter(|role| role.purpose.starts_with("backend"))
            .all(|role| role.too_large.is_empty())
    );
}
