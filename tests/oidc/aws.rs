//! The roles at AWS: made by the guide's own commands, assumed with GitHub's tokens, refused what is not theirs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::guide::{commands, guide};
use super::tokens::rows;
use super::{FORMATS, manifest, setup};
use crate::aws::{ACCOUNT, Aws};
use crate::executed::script::{Ran, Script};

/// Runs a text of the test's own.
fn run(script: Script, text: &str) -> Ran {
    let path = script.directory().join("test.sh");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    script.at(path).run()
}

/// Runs the guide's commands for AWS, as an administrator who follows it. The emulator does not have AWS's own
/// policies: one of the account's stands in for `ReadOnlyAccess`.
fn follow(aws: &Aws, manifest: &str) {
    let guide =
        guide(manifest).replace("arn:aws:iam::aws:policy/", &format!("arn:aws:iam::{ACCOUNT}:policy/"));
    for heading in ["1. Let AWS know GitHub", "2. Make the roles"] {
        run(aws.lend(Script::new("gate.sh")), &commands(&guide, heading)).exits(0);
    }
}

/// Something that reads as much as `ReadOnlyAccess` does, and secrets.
fn make_read_only_access(aws: &Aws) {
    let actions = [
        "dynamodb:BatchGet*",
        "dynamodb:Describe*",
        "dynamodb:Get*",
        "dynamodb:Query",
        "dynamodb:Scan",
        "s3:Get*",
        "s3:List*",
        "secretsmanager:Get*",
        "ssm:Get*",
    ];
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    })
    .to_string();
    aws.cli(&["iam", "create-policy", "--policy-name", "ReadOnlyAccess", "--policy-document", &policy]);
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/pyfleet-{name}")
}

#[test]
fn sts_takes_every_token_for_its_roles_and_for_no_other() {
    let Some(aws) = Aws::start() else { return };
    make_read_only_access(&aws);
    let mut questions = Vec::new();
    for (format, _) in FORMATS {
        let manifest = manifest(format);
        follow(&aws, &manifest);
        for role in setup(&manifest).roles {
            questions.push((format, format!("{}-{}", role.environment, role.purpose), role.arn.unwrap()));
        }
    }
    let (mut asked, mut expected, mut what) = (String::new(), Vec::new(), Vec::new());
    for row in rows() {
        let token = aws.token(&row.claims);
        for (format, name, arn) in &questions {
            asked += &format!("{arn} {token}\n");
            expected.push(row.is_taken_by(format, name));
            what.push(format!("{}: {format} {name}", row.what));
        }
    }
    // Nobody signs this call: the token is what speaks. One connection is enough for all of them.
    let script = aws.lend(Script::new("gate.sh")).file("asked", asked);
    let ran = run(
        script,
        r#"
        while read -r role token; do
          printf 'next\nurl = "%s"\nsilent\noutput = /dev/null\nwrite-out = "%%{http_code}\\n"\n' "$AWS_ENDPOINT_URL_STS/"
          printf 'data = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=test&RoleArn=%s&WebIdentityToken=%s"\n' "$role" "$token"
        done <asked >questions
        curl --config questions
        "#,
    );
    let answers: Vec<&str> = ran.log.lines().collect();
    assert_eq!(answers.len(), expected.len(), "{}", ran.log);
    let mut taken = 0;
    for ((answer, expected), what) in answers.iter().zip(&expected).zip(&what) {
        assert_eq!(*answer == "200", *expected, "{what}: {answer}");
        taken += usize::from(*expected);
    }
    println!(
        "{} tokens of {} roles' business: {taken} taken, the others refused",
        expected.len(),
        questions.len()
    );
}

/// A session of a role of the `immutable` project, in its own job.
fn session(aws: &Aws, environment: &str, purpose: &str) -> Script {
    let roles = setup(&manifest("immutable")).roles;
    let role_setup =
        roles.iter().find(|role| role.environment == environment && role.purpose == purpose).unwrap();
    let claims = json!({
        "aud": "sts.amazonaws.com",
        "sub": role_setup.subjects[0],
        "repository_id": "2001",
        "job_workflow_ref": role_setup.workflows.first(),
    });
    let name = format!("immutable-{environment}-{purpose}");
    aws.assume(aws.lend(Script::new("gate.sh")), &role(&name), &claims)
}

