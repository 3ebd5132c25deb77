//! The stand-ins for IAM and for GitHub's OIDC provider, one decision at a time: each refusal is one change away from
//! what is allowed.

use serde_json::{Value, json};

use super::harness::script;
use super::{ACCOUNT, Aws, element_of};
use crate::tool;

const SUBJECT: &str = "repo:octo-org@65/octo-repo@74:environment:prod";
const TF: &str = "octo-org/octo-repo/.github/workflows/tf.yml@refs/heads/main";

/// A claim as the name of a condition key.
fn key(claim: &str) -> String {
    format!("token.actions.githubusercontent.com:{claim}")
}

/// The condition that the trust policies of an environment have.
fn condition() -> Value {
    json!({"StringEquals": {
        key("aud"): "sts.amazonaws.com",
        key("sub"): [SUBJECT, "repo:octo-org/octo-repo:environment:prod"],
        key("repository_id"): "74",
        key("job_workflow_ref"): [TF, "octo-org/octo-repo/.github/workflows/tf-auto.yml@refs/heads/main"],
    }})
}

fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(parent).unwrap()[name.replace("~1", "/")] = new;
    value
}

/// What AWS says to a token with these claims: nothing where it hands out a session.
fn refusal(aws: &Aws, role: &str, claims: &Value) -> String {
    presented(aws, role, &aws.token(claims), 3600)
}

fn presented(aws: &Aws, role: &str, token: &str, seconds: u32) -> String {
    let (status, body) = aws.present(token, role, seconds);
    if status == 200 { String::new() } else { format!("{status} {body}") }
}

#[test]
fn a_role_is_assumed_by_the_token_that_its_trust_policy_describes_and_by_no_other() {
    let Some(aws) = Aws::start() else { return };
    let prod = json!({"environment": "prod"});
    let role = format!("arn:aws:iam::{ACCOUNT}:role/apply");
    assert!(
        refusal(&aws, &role, &prod).contains("<Code>InvalidIdentityToken</Code>"),
        "no provider is registered"
    );
    aws.trust_github();
    let denied = "<Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message>";
    assert!(refusal(&aws, &role, &prod).contains(denied), "there is no such role");
    assert_eq!(aws.role("apply", &condition(), &json!([])), role);

    assert_eq!(refusal(&aws, &role, &prod), "");
    assert_eq!(aws.calls().last().unwrap().status, 200);
    for (claims, says) in [
        (json!({"environment": "dev"}), denied),
        (json!({"environment": "Prod"}), denied),
        (json!({}), denied),
        (json!({"environment": "prod", "repository_id": "75"}), denied),
        (json!({"environment": "prod", "sub": SUBJECT, "repository_id": null}), denied),
        (json!({"environment": "prod", "job_workflow_ref": TF.replace("tf.yml", "test-oidc.yml")}), denied),
        (json!({"environment": "prod", "job_workflow_ref": TF.replace("main", "feature")}), denied),
        (json!({"environment": "prod", "job_workflow_ref": null}), denied),
        (json!({"environment": "prod", "aud": "https://github.com/octo-org"}), "Incorrect token audience"),
        (json!({"environment": "prod", "iss": "https://evil.example"}), "<Code>InvalidIdentityToken</Code>"),
        (json!({"environment": "prod", "exp": 1_700_000_000}), "<Code>ExpiredTokenException</Code>"),
    ] {
        let said = refusal(&aws, &role, &claims);
        assert!(said.contains(says), "{claims}: {said:?}");
    }
    let call = aws.calls().into_iter().rfind(|call| call.status == 403).unwrap();
    assert_eq!((call.action.as_str(), call.resource), ("sts:AssumeRoleWithWebIdentity", role.clone()));

    // A signature covers what it is made for.
    let (good, other) = (aws.token(&prod), aws.token(&json!({"environment": "dev"})));
    let part = |token: &str, index: usize| token.split('.').nth(index).unwrap().to_owned();
    let forged = [part(&other, 0), part(&good, 1), part(&other, 2)].join(".");
    assert!(presented(&aws, &role, &forged, 3600).contains("<Code>InvalidIdentityToken</Code>"));
    assert_eq!(presented(&aws, &role, &good, 3600), "");
    assert!(presented(&aws, &role, &good, 3601).contains("MaxSessionDuration"));
}

