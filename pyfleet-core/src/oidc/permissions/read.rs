//! Roles that read: plans, and checks of state.
//!
//! A plan runs code: providers, and data sources that start programs. So a role that reads sees how the account is
//! set up, and not what is kept in it.

use super::super::identity::{Identity, State};
use super::super::policy::{Condition, Statement, everything};
use super::state::{self, Items, items};

/// Plans of pull requests: the states that are planned, and nothing that writes.
pub(super) fn pull_request_plan(identity: &Identity, state: &State) -> Vec<Statement> {
    let mut statements = vec![state::find(identity, state, &[]), state::read(identity, state)];
    statements.extend(items(identity, state, "ReadDigest", &["dynamodb:GetItem"], Items::LocksAndDigests));
    statements.extend(no_data(identity, state, state::states(identity, state)));
    statements
}

/// Plans and checks of an environment's own branch.
pub(super) fn plan(identity: &Identity, state: &State) -> Vec<Statement> {
    let work = &identity.work;
    let lock_files = state::lock_files(identity, state);
    let ledger = state::objects(identity, state, &state::ledger(identity));
    let mut statements = vec![
        state::find_all(identity, state),
        state::read(identity, state),
        state::see_bucket(identity, state),
    ];
    if !lock_files.is_empty() {
        statements.push(Statement::allow("SeeLock", &["s3:GetObject"], lock_files.clone()));
        if work.locks {
            statements.push(Statement::allow(
                "Lock",
                &["s3:DeleteObject", "s3:PutObject"],
                lock_files.clone(),
            ));
        }
    }
    statements.extend(items(
        identity,
        state,
        "ReadLockAndDigest",
        &["dynamodb:GetItem"],
        Items::LocksAndDigests,
    ));
    if work.locks {
        let actions = ["dynamodb:DeleteItem", "dynamodb:PutItem"];
        statements.extend(items(identity, state, "LockItem", &actions, Items::Locks));
    }
    if let Some(table) = state::table(identity, state) {
        // It has no items to compare keys of, so it stands alone.
        statements.push(Statement::allow("SeeLockTable", &["dynamodb:DescribeTable"], vec![table]));
    }
    statements.push(Statement::allow("ReadRecord", &["s3:GetObject"], vec![ledger.clone()]));
    if work.reads_history {
        statements.push(state::find_history(identity, state));
        statements.push(Statement::allow("ReadHistory", &["s3:GetObjectVersion"], vec![ledger.clone()]));
    }
    if work.hands_over {
        let plans = state::objects(identity, state, &state::plans(identity));
        statements.push(Statement::allow("HandOverPlan", &["s3:PutObject"], vec![plans]));
    }
    if work.checks_state {
        statements.push(Statement::allow(
            "ProveLock",
            &["s3:DeleteObject", "s3:PutObject"],
            vec![state::objects(identity, state, "_pyfleet/canary-*")],
        ));
    }
    let mut readable = state::states(identity, state);
    readable.extend(lock_files);
    readable.push(ledger);
    statements.extend(no_data(identity, state, readable));
    statements
}

/// Denies what `ReadOnlyAccess` or anybody's key policy would allow: what the account keeps for its users.
fn no_data(identity: &Identity, state: &State, readable: Vec<String>) -> Vec<Statement> {
    let (partition, region) = (identity.partition, &identity.region);
    let domain = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    let through: Vec<String> =
        ["dynamodb", "s3"].iter().map(|service| format!("{service}.{region}.{domain}")).collect();
    let no_items = Statement::deny(
        "NoItems",
        &[
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:GetRecords",
            "dynamodb:PartiQLSelect",
            "dynamodb:Query",
            "dynamodb:Scan",
        ],
        everything(),
    );
    vec![
        Statement::deny("NoObjects", &["s3:GetObject", "s3:GetObjectVersion"], Vec::new()).but(readable),
        match state::table(identity, state) {
            Some(table) => no_items.but(vec![table]),
            None => no_items,
        },
        Statement::deny(
            "NoSecrets",
            &["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
            everything(),
        ),
        // What AWS publishes for everybody, such as the newest images.
        Statement::deny(
            "NoParameters",
            &["ssm:GetParameter", "ssm:GetParameterHistory", "ssm:GetParameters", "ssm:GetParametersByPath"],
            Vec::new(),
        )
        .but(vec![format!("arn:{partition}:ssm:{region}::parameter/aws/service/*")]),
        // S3 and DynamoDB decrypt what may be read above.
        Statement::deny("NoDecryption", &["kms:Decrypt"], everything()).when(Condition::any_of(
            "StringNotEquals",
            "kms:ViaService",
            through,
        )),
        Statement::deny(
            "NoOtherData",
            &[
                "athena:GetQueryResults",
                "codecommit:GetBlob",
                "codecommit:GetFile",
                "codecommit:GitPull",
                "ec2:GetConsoleOutput",
                "ec2:GetPasswordData",
                "ecr:BatchGetImage",
                "ecr:GetDownloadUrlForLayer",
                "kinesis:GetRecords",
                "logs:FilterLogEvents",
                "logs:GetLogEvents",
                "logs:GetQueryResults",
                "logs:StartQuery",
                "rds:DownloadDBLogFilePortion",
                "sqs:ReceiveMessage",
            ],
            everything(),
        ),
    ]
}