/// A project whose roles and backend are there, with states of both environments, and enforcement.
fn backend() -> Option<Aws> {
    let aws = Aws::start()?;
    make_read_only_access(&aws);
    follow(&aws, &manifest("immutable"));
    run(
        aws.lend(Script::new("gate.sh")),
        r#"
        aws s3api create-bucket --bucket immutable-state
        aws s3api create-bucket --bucket somebody-elses
        aws s3api put-bucket-versioning --bucket immutable-state --versioning-configuration Status=Enabled
        aws dynamodb create-table --table-name immutable-locks --attribute-definitions AttributeName=LockID,AttributeType=S \
          --key-schema AttributeName=LockID,KeyType=HASH --billing-mode PAY_PER_REQUEST
        aws dynamodb create-table --table-name orders --attribute-definitions AttributeName=LockID,AttributeType=S \
          --key-schema AttributeName=LockID,KeyType=HASH --billing-mode PAY_PER_REQUEST
        echo '{}' >object
        for key in dev/app.tfstate dev/network.tfstate prod/app.tfstate _plans/1-1/dev/app.tfplan _plans/1-1/prod/app.tfplan \
          _pyfleet/applied/dev/app.json _pyfleet/applied/prod/app.json; do
          aws s3api put-object --bucket immutable-state --key "$key" --body object
        done
        aws s3api put-object --bucket somebody-elses --key customers --body object
        for repository in immutable-api others; do aws ecr create-repository --repository-name $repository; done
        for role in immutable-task ecs admin; do
          aws iam create-role --role-name $role --assume-role-policy-document '{"Version":"2012-10-17","Statement":[]}'
        done
        aws ecs register-task-definition --family api --container-definitions '[{"name":"api","image":"x","memory":64}]'
        for cluster in immutable-dev immutable-prod; do
          aws ecs create-cluster --cluster-name $cluster
          for service in api others; do aws ecs create-service --cluster $cluster --service-name $service --task-definition api; done
        done
        aws secretsmanager create-secret --name password --secret-string x
        aws ssm put-parameter --name /shop/password --value x --type String
        "#,
    )
    .exits(0);
    aws.enforce();
    Some(aws)
}

/// Asks AWS one line at a time. `yes LINE` has to be permitted, `no LINE` to be refused, and for that reason alone.
fn permits(script: Script, lines: &str) {
    let text = r#"
    set +e
    echo '{}' >object
    b='--bucket immutable-state'
    item='{"LockID":{"S":"immutable-state/dev/app.tfstate"}}'
    digest='{"LockID":{"S":"immutable-state/dev/app.tfstate-md5"}}'
    other='{"LockID":{"S":"immutable-state/prod/app.tfstate"}}'
    t='--table-name immutable-locks'
    yes() { aws "$@" >answer 2>&1 || printf 'REFUSED %s: %s\n' "$*" "$(tr '\n' ' ' <answer)"; }
    no() {
      ! aws "$@" >answer 2>&1 || printf 'PERMITTED %s\n' "$*"
      grep -Eq 'AccessDenied|403|Forbidden|not authorized' answer || printf 'OTHERWISE %s: %s\n' "$*" "$(tr '\n' ' ' <answer)"
    }
    "#;
    let ran = run(script, &format!("{text}{lines}"));
    assert_eq!(ran.log, "", "every call is answered as it should be");
}