/// Without one of its conditions, the policy lets in exactly those whom that condition kept out.
#[test]
fn every_condition_of_a_trust_policy_counts() {
    let Some(aws) = Aws::start() else { return };
    aws.trust_github();
    let intruders = [
        ("repository_id", json!({"environment": "prod", "sub": SUBJECT, "repository_id": "75"})),
        (
            "job_workflow_ref",
            json!({"environment": "prod", "job_workflow_ref": "octo-org/octo-repo/x.yml@main"}),
        ),
    ];
    let whole = aws.role("whole", &condition(), &json!([]));
    for (claim, intruder) in &intruders {
        let mut weaker = condition();
        weaker["StringEquals"].as_object_mut().unwrap().remove(&key(claim)).unwrap();
        let weaker = aws.role(&format!("without-{claim}"), &weaker, &json!([]));
        assert_ne!(refusal(&aws, &whole, intruder), "");
        assert_eq!(refusal(&aws, &weaker, intruder), "", "{claim}");
        for (_, other) in intruders.iter().filter(|(other, _)| other != claim) {
            assert_ne!(refusal(&aws, &weaker, other), "", "without {claim}");
        }
    }
}

#[test]
fn conditions_mean_what_iam_means() {
    let Some(aws) = Aws::start() else { return };
    aws.trust_github();
    let absent = json!({"environment": "prod", "job_workflow_ref": null});
    let present = json!({"environment": "prod"});
    let other = json!({"environment": "prod", "job_workflow_ref": "octo-org/octo-repo/x.yml@main"});
    // What an operator says of a claim that is as it should be, another one, and none.
    for (name, operator, expected, verdicts) in [
        ("equals", "StringEquals", TF, [true, false, false]),
        ("literal", "StringEquals", "octo-org/*", [false, false, false]),
        ("like", "StringLike", "octo-org/octo-repo/.github/*", [true, false, false]),
        ("case", "StringLike", "Octo-org/*", [false, false, false]),
        ("one", "StringLike", "octo-org/octo-repo/?.yml@main", [false, true, false]),
        ("not", "StringNotEquals", TF, [false, true, true]),
        ("all", "ForAllValues:StringEquals", TF, [true, false, true]),
        ("any", "ForAnyValue:StringEquals", TF, [true, false, false]),
        ("if-exists", "StringEqualsIfExists", TF, [true, false, true]),
        ("null", "Null", "true", [false, false, true]),
        ("not-null", "Null", "false", [true, true, false]),
        ("unknown-operator", "StringResembles", TF, [false, false, false]),
    ] {
        let mut condition = json!({"StringEquals": {key("sub"): SUBJECT}});
        condition[operator][key("job_workflow_ref")] = json!(expected);
        let role = aws.role(name, &condition, &json!([]));
        for (claims, expected) in [&present, &other, &absent].into_iter().zip(verdicts) {
            assert_eq!(refusal(&aws, &role, claims).is_empty(), expected, "{operator} {claims}");
        }
    }
    // AWS offers some of GitHub's claims as condition keys, not this one.
    let condition = json!({"StringEquals": {key("sub"): SUBJECT, key("repository_owner_id"): "65"}});
    let role = aws.role("owner", &condition, &json!([]));
    assert_ne!(refusal(&aws, &role, &present), "");
}

#[test]
fn iam_takes_no_trust_that_does_not_look_at_the_subject() {
    let Some(aws) = Aws::start() else { return };
    aws.trust_github();
    let create = |claim: &str| {
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com")},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {key(claim): "74"}},
        }]});
        script(
            &aws,
            r#"aws iam "$OPERATION" --role-name app ${DOCUMENT:+"--$DOCUMENT"} "$TRUST" >/dev/null || exit 3"#,
        )
        .env("TRUST", trust.to_string())
    };
    let run = |claim: &str, operation: &str, document: &str| {
        create(claim).env("OPERATION", operation).env("DOCUMENT", document).run()
    };
    run("repository_id", "create-role", "assume-role-policy-document")
        .exits(3)
        .says("(MalformedPolicyDocument)");
    run("sub", "create-role", "assume-role-policy-document").exits(0);
    run("repository_id", "update-assume-role-policy", "policy-document")
        .exits(3)
        .says("(MalformedPolicyDocument)");
    run("sub", "update-assume-role-policy", "policy-document").exits(0);
}

