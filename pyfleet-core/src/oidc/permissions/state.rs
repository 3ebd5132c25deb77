//! State, its lock, and pyfleet's own objects beside it.

use std::collections::BTreeSet;

use super::super::identity::{Identity, State};
use super::super::policy::{Condition, Statement, literal};
use crate::manifest::Lock;
use crate::project::{EnvironmentStacks, Project, StackSettings, partition};

/// The bucket.
pub(super) fn bucket(identity: &Identity, state: &State) -> String {
    format!("arn:{}:s3:::{}", identity.partition, state.bucket)
}

/// Objects of the bucket by a pattern.
pub(super) fn objects(identity: &Identity, state: &State, pattern: &str) -> String {
    format!("{}/{pattern}", bucket(identity, state))
}

/// The states.
pub(super) fn states(identity: &Identity, state: &State) -> Vec<String> {
    state.keys.iter().map(|key| objects(identity, state, &literal(key))).collect()
}

/// The states' lock files, where there are any.
pub(super) fn lock_files(identity: &Identity, state: &State) -> Vec<String> {
    lock_keys(state).iter().map(|key| objects(identity, state, key)).collect()
}

fn lock_keys(state: &State) -> Vec<String> {
    if state.lock == Lock::DynamoDb {
        return Vec::new();
    }
    state.keys.iter().map(|key| format!("{}.tflock", literal(key))).collect()
}

/// The environment's saved plans: another environment's are not this one's to read.
pub(super) fn plans(identity: &Identity) -> String {
    format!("_plans/*/{}/*", identity.environment)
}

/// The record of what was applied to the environment.
pub(super) fn ledger(identity: &Identity) -> String {
    format!("_pyfleet/applied/{}/*", identity.environment)
}

/// The lock table, where one is used.
pub(super) fn table(identity: &Identity, state: &State) -> Option<String> {
    let table = state.table.as_ref()?;
    Some(format!(
        "arn:{}:dynamodb:{}:{}:table/{table}",
        identity.partition, identity.region, identity.account_id
    ))
}

/// The buckets of every environment.
pub(super) fn every_bucket(project: &Project) -> Vec<String> {
    every(project, |_, partition, stack| {
        Some(format!("arn:{partition}:s3:::{}", stack.backend.get("bucket")?))
    })
}

/// The lock tables of every environment.
pub(super) fn every_table(project: &Project) -> Vec<String> {
    every(project, |target, partition, stack| {
        let table = stack.backend.get("dynamodb_table")?;
        Some(format!("arn:{partition}:dynamodb:{}:{}:table/{table}", target.region, target.account_id))
    })
}

fn every(
    project: &Project,
    arn: impl Fn(&EnvironmentStacks, &str, &StackSettings) -> Option<String>,
) -> Vec<String> {
    let targets = project.terraform.iter().flat_map(|terraform| &terraform.targets);
    let arns: BTreeSet<String> = targets
        .flat_map(|target| target.stacks.iter().map(move |stack| (target, stack)))
        .filter_map(|(target, stack)| arn(target, partition(&target.region), stack))
        .collect();
    arns.into_iter().collect()
}

/// Finds what is there. Without it, S3 answers 403 for a state that does not exist yet. S3 compares the condition with
/// the prefix of a listing; `init` lists `env:/`.
pub(super) fn find(identity: &Identity, state: &State, beside: &[String]) -> Statement {
    let mut prefixes: Vec<String> = state.keys.iter().map(|key| literal(key)).collect();
    prefixes.push("env:/*".to_owned());
    prefixes.extend_from_slice(beside);
    Statement::allow("FindState", &["s3:ListBucket"], vec![bucket(identity, state)]).when(Condition::any_of(
        "StringLike",
        "s3:prefix",
        prefixes,
    ))
}

/// As [`find`], with locks and records.
pub(super) fn find_all(identity: &Identity, state: &State) -> Statement {
    let mut beside = lock_keys(state);
    beside.extend([plans(identity), "_pyfleet/*".to_owned()]);
    find(identity, state, &beside)
}

/// Finds the earlier versions of the record.
pub(super) fn find_history(identity: &Identity, state: &State) -> Statement {
    Statement::allow("FindHistory", &["s3:ListBucketVersions"], vec![bucket(identity, state)])
        .when(Condition::any_of("StringLike", "s3:prefix", vec![ledger(identity)]))
}

/// Reads the states.
pub(super) fn read(identity: &Identity, state: &State) -> Statement {
    Statement::allow("ReadState", &["s3:GetObject"], states(identity, state))
}

/// Sees where the bucket lies and how it is protected.
pub(super) fn see_bucket(identity: &Identity, state: &State) -> Statement {
    Statement::allow(
        "SeeBucket",
        &[
            "s3:GetBucketLocation",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
        ],
        vec![bucket(identity, state)],
    )
}

/// What is done to an item of the lock table.
#[derive(Clone, Copy)]
pub(super) enum Items {
    /// The locks.
    Locks,
    /// The locks, and the digests of the states.
    LocksAndDigests,
}

/// Actions on the items of the lock table that belong to the states; nothing where there is no table. The key of a
/// lock is `BUCKET/KEY`, that of a digest has `-md5` behind it
/// ([DynamoDB: leading keys](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html)).
pub(super) fn items(
    identity: &Identity,
    state: &State,
    sid: &'static str,
    actions: &[&str],
    items: Items,
) -> Option<Statement> {
    let table = table(identity, state)?;
    let mut keys = Vec::new();
    for key in &state.keys {
        let key = format!("{}/{}", state.bucket, key.replace('$', "${$}"));
        if let Items::LocksAndDigests = items {
            keys.push(format!("{key}-md5"));
        }
        keys.push(key);
    }
    keys.sort_unstable();
    Some(
        Statement::allow(sid, actions, vec![table])
            .when(Condition::any_of("ForAllValues:StringEquals", "dynamodb:LeadingKeys", keys))
            // Of no key at all it would hold, too.
            .when(Condition::one("Null", "dynamodb:LeadingKeys", "false")),
    )
}