const WRITES_TO_THE_BUCKET: &str = r#"
no s3api put-bucket-versioning $b --versioning-configuration Status=Suspended
no s3api put-bucket-policy $b --policy '{"Version":"2012-10-17","Statement":[]}'
no s3api delete-bucket-policy $b
no s3api put-bucket-encryption $b --server-side-encryption-configuration '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}'
no s3api delete-bucket-encryption $b
no s3api put-public-access-block $b --public-access-block-configuration BlockPublicAcls=false
no s3api delete-public-access-block $b
no s3api put-bucket-ownership-controls $b --ownership-controls 'Rules=[{ObjectOwnership=ObjectWriter}]'
no s3api put-bucket-lifecycle-configuration $b --lifecycle-configuration '{"Rules":[{"ID":"x","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":1}}]}'
no s3api delete-bucket-lifecycle $b
no s3api put-bucket-tagging $b --tagging 'TagSet=[]'
no s3api put-bucket-acl $b --acl public-read
no s3api delete-bucket $b
no dynamodb delete-table $t
no dynamodb update-table $t --no-deletion-protection-enabled
no iam create-role --role-name x --assume-role-policy-document '{"Version":"2012-10-17","Statement":[]}'
no iam put-role-policy --role-name pyfleet-immutable-dev-plan --policy-name x --policy-document '{"Version":"2012-10-17","Statement":[]}'
no iam update-assume-role-policy --role-name pyfleet-immutable-dev-apply --policy-document '{"Version":"2012-10-17","Statement":[]}'
"#;

const WRITES_TO_STATE: &str = r#"
no s3api put-object $b --key dev/app.tfstate --body object
no s3api put-object $b --key dev/new.tfstate --body object
no s3api delete-object $b --key dev/app.tfstate
no s3api delete-object $b --key dev/app.tfstate --version-id null
# The call itself is answered; each object is refused.
aws s3api delete-objects $b --delete 'Objects=[{Key=dev/app.tfstate}]' | grep -q AccessDenied || echo PERMITTED delete-objects
no s3api copy-object $b --key dev/app.tfstate --copy-source immutable-state/dev/network.tfstate
no s3api create-multipart-upload $b --key dev/app.tfstate
no s3api put-object $b --key prod/app.tfstate --body object
no s3api put-object $b --key prod/app.tfstate.tflock --body object
no s3api delete-object $b --key prod/app.tfstate.tflock
no s3api put-object $b --key _pyfleet/applied/dev/app.json --body object
no s3api put-object $b --key _pyfleet/recovery/dev/app/x --body object
no s3api put-object $b --key _plans/1-1/prod/app.tfplan --body object
no dynamodb put-item $t --item "$digest"
no dynamodb delete-item $t --key "$digest"
no dynamodb put-item $t --item "$other"
no dynamodb delete-item $t --key "$other"
no dynamodb update-item $t --key "$item" --update-expression 'SET x = :x' --expression-attribute-values '{":x":{"S":"x"}}'
"#;

const DATA: &str = r#"
no s3api get-object $b --key prod/app.tfstate copy
no s3api get-object $b --key _plans/1-1/dev/app.tfplan copy
no s3api get-object $b --key _plans/1-1/prod/app.tfplan copy
no s3api get-object $b --key _pyfleet/applied/prod/app.json copy
no s3api get-object --bucket somebody-elses --key customers copy
no dynamodb get-item --table-name orders --key "$item"
no dynamodb scan --table-name orders
no secretsmanager get-secret-value --secret-id password
no ssm get-parameter --name /shop/password
"#;

#[test]
fn the_role_that_plans_is_refused_every_write_to_state() {
    let Some(aws) = backend() else { return };
    let own = r#"
    yes s3api list-objects-v2 $b --prefix env:/
    yes s3api get-object $b --key dev/app.tfstate copy
    yes s3api put-object $b --key dev/app.tfstate.tflock --body object --if-none-match '*'
    yes s3api get-object $b --key dev/app.tfstate.tflock copy
    yes s3api delete-object $b --key dev/app.tfstate.tflock
    yes s3api put-object $b --key _pyfleet/canary-1 --body object
    yes s3api delete-object $b --key _pyfleet/canary-1
    yes s3api put-object $b --key _plans/2-1/dev/app.tfplan --body object
    yes s3api get-object $b --key _pyfleet/applied/dev/app.json copy
    yes s3api get-bucket-location $b
    yes s3api get-bucket-versioning $b
    yes dynamodb describe-table $t
    yes dynamodb put-item $t --item "$item"
    yes dynamodb get-item $t --key "$item"
    yes dynamodb get-item $t --key "$digest"
    yes dynamodb delete-item $t --key "$item"
    "#;
    let lines = format!("{own}{WRITES_TO_STATE}{WRITES_TO_THE_BUCKET}{DATA}");
    permits(session(&aws, "dev", "plan"), &lines);
}