#[test]
fn a_job_asks_for_its_token_as_at_github() {
    let Some(aws) = Aws::start() else { return };
    let ask = script(
        &aws,
        r#"
        curl -fsS -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" "$ACTIONS_ID_TOKEN_REQUEST_URL$AUDIENCE" |
          jq -r '.value | split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | . + "==="[:(4 - length % 4) % 4]
            | @base64d | fromjson | [.aud, .sub, .iss, .job_workflow_ref] | join(" ")'
        "#,
    );
    let ask = aws.job(ask, &json!({"environment": "prod"}));
    ask.clone()
        .env("AUDIENCE", "&audience=sts.amazonaws.com")
        .run()
        .exits(0)
        .says(&format!("sts.amazonaws.com {SUBJECT} https://token.actions.githubusercontent.com {TF}\n"));
    ask.clone().env("AUDIENCE", "").run().exits(0).says("https://github.com/octo-org repo:");
    let foreign = ask.env("AUDIENCE", "").env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "guessed");
    assert_ne!(foreign.run().says("401").code, 0);
}

/// The key of a session of a role with these statements.
fn session(aws: &Aws, statements: &Value) -> String {
    let role = aws.role(&format!("role-{}", aws.calls().len()), &condition(), statements);
    let (_, body) = aws.present(&aws.token(&json!({"environment": "prod"})), &role, 3600);
    element_of(&body, "AccessKeyId").to_owned()
}

const PUT: (&str, &str) = ("PUT", "/state-bucket/app/state");
const GET: (&str, &str) = ("GET", "/state-bucket/app/state");
const LIST: (&str, &str) = ("GET", "/state-bucket?list-type=2&prefix=app/");
const LIST_ALL: (&str, &str) = ("GET", "/state-bucket?list-type=2");

/// What S3 answers to the session of a role with these statements.
fn s3(aws: &Aws, statements: &Value, requests: &[(&str, &str)]) -> Vec<u16> {
    let key = session(aws, statements);
    let ask = |(method, path): &(&str, &str)| {
        aws.request(&json!({"service": "s3", "key": key, "method": method, "path": path})).0
    };
    requests.iter().map(ask).collect()
}

/// Which of these commands succeed in the session of a role with these statements.
fn may(aws: &Aws, statements: &Value, commands: &[&str]) -> Vec<bool> {
    let role = aws.role(&format!("role-{}", aws.calls().len()), &condition(), statements);
    let script = script(
        aws,
        r#"while read -r line; do eval "aws $line" >/dev/null && echo yes || echo no; done <<<"$COMMANDS""#,
    )
    .env("COMMANDS", commands.join("\n"));
    let ran = aws.assume(script, &role, &json!({"environment": "prod"})).run();
    ran.log.lines().filter(|line| ["yes", "no"].contains(line)).map(|line| line == "yes").collect()
}

fn state_bucket(aws: &Aws) {
    aws.trust_github();
    aws.cli(&["s3api", "create-bucket", "--bucket", "state-bucket"]);
    aws.cli(&["s3api", "put-object", "--bucket", "state-bucket", "--key", "app/state"]);
    aws.enforce();
}

fn allow(actions: Value, resources: Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resources})
}

