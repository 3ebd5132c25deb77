//! The role that changes infrastructure: state, the services that the manifest names, and what stays out of reach.

use super::super::identity::{Identity, State};
use super::super::policy::{Condition, Statement, everything};
use super::boundary_arn;
use super::state::{self, Items, items};
use crate::project::{Project, Role};

const IAM: &str = "iam";

/// Whether an apply makes roles: only where the manifest names `iam` among the services.
pub(super) fn makes_roles(project: &Project) -> bool {
    project.aws_services.iter().any(|service| service == IAM)
}

pub(super) fn apply(project: &Project, identity: &Identity, state: &State) -> Vec<Statement> {
    let lock_files = state::lock_files(identity, state);
    let ledger = state::objects(identity, state, &state::ledger(identity));
    let recovery = state::objects(identity, state, &format!("_pyfleet/recovery/{}/*", identity.environment));
    let mut statements = vec![
        state::find_all(identity, state),
        state::see_bucket(identity, state),
        Statement::allow("WriteState", &["s3:GetObject", "s3:PutObject"], state::states(identity, state)),
    ];
    if !lock_files.is_empty() {
        let actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"];
        statements.push(Statement::allow("Lock", &actions, lock_files));
    }
    let actions = ["dynamodb:GetItem", "dynamodb:PutItem"];
    statements.extend(items(identity, state, "LockAndDigestItems", &actions, Items::LocksAndDigests));
    statements.extend(items(identity, state, "UnlockItem", &["dynamodb:DeleteItem"], Items::Locks));
    if identity.work.hands_over {
        let plans = state::objects(identity, state, &state::plans(identity));
        statements.push(Statement::allow("TakePlan", &["s3:GetObject"], vec![plans]));
    }
    let record: &[&str] =
        if identity.work.adds_to_record { &["s3:GetObject", "s3:PutObject"] } else { &["s3:PutObject"] };
    statements.push(Statement::allow("Record", record, vec![ledger]));
    statements.push(Statement::allow("SaveWhatIsLeft", &["s3:GetObject", "s3:PutObject"], vec![recovery]));
    statements.extend(services(project));
    if makes_roles(project) {
        statements.extend(roles(project, identity));
    }
    statements.extend(out_of_reach(project, identity));
    statements
}

/// What the roles that an apply makes can do at most.
pub(super) fn boundary(project: &Project) -> Vec<Statement> {
    let statements = services(project);
    if statements.is_empty() {
        // A policy has at least one statement.
        return vec![Statement::deny("NoOtherService", &["*"], everything())];
    }
    statements
}

/// The services that the manifest names, whole: what a stack describes is not known here, so that no resource can be
/// named, but for those that hold state, this environment's or another's.
fn services(project: &Project) -> Vec<Statement> {
    let has = |service: &str| project.aws_services.iter().any(|own| own == service);
    let mut others: Vec<String> = project
        .aws_services
        .iter()
        .filter(|service| !matches!(service.as_str(), IAM | "s3" | "dynamodb"))
        .map(|service| format!("{service}:*"))
        .collect();
    let (buckets, tables) = (state::every_bucket(project), state::every_table(project));
    if has("dynamodb") && tables.is_empty() {
        others.push("dynamodb:*".to_owned());
    }
    others.sort_unstable();
    others.dedup();
    let mut statements = Vec::new();
    if !others.is_empty() {
        statements.push(Statement { action: others, ..Statement::allow("Services", &[], everything()) });
    }
    if has("s3") {
        statements.push(Statement::allow("BucketsButState", &["s3:*"], Vec::new()).but(with_inside(buckets)));
    }
    if has("dynamodb") && !tables.is_empty() {
        let tables = with_inside(tables);
        statements.push(Statement::allow("TablesButLocks", &["dynamodb:*"], Vec::new()).but(tables));
    }
    statements
}

/// Buckets with their objects, tables with their indexes.
fn with_inside(arns: Vec<String>) -> Vec<String> {
    arns.into_iter().flat_map(|arn| [arn.clone(), format!("{arn}/*")]).collect()
}