#[test]
fn the_role_of_pull_requests_writes_nothing_at_all() {
    let Some(aws) = backend() else { return };
    let own = r#"
    yes s3api list-objects-v2 $b --prefix env:/
    yes s3api get-object $b --key dev/network.tfstate copy
    yes dynamodb get-item $t --key '{"LockID":{"S":"immutable-state/dev/network.tfstate-md5"}}'
    no s3api get-object $b --key dev/app.tfstate copy
    no s3api put-object $b --key dev/network.tfstate.tflock --body object
    no s3api delete-object $b --key dev/network.tfstate.tflock
    no s3api put-object $b --key _plans/2-1/dev/network.tfplan --body object
    no s3api put-object $b --key _pyfleet/canary-1 --body object
    no dynamodb put-item $t --item "$item"
    no dynamodb delete-item $t --key "$item"
    "#;
    let lines = format!("{own}{WRITES_TO_STATE}{WRITES_TO_THE_BUCKET}{DATA}");
    permits(session(&aws, "dev", "pull-request-plan"), &lines);
}

#[test]
fn the_role_that_applies_writes_its_own_state_and_weakens_nothing() {
    let Some(aws) = backend() else { return };
    let own = r#"
    yes s3api get-object $b --key dev/app.tfstate copy
    yes s3api put-object $b --key dev/app.tfstate --body object
    yes s3api put-object $b --key dev/app.tfstate.tflock --body object --if-none-match '*'
    yes s3api delete-object $b --key dev/app.tfstate.tflock
    yes s3api get-object $b --key _plans/1-1/dev/app.tfplan copy
    yes s3api put-object $b --key _pyfleet/applied/dev/app.json --body object
    yes s3api put-object $b --key _pyfleet/recovery/dev/app/x --body object
    yes dynamodb put-item $t --item "$item"
    yes dynamodb put-item $t --item "$digest"
    yes dynamodb delete-item $t --key "$item"
    yes ec2 create-vpc --cidr-block 10.0.0.0/16
    yes s3api create-bucket --bucket shops-own
    no s3api get-object $b --key prod/app.tfstate copy
    no s3api put-object $b --key prod/app.tfstate --body object
    no s3api get-object $b --key _plans/1-1/prod/app.tfplan copy
    no s3api put-object $b --key _plans/1-1/dev/app.tfplan --body object
    no s3api put-object $b --key _pyfleet/applied/prod/app.json --body object
    no s3api delete-object $b --key dev/app.tfstate
    no s3api delete-object $b --key dev/app.tfstate --version-id null
    no dynamodb put-item $t --item "$other"
    no dynamodb scan $t
    no sns create-topic --name x
    role='{"Version":"2012-10-17","Statement":[]}'
    no iam create-role --path /immutable/ --role-name app --assume-role-policy-document "$role"
    no iam create-role --role-name app --assume-role-policy-document "$role" --permissions-boundary arn:aws:iam::123456789012:policy/pyfleet-immutable-dev-boundary
    no iam create-role --path /immutable/ --role-name app --assume-role-policy-document "$role" --permissions-boundary arn:aws:iam::123456789012:policy/pyfleet-immutable-prod-boundary
    yes iam create-role --path /immutable/ --role-name app --assume-role-policy-document "$role" --permissions-boundary arn:aws:iam::123456789012:policy/pyfleet-immutable-dev-boundary
    no iam delete-role-permissions-boundary --role-name app
    no iam create-open-id-connect-provider --url https://evil.example --client-id-list sts.amazonaws.com
    no iam create-policy-version --policy-arn arn:aws:iam::123456789012:policy/pyfleet-immutable-dev-boundary --policy-document "$role"
    no iam create-user --user-name x
    "#;
    permits(session(&aws, "dev", "apply"), &format!("{own}{WRITES_TO_THE_BUCKET}"));
}