#[test]
fn a_session_may_do_what_its_role_allows_and_nothing_else() {
    let Some(aws) = Aws::start() else { return };
    state_bucket(&aws);
    let (bucket, objects) = ("arn:aws:s3:::state-bucket", "arn:aws:s3:::state-bucket/*");
    let prefix = json!({"StringLike": {"s3:prefix": ["app/*"]}});
    let deny = |mut statement: Value| {
        statement["Effect"] = json!("Deny");
        statement
    };
    let everything = || allow(json!("*"), json!("*"));
    for (statements, expected) in [
        (json!([]), [false, false, false, false]),
        (json!([everything()]), [true, true, true, true]),
        (json!([allow(json!("s3:GetObject"), json!(objects))]), [true, false, false, false]),
        (json!([allow(json!("S3:getobject"), json!(objects))]), [true, false, false, false]),
        (json!([allow(json!("s3:GetObject"), json!("arn:aws:s3:::state-bucket/dev/*"))]), [false; 4]),
        (json!([allow(json!("s3:GetObject"), json!(bucket))]), [false; 4]),
        (json!([allow(json!(["s3:*Object"]), json!([bucket, objects]))]), [true, true, false, false]),
        (
            json!([with(allow(json!("s3:ListBucket"), json!(bucket)), "/Condition", prefix.clone())]),
            [false, false, true, false],
        ),
        (
            json!([{"Effect": "Allow", "NotAction": "s3:PutObject", "Resource": "*"}]),
            [true, false, true, true],
        ),
        (json!([{"Effect": "Allow", "Action": "s3:*", "NotResource": objects}]), [false, false, true, true]),
        // A Deny wins, wherever it stands.
        (json!([deny(allow(json!("s3:PutObject"), json!("*"))), everything()]), [true, false, true, true]),
        (
            json!([
                everything(),
                deny(with(everything(), "/Condition", json!({"Bool": {"aws:SecureTransport": "false"}})))
            ]),
            [true, true, true, true],
        ),
        (
            json!([
                everything(),
                deny(with(everything(), "/Condition", json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}})))
            ]),
            [true, true, true, true],
        ),
        (
            json!([
                everything(),
                deny(with(everything(), "/Condition", json!({"NumericLessThan": {"s3:TlsVersion": "1.4"}})))
            ]),
            [false; 4],
        ),
        // What is not understood never allows, and always denies.
        (
            json!([with(everything(), "/Condition", json!({"StringEquals": {"aws:Moon": "full"}}))]),
            [false; 4],
        ),
        (
            json!([
                everything(),
                deny(with(everything(), "/Condition", json!({"StringEquals": {"aws:Moon": "full"}})))
            ]),
            [false; 4],
        ),
        (
            json!([everything(), deny(allow(json!("*"), json!("arn:aws:s3:::${aws:PrincipalTag/team}/*")))]),
            [false; 4],
        ),
    ] {
        let answers = s3(&aws, &statements, &[GET, PUT, LIST, LIST_ALL]);
        assert_eq!(answers, expected.map(|allowed| if allowed { 200 } else { 403 }), "{statements}");
    }
}

#[test]
fn a_refusal_is_the_services_own_error_and_the_administrator_never_sees_one() {
    let Some(aws) = Aws::start() else { return };
    state_bucket(&aws);
    let role = aws.role("nothing", &condition(), &json!([]));
    let script = script(
        &aws,
        r#"
        aws sts get-caller-identity --query Arn
        aws s3api put-object --bucket state-bucket --key app/state
        aws s3api head-object --bucket state-bucket --key app/state
        aws dynamodb describe-table --table-name locks
        aws iam list-roles
        aws eks describe-cluster --name app
        aws s3api delete-objects --bucket state-bucket --delete 'Objects=[{Key=app/state}]' --query 'Errors[].Code'
        true
        "#,
    );
    aws.forget_calls();
    script.run().says("(ResourceNotFoundException)");
    assert!(aws.calls().iter().all(|call| call.status != 403 && call.principal == "administrator"));
    aws.cli(&["s3api", "put-object", "--bucket", "state-bucket", "--key", "app/state"]);

    let session = aws.assume(script, &role, &json!({"environment": "prod"}));
    aws.forget_calls();
    session
        .run()
        .says("assumed-role/nothing/test")
        .says("(AccessDenied) when calling the PutObject operation: User: arn:aws:sts::123456789012:assumed-role/nothing")
        .says("(403) when calling the HeadObject operation")
        .says("(AccessDeniedException) when calling the DescribeTable operation")
        .says("(AccessDenied) when calling the ListRoles operation")
        .says("(AccessDeniedException) when calling the DescribeCluster operation")
        .says("    \"AccessDenied\"\n");
    let calls = aws.calls();
    assert_eq!(calls.len(), 7);
    assert!(calls.iter().all(|call| call.principal.ends_with(":assumed-role/nothing/test")));
    assert_eq!(calls.iter().filter(|call| call.status == 403).count(), 6, "{calls:?}");
    aws.cli(&["s3api", "head-object", "--bucket", "state-bucket", "--key", "app/state"]);

    // Keys that look like a session's, of no session.
    session.env("AWS_ACCESS_KEY_ID", "ASIAXXXXXXXXXXXXXXXX").run().says("(InvalidClientTokenId)");
}

