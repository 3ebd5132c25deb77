//! The role that pushes images and deploys services, and what is looked at beforehand.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ClusterAccess;
use super::super::identity::Identity;
use super::super::policy::{Condition, Statement, everything};
use crate::manifest::Slug;
use crate::project::{EcsTarget, Project, Target};

/// Pushes to the repositories of its images, and changes the task definitions of its services; nothing is deleted
/// ([Amazon ECR](https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html),
/// [Amazon ECS](https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html)).
pub(super) fn deploy(project: &Project, identity: &Identity) -> Vec<Statement> {
    let work = &identity.work;
    let deployed = targets(project, identity, &work.deploys);
    let names: BTreeSet<Slug> = work.deploys.union(&work.rolls_back).cloned().collect();
    let changed = targets(project, identity, &names);
    let mut statements = Vec::new();
    if !work.pushes.is_empty() {
        statements.push(Statement::allow("LogIn", &["ecr:GetAuthorizationToken"], everything()));
        statements.push(Statement::allow(
            "Push",
            &[
                "ecr:BatchCheckLayerAvailability",
                "ecr:BatchGetImage",
                "ecr:CompleteLayerUpload",
                "ecr:DescribeImages",
                "ecr:GetDownloadUrlForLayer",
                "ecr:InitiateLayerUpload",
                "ecr:PutImage",
                "ecr:UploadLayerPart",
            ],
            repositories(identity, &work.pushes),
        ));
    }
    if !work.makes.is_empty() {
        let repositories = repositories(identity, &work.makes);
        statements.push(Statement::allow("MakeRepositories", &["ecr:CreateRepository"], repositories));
    }
    statements.extend(reach(project, identity, &names));
    statements.extend(see(&changed));
    if !changed.is_empty() {
        statements.push(Statement::allow("Deploy", &["ecs:UpdateService"], services(&changed)));
        statements.push(Statement::allow(
            "StopDeployment",
            &["ecs:StopServiceDeployment"],
            changed
                .iter()
                .map(|target| {
                    target.arn("ecs", &format!("service-deployment/{}/{}/*", target.cluster, target.service))
                })
                .collect(),
        ));
    }
    if !deployed.is_empty() {
        statements.push(Statement::allow("Register", &["ecs:RegisterTaskDefinition"], everything()));
        // A tag that is set as something is made.
        statements.push(
            Statement::allow(
                "TagRevision",
                &["ecs:TagResource"],
                vec![in_account(identity, "ecs", "task-definition/*")],
            )
            .when(Condition::one("StringEquals", "ecs:CreateAction", "RegisterTaskDefinition")),
        );
    }
    let roles: BTreeSet<String> = deployed
        .iter()
        .flat_map(|target| [&target.task_role, &target.execution_role])
        .flatten()
        .cloned()
        .collect();
    if !roles.is_empty() {
        statements.push(
            Statement::allow("HandRolesToTasks", &["iam:PassRole"], roles.into_iter().collect())
                .when(Condition::one("StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com")),
        );
    }
    statements
}

/// Sees whether an image is there, and which revisions of a service are.
pub(super) fn look(project: &Project, identity: &Identity) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !identity.work.looks_up.is_empty() {
        let repositories = repositories(identity, &identity.work.looks_up);
        statements.push(Statement::allow("SeeImages", &["ecr:DescribeImages"], repositories));
    }
    statements.extend(reach(project, identity, &identity.work.lists));
    statements.extend(see(&targets(project, identity, &identity.work.lists)));
    statements
}

/// Finds the clusters of services on EKS: what a role may do on one, the cluster says itself, by an access entry
/// ([Amazon EKS](https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html)).
fn reach(project: &Project, identity: &Identity, names: &BTreeSet<Slug>) -> Option<Statement> {
    let clusters: BTreeSet<String> = in_environment(project, identity, names)
        .filter_map(|target| match target {
            Target::Eks(target) => Some(target.cluster_arn()),
            Target::Ecs(_) => None,
        })
        .collect();
    let clusters: Vec<String> = clusters.into_iter().collect();
    (!clusters.is_empty()).then(|| Statement::allow("ReachClusters", &["eks:DescribeCluster"], clusters))
}

/// The clusters that the role's jobs work on, each with one of AWS's access policies for their namespaces
/// ([Amazon EKS: access policies](https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html)).
pub(super) fn clusters(project: &Project, identity: &Identity, policy: &str) -> Vec<ClusterAccess> {
    let work = &identity.work;
    let names: BTreeSet<Slug> =
        work.deploys.iter().chain(&work.rolls_back).chain(&work.lists).cloned().collect();
    let mut namespaces: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    for target in in_environment(project, identity, &names) {
        if let Target::Eks(target) = target {
            let cluster = namespaces.entry((&target.cluster, &target.region)).or_default();
            cluster.insert(target.namespace.clone());
        }
    }
    namespaces
        .into_iter()
        .map(|((cluster, region), namespaces)| ClusterAccess {
            cluster: cluster.to_owned(),
            region: region.to_owned(),
            policy: format!("arn:{}:eks::aws:cluster-access-policy/{policy}", identity.partition),
            namespaces: namespaces.into_iter().collect(),
        })
        .collect()
}

/// Sees services, their deployments, and every task definition: for these AWS knows no resource.
fn see(targets: &[&EcsTarget]) -> Vec<Statement> {
    if targets.is_empty() {
        return Vec::new();
    }
    vec![
        Statement::allow(
            "SeeServices",
            &["ecs:DescribeServices", "ecs:ListServiceDeployments"],
            services(targets),
        ),
        Statement::allow(
            "SeeRevisions",
            &["ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"],
            everything(),
        ),
    ]
}

/// What services of the manifest run on, in the role's environment.
fn in_environment<'a>(
    project: &'a Project,
    identity: &Identity,
    names: &BTreeSet<Slug>,
) -> impl Iterator<Item = &'a Target> {
    let services = project.services.iter().filter(|(name, _)| names.contains(*name));
    services
        .flat_map(|(_, service)| &service.targets)
        .filter(|target| *target.environment() == identity.environment)
}

/// Those on ECS.
fn targets<'a>(project: &'a Project, identity: &Identity, names: &BTreeSet<Slug>) -> Vec<&'a EcsTarget> {
    in_environment(project, identity, names)
        .filter_map(|target| match target {
            Target::Ecs(target) => Some(target),
            Target::Eks(_) => None,
        })
        .collect()
}

fn services(targets: &[&EcsTarget]) -> Vec<String> {
    let arn =
        |target: &&EcsTarget| target.arn("ecs", &format!("service/{}/{}", target.cluster, target.service));
    targets.iter().map(arn).collect()
}

fn repositories(identity: &Identity, names: &BTreeSet<String>) -> Vec<String> {
    names.iter().map(|name| in_account(identity, "ecr", &format!("repository/{name}"))).collect()
}

fn in_account(identity: &Identity, service: &str, resource: &str) -> String {
    format!("arn:{}:{service}:{}:{}:{resource}", identity.partition, identity.region, identity.account_id)
}