#[test]
fn the_roles_of_the_backend_touch_nothing_else() {
    let Some(aws) = backend() else { return };
    permits(
        session(&aws, "dev", "backend-create"),
        r#"
        no s3api get-object $b --key dev/app.tfstate copy
        no s3api put-object $b --key dev/app.tfstate --body object
        no s3api delete-object $b --key dev/app.tfstate
        no s3api delete-bucket $b
        no s3api delete-bucket-policy $b
        no s3api create-bucket --bucket others
        no dynamodb delete-table $t
        no dynamodb scan $t
        no dynamodb put-item $t --item "$item"
        "#,
    );
    permits(
        session(&aws, "dev", "backend-destroy"),
        r#"
        no s3api put-object $b --key dev/app.tfstate --body object
        no s3api put-bucket-versioning $b --versioning-configuration Status=Suspended
        no s3api delete-object --bucket somebody-elses --key customers
        no dynamodb delete-table --table-name orders
        no dynamodb put-item $t --item "$item"
        yes s3api get-object $b --key dev/app.tfstate copy
        "#,
    );
}

#[test]
fn the_role_that_deploys_touches_its_image_and_its_service_and_nothing_else() {
    let Some(aws) = backend() else { return };
    let own = r#"
    containers='[{"name":"api","image":"x","memory":64}]'
    role=arn:aws:iam::123456789012:role
    yes ecr get-authorization-token
    yes ecr describe-images --repository-name immutable-api
    no ecr describe-images --repository-name others
    no ecr put-image --repository-name others --image-manifest '{}'
    no ecr batch-delete-image --repository-name immutable-api --image-ids imageTag=x
    no ecr delete-repository --repository-name immutable-api
    no ecr put-image-tag-mutability --repository-name immutable-api --image-tag-mutability MUTABLE
    no ecr set-repository-policy --repository-name immutable-api --policy-text '{}'
    yes ecs describe-services --cluster immutable-dev --services api
    yes ecs list-task-definitions --family-prefix api
    yes ecs register-task-definition --family api --task-role-arn $role/immutable-task --execution-role-arn $role/ecs --container-definitions "$containers"
    no ecs register-task-definition --family api --task-role-arn $role/admin --container-definitions "$containers"
    no ecs register-task-definition --family api --execution-role-arn $role/pyfleet-immutable-dev-apply --container-definitions "$containers"
    yes ecs update-service --cluster immutable-dev --service api --task-definition api
    no ecs describe-services --cluster immutable-dev --services others
    no ecs update-service --cluster immutable-dev --service others --task-definition api
    no ecs update-service --cluster immutable-prod --service api --task-definition api
    no ecs delete-service --cluster immutable-dev --service api
    no ecs create-service --cluster immutable-dev --service-name new --task-definition api
    no ecs run-task --cluster immutable-dev --task-definition api
    no ecs deregister-task-definition --task-definition api:1
    no ecs delete-cluster --cluster immutable-dev
    no s3api list-objects-v2 $b --prefix dev/
    no s3api get-object $b --key dev/app.tfstate copy
    no dynamodb get-item $t --key "$item"
    "#;
    let lines = format!("{own}{WRITES_TO_STATE}{WRITES_TO_THE_BUCKET}{DATA}");
    permits(session(&aws, "dev", "deploy"), &lines);
}

#[test]
fn what_looks_before_a_deployment_pushes_and_deploys_nothing() {
    let Some(aws) = backend() else { return };
    permits(
        session(&aws, "dev", "plan"),
        r#"
        yes ecr describe-images --repository-name immutable-api
        yes ecs describe-services --cluster immutable-dev --services api
        yes ecs list-task-definitions --family-prefix api
        no ecr get-authorization-token
        no ecr put-image --repository-name immutable-api --image-manifest '{}'
        no ecs update-service --cluster immutable-dev --service api --task-definition api
        no ecs register-task-definition --family api --container-definitions '[{"name":"api","image":"x","memory":64}]'
        "#,
    );
}
