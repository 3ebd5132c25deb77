//! The roles that make and remove the state backend: one bucket, one table.

use super::super::identity::{Identity, State};
use super::super::policy::Statement;
use super::state;

/// Makes it, and brings it to what it should be. No object is read, written or removed.
pub(super) fn create(identity: &Identity, state: &State) -> Vec<Statement> {
    let mut statements = vec![Statement::allow(
        "Bucket",
        &[
            "s3:CreateBucket",
            "s3:GetBucketLocation",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPolicy",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetBucketVersioning",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:ListBucketVersions",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
        ],
        vec![state::bucket(identity, state)],
    )];
    if let Some(table) = state::table(identity, state) {
        statements.push(Statement::allow(
            "LockTable",
            &[
                "dynamodb:CreateTable",
                "dynamodb:DescribeContinuousBackups",
                "dynamodb:DescribeTable",
                "dynamodb:ListTagsOfResource",
                "dynamodb:TagResource",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:UpdateTable",
            ],
            vec![table],
        ));
    }
    statements
}

/// Looks at everything in it, and removes it with every version.
pub(super) fn destroy(identity: &Identity, state: &State) -> Vec<Statement> {
    let mut statements = vec![
        Statement::allow(
            "Bucket",
            &[
                "s3:DeleteBucket",
                "s3:GetBucketLocation",
                "s3:GetBucketTagging",
                "s3:ListBucket",
                "s3:ListBucketVersions",
            ],
            vec![state::bucket(identity, state)],
        ),
        Statement::allow(
            "Objects",
            &["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject"],
            vec![state::objects(identity, state, "*")],
        ),
    ];
    if let Some(table) = state::table(identity, state) {
        statements.push(Statement::allow(
            "LockTable",
            &[
                "dynamodb:DeleteTable",
                "dynamodb:DescribeTable",
                "dynamodb:ListTagsOfResource",
                "dynamodb:Scan",
                "dynamodb:UpdateTable",
            ],
            vec![table],
        ));
    }
    statements
}