#[test]
fn who_may_not_list_is_not_told_that_an_object_is_missing() {
    let Some(aws) = Aws::start() else { return };
    state_bucket(&aws);
    let get = allow(json!("s3:GetObject"), json!("arn:aws:s3:::state-bucket/*"));
    let list = |prefix: &str| {
        let list = allow(json!("s3:ListBucket"), json!("arn:aws:s3:::state-bucket"));
        with(list, "/Condition", json!({"StringLike": {"s3:prefix": [prefix]}}))
    };
    let absent = [("GET", "/state-bucket/absent"), ("HEAD", "/state-bucket/absent")];
    for (statements, status) in [
        (json!([get]), 403),
        (json!([get, list("other")]), 403),
        (json!([get, list("absent")]), 404),
        (json!([list("absent")]), 403),
    ] {
        assert_eq!(s3(&aws, &statements, &absent), [status; 2], "{statements}");
    }
    let ask = script(&aws, "aws s3api head-object --bucket state-bucket --key absent");
    ask.run().says("(404)");
    let role = aws.role("reader", &condition(), &json!([get]));
    aws.assume(ask, &role, &json!({"environment": "prod"})).run().says("(403)");
}

#[test]
fn other_services_have_their_resources_and_keys() {
    let Some(aws) = Aws::start() else { return };
    state_bucket(&aws);
    let attribute = "AttributeName=LockID,AttributeType=S";
    let create = ["dynamodb", "create-table", "--table-name", "locks", "--billing-mode", "PAY_PER_REQUEST"];
    let schema = ["--attribute-definitions", attribute, "--key-schema", "AttributeName=LockID,KeyType=HASH"];
    aws.cli(&[&create[..], &schema].concat());
    let lock = |key: &str| {
        format!(r#"dynamodb put-item --table-name locks --item '{{"LockID": {{"S": "{key}"}}}}'"#)
    };
    let (own, foreign) = (lock("state-bucket/app/state"), lock("state-bucket/other/state"));
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/locks";
    let leading = json!({
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["state-bucket/app/*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    });
    let describe = "dynamodb describe-table --table-name locks";
    let statements = json!([with(allow(json!("dynamodb:*"), json!(table)), "/Condition", leading)]);
    assert_eq!(may(&aws, &statements, &[&own, &foreign, describe]), [true, false, false]);
    let statements = json!([allow(json!("dynamodb:*"), json!(format!("{table}-other")))]);
    assert_eq!(may(&aws, &statements, &[&own, describe]), [false, false]);

    let register = "ecs register-task-definition --family app --container-definitions name=app,image=app,memory=128 \
                    --task-role-arn arn:aws:iam::123456789012:role/task";
    let pass = |service: &str, role: &str| {
        json!([
            allow(json!("ecs:*"), json!("*")),
            with(
                allow(json!("iam:PassRole"), json!(format!("arn:aws:iam::123456789012:role/{role}"))),
                "/Condition",
                json!({"StringEquals": {"iam:PassedToService": service}}),
            )
        ])
    };
    assert_eq!(may(&aws, &pass("ecs-tasks.amazonaws.com", "task"), &[register]), [true]);
    assert_eq!(may(&aws, &pass("ec2.amazonaws.com", "task"), &[register]), [false]);
    assert_eq!(may(&aws, &pass("ecs-tasks.amazonaws.com", "other"), &[register]), [false]);

    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let bounded = with(
        allow(json!("iam:CreateRole"), json!("*")),
        "/Condition",
        json!({"StringEquals": {"iam:PermissionsBoundary": boundary}}),
    );
    let trust = r#"'{"Version": "2012-10-17", "Statement": []}'"#;
    let role =
        |name: &str| format!("iam create-role --role-name {name} --assume-role-policy-document {trust}");
    let (free, bound) = (role("free"), format!("{} --permissions-boundary {boundary}", role("bound")));
    aws.cli(&["iam", "create-policy", "--policy-name", "boundary", "--policy-document", &everything()]);
    assert_eq!(may(&aws, &json!([bounded]), &[&free, &bound]), [false, true]);
}

fn everything() -> String {
    json!({"Version": "2012-10-17", "Statement": [allow(json!("*"), json!("*"))]}).to_string()
}

#[test]
fn attached_and_bucket_policies_count() {
    let Some(aws) = Aws::start() else { return };
    state_bucket(&aws);
    let role = aws.role("attached", &condition(), &json!([]));
    let ask =
        script(&aws, "aws s3api get-object --bucket state-bucket --key app/state copy >/dev/null || exit 3");
    let session = aws.assume(ask.clone(), &role, &json!({"environment": "prod"}));
    session.run().exits(3);
    let policy =
        aws.cli(&["iam", "create-policy", "--policy-name", "all", "--policy-document", &everything()]);
    let arn = policy["Policy"]["Arn"].as_str().unwrap();
    aws.cli(&["iam", "attach-role-policy", "--role-name", "attached", "--policy-arn", arn]);
    session.run().exits(0);
    for (transport, code) in [("false", 0), ("true", 3)] {
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::state-bucket/*",
            "Condition": {"Bool": {"aws:SecureTransport": transport}},
        }]});
        aws.cli(&["s3api", "put-bucket-policy", "--bucket", "state-bucket", "--policy", &policy.to_string()]);
        session.run().exits(code);
        ask.run().exits(0);
    }
}

#[test]
fn a_bucket_is_not_taken_for_another_accounts() {
    let Some(aws) = Aws::start() else { return };
    state_bucket(&aws);
    aws.foreign_bucket("foreign-bucket");
    let head = |bucket: &str, owner: &str| {
        script(
            &aws,
            r#"aws s3api head-bucket --bucket "$BUCKET" --expected-bucket-owner "$OWNER" >/dev/null"#,
        )
        .env("BUCKET", bucket)
        .env("OWNER", owner)
        .run()
    };
    head("state-bucket", ACCOUNT).exits(0);
    head("state-bucket", "999999999999").says("(403)");
    head("foreign-bucket", ACCOUNT).says("(403)");
    head("foreign-bucket", "999999999999").says("(403)");
    script(&aws, "aws s3api create-bucket --bucket foreign-bucket").run().says("(BucketAlreadyExists)");
}

/// The lock and the state of the real Terraform. On its first run it must hear that there is no state: only who may list
/// hears so. That it may not list `env:/` does not stop it.
#[test]
fn terraform_keeps_its_state_with_the_rights_that_it_needs_and_not_with_fewer() {
    let Some(aws) = Aws::start() else { return };
    if tool::find("terraform").is_none() {
        return;
    }
    state_bucket(&aws);
    let object = |key: &str| format!("arn:aws:s3:::state-bucket/{key}");
    let needed = [
        with(
            allow(json!("s3:ListBucket"), json!("arn:aws:s3:::state-bucket")),
            "/Condition",
            json!({"StringLike": {"s3:prefix": ["tf/state"]}}),
        ),
        allow(json!(["s3:GetObject", "s3:PutObject"]), json!(object("tf/state"))),
        allow(json!(["s3:GetObject", "s3:PutObject"]), json!(object("tf/state.tflock"))),
        allow(json!("s3:DeleteObject"), json!(object("tf/state.tflock"))),
    ];
    let apply = script(
        &aws,
        r#"
        rm -rf .terraform
        terraform init -input=false -no-color >/dev/null || exit 3
        terraform apply -input=false -no-color -auto-approve -var "value=$RANDOM" >/dev/null || exit 4
        "#,
    )
    .file(
        "main.tf",
        r#"
        terraform {
          backend "s3" {
            bucket       = "state-bucket"
            key          = "tf/state"
            region       = "us-east-1"
            use_lockfile = true
          }
        }
        variable "value" {}
        resource "terraform_data" "value" {
          input = var.value
        }
        "#,
    );
    let run = |name: &str, statements: &[Value]| {
        let role = aws.role(name, &condition(), &json!(statements));
        aws.assume(apply.clone(), &role, &json!({"environment": "prod"})).run()
    };
    let absent = || {
        for key in ["tf/state", "tf/state.tflock"] {
            aws.cli(&["s3api", "delete-object", "--bucket", "state-bucket", "--key", key]);
        }
    };
    run("whole", &needed).exits(0);
    absent();
    for left_out in 0..needed.len() {
        let mut fewer = needed.to_vec();
        fewer.remove(left_out);
        assert_ne!(run(&format!("without-{left_out}"), &fewer).code, 0, "without {}", needed[left_out]);
        absent();
    }
    run("again", &needed).exits(0);
}