/// Roles and policies of the project's own path, which can do no more than the boundary
/// ([AWS: permissions boundaries](https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html)).
fn roles(project: &Project, identity: &Identity) -> Vec<Statement> {
    let own = |kind: &str| {
        vec![format!("arn:{}:iam::{}:{kind}/{}/*", identity.partition, identity.account_id, project.name)]
    };
    let bounded = Condition::one("StringEquals", "iam:PermissionsBoundary", boundary_arn(project, identity));
    vec![
        // Most of these know no resource.
        Statement::allow("ReadIam", &["iam:Get*", "iam:List*"], everything()),
        Statement::allow(
            "RolesWithinTheBoundary",
            &[
                "iam:AttachRolePolicy",
                "iam:CreateRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
            ],
            own("role"),
        )
        .when(bounded),
        Statement::allow(
            "Roles",
            &[
                "iam:DeleteRole",
                "iam:PassRole",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
            own("role"),
        ),
        Statement::allow(
            "InstanceProfiles",
            &[
                "iam:AddRoleToInstanceProfile",
                "iam:CreateInstanceProfile",
                "iam:DeleteInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:TagInstanceProfile",
                "iam:UntagInstanceProfile",
            ],
            own("instance-profile"),
        ),
        Statement::allow(
            "Policies",
            &[
                "iam:CreatePolicy",
                "iam:CreatePolicyVersion",
                "iam:DeletePolicy",
                "iam:DeletePolicyVersion",
                "iam:SetDefaultPolicyVersion",
                "iam:TagPolicy",
                "iam:UntagPolicy",
            ],
            own("policy"),
        ),
        Statement::allow(
            "ServiceLinkedRoles",
            &["iam:CreateServiceLinkedRole"],
            vec![format!("arn:{}:iam::{}:role/aws-service-role/*", identity.partition, identity.account_id)],
        ),
    ]
}

/// What no apply touches, whatever else is attached to its role: who may become what, the state's protection, and
/// the record of what happened.
fn out_of_reach(project: &Project, identity: &Identity) -> Vec<Statement> {
    let iam = |name: &str| format!("arn:{}:iam::{}:{name}", identity.partition, identity.account_id);
    let mut pyfleet = vec![iam("role/pyfleet-*"), iam("policy/pyfleet-*")];
    // Existing roles have names of their own, those of other environments too.
    let in_account = project.environments.iter().filter(|environment| {
        environment.account_id.as_ref().is_some_and(|account| account.as_str() == identity.account_id)
    });
    pyfleet.extend(in_account.flat_map(|environment| environment.roles.values()).filter_map(
        |role| match role {
            Role::Arn(arn) if !arn.contains(":role/pyfleet-") => Some(arn.clone()),
            Role::Arn(_) | Role::Variable(_) => None,
        },
    ));
    pyfleet.sort_unstable();
    pyfleet.dedup();
    let mut statements = vec![
        Statement::deny(
            "NoIdentityProviders",
            &[
                "iam:AddClientIDToOpenIDConnectProvider",
                "iam:CreateOpenIDConnectProvider",
                "iam:DeleteOpenIDConnectProvider",
                "iam:RemoveClientIDFromOpenIDConnectProvider",
                "iam:TagOpenIDConnectProvider",
                "iam:UntagOpenIDConnectProvider",
                "iam:UpdateOpenIDConnectProviderThumbprint",
            ],
            everything(),
        ),
        Statement::deny(
            "NoRolesOfPyfleet",
            &[
                "iam:Add*",
                "iam:Attach*",
                "iam:Create*",
                "iam:Delete*",
                "iam:Detach*",
                "iam:PassRole",
                "iam:Put*",
                "iam:Remove*",
                "iam:Set*",
                "iam:Tag*",
                "iam:Untag*",
                "iam:Update*",
            ],
            pyfleet,
        ),
        Statement::deny(
            "NoWayOutOfTheBoundary",
            &["iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary"],
            everything(),
        ),
        Statement::deny(
            "NoWeakerStateBucket",
            &[
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:PutBucketAcl",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
                "s3:PutReplicationConfiguration",
            ],
            state::every_bucket(project),
        ),
        Statement::deny(
            "NoLostVersions",
            &["s3:DeleteObjectVersion"],
            state::every_bucket(project).iter().map(|bucket| format!("{bucket}/*")).collect(),
        ),
    ];
    let tables = state::every_table(project);
    if !tables.is_empty() {
        let actions = ["dynamodb:DeleteTable", "dynamodb:UpdateTable"];
        statements.push(Statement::deny("NoOtherLockTable", &actions, tables));
    }
    statements.push(Statement::deny(
        "NoSilence",
        &[
            "cloudtrail:DeleteEventDataStore",
            "cloudtrail:DeleteTrail",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:PutInsightSelectors",
            "cloudtrail:StopEventDataStoreIngestion",
            "cloudtrail:StopLogging",
            "cloudtrail:UpdateEventDataStore",
            "cloudtrail:UpdateTrail",
        ],
        everything(),
    ));
    statements
}
