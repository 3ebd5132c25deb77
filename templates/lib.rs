//! All generated text, as data: templates and scripts by name.
//!
//! Templates use `{% %}` for blocks, `{= =}` for values and `{! !}` for comments: none of them occurs in real
//! workflows. Scripts are plain bash, without any template syntax: what shellcheck and the tests read is the
//! very text that ships.

/// Declares the files of this crate by the name that they are asked for with.
macro_rules! files {
    ($($(#[$documentation:meta])* $function:ident in $directory:literal { $($name:literal),* $(,)? })*) => {
        $(
            $(#[$documentation])*
            #[must_use]
            pub fn $function(name: &str) -> Option<&'static str> {
                match name {
                    $($name => Some(include_str!(concat!($directory, $name))),)*
                    _ => None,
                }
            }
        )*

        #[cfg(test)]
        const FILES: &[(&str, &[&str])] = &[$(($directory, &[$($name),*])),*];
    };
}

files! {
    /// A template by its path below this crate: `workflows/test.yml.j2`.
    template in "./" {
        "docs/chart.css",
        "docs/chart.html.j2",
        "docs/cicd-readme.md.j2",
        "docs/oidc-roles.tf.j2",
        "docs/oidc-roles.txt.j2",
        "docs/oidc-setup.md.j2",
        "docs/pyfleet.yml.j2",
        "jobs/ansible-check.yml.j2",
        "jobs/applied-history.yml.j2",
        "jobs/approval.yml.j2",
        "jobs/build-archive.yml.j2",
        "jobs/build-image.yml.j2",
        "jobs/cdktf-synth.yml.j2",
        "jobs/changes.yml.j2",
        "jobs/check-state.yml.j2",
        "jobs/code-scanning.yml.j2",
        "jobs/codecov.yml.j2",
        "jobs/configure.yml.j2",
        "jobs/coverage.yml.j2",
        "jobs/create-backend.yml.j2",
        "jobs/decide.yml.j2",
        "jobs/deploy-approval.yml.j2",
        "jobs/deploy-guard.yml.j2",
        "jobs/deploy-summary.yml.j2",
        "jobs/destroy-backend.yml.j2",
        "jobs/detect-drift.yml.j2",
        "jobs/drift-report.yml.j2",
        "jobs/ecs-await.yml.j2",
        "jobs/ecs-deploy.yml.j2",
        "jobs/ecs-list.yml.j2",
        "jobs/ecs-resolve.yml.j2",
        "jobs/ecs-rollback.yml.j2",
        "jobs/eks-deploy.yml.j2",
        "jobs/eks-list.yml.j2",
        "jobs/eks-resolve.yml.j2",
        "jobs/eks-rollback.yml.j2",
        "jobs/force-unlock.yml.j2",
        "jobs/gate.yml.j2",
        "jobs/golden-image.yml.j2",
        "jobs/head.yml.j2",
        "jobs/image-lookup.yml.j2",
        "jobs/image-push.yml.j2",
        "jobs/metrics.yml.j2",
        "jobs/newest-commit.yml.j2",
        "jobs/node-security.yml.j2",
        "jobs/notify.yml.j2",
        "jobs/oidc-probe.yml.j2",
        "jobs/packer-build.yml.j2",
        "jobs/packer-validate.yml.j2",
        "jobs/record-image.yml.j2",
        "jobs/pipeline-guard.yml.j2",
        "jobs/pipeline-summary.yml.j2",
        "jobs/rollback-guard.yml.j2",
        "jobs/scan-image.yml.j2",
        "jobs/security.yml.j2",
        "jobs/smoke-command.yml.j2",
        "jobs/smoke.yml.j2",
        "jobs/terraform-comment.yml.j2",
        "jobs/terraform-cost.yml.j2",
        "jobs/terraform-plan.yml.j2",
        "jobs/terraform-scan.yml.j2",
        "jobs/terraform-static.yml.j2",
        "jobs/test-comment.yml.j2",
        "jobs/test-suite.yml.j2",
        "jobs/tf-apply.yml.j2",
        "jobs/tf-auto-guard.yml.j2",
        "jobs/tf-guard.yml.j2",
        "jobs/tf-plan.yml.j2",
        "steps/accepted.yml.j2",
        "steps/active-color.yml.j2",
        "steps/aftermath.yml.j2",
        "steps/apply.yml.j2",
        "steps/assume-role.yml.j2",
        "steps/checkout-earlier.yml.j2",
        "steps/checkout.yml.j2",
        "steps/code-check.yml.j2",
        "steps/download-results.yml.j2",
        "steps/eks-connect.yml.j2",
        "steps/fetch-synthesised.yml.j2",
        "steps/health-check.yml.j2",
        "steps/image-repository.yml.j2",
        "steps/initialise.yml.j2",
        "steps/maintenance-window.yml.j2",
        "steps/plan-inputs.yml.j2",
        "steps/post-comments.yml.j2",
        "steps/scan-configuration.yml.j2",
        "steps/scan.yml.j2",
        "steps/set-up-ansible.yml.j2",
        "steps/set-up-packer.yml.j2",
        "steps/set-up-terraform.yml.j2",
        "steps/still-newest.yml.j2",
        "steps/this-attempt.yml.j2",
        "steps/wait-for-lock.yml.j2",
        "workflows/base.yml.j2",
        "workflows/build.yml.j2",
        "workflows/check-state.yml.j2",
        "workflows/deploy.yml.j2",
        "workflows/metrics.yml.j2",
        "workflows/pipeline.yml.j2",
        "workflows/rollback.yml.j2",
        "workflows/terraform.yml.j2",
        "workflows/test-oidc.yml.j2",
        "workflows/test.yml.j2",
        "workflows/tf-auto.yml.j2",
        "workflows/tf-drift.yml.j2",
        "workflows/tf.yml.j2",
    }
    /// A script by its name: `gate.sh`.
    script in "./scripts/" {
        "active-color.sh",
        "ansible-check.sh",
        "ansible-install.sh",
        "ansible-inventory.sh",
        "ansible-run.sh",
        "applied-history.sh",
        "cdktf-synth.sh",
        "changed-paths.sh",
        "check-state.sh",
        "cost-comment.sh",
        "cost-report.sh",
        "coverage-check.sh",
        "create-backend.sh",
        "decide-apply.sh",
        "dependency-audit.sh",
        "deploy-guard.sh",
        "deploy-summary.sh",
        "destroy-backend.sh",
        "detect-drift.sh",
        "drift-report.sh",
        "ecs-await.sh",
        "ecs-deploy.sh",
        "ecs-rollback.sh",
        "ecs-wait.sh",
        "eks-connect.sh",
        "eks-deploy.sh",
        "eks-diagnose.sh",
        "eks-rollback.sh",
        "eslint.sh",
        "fetch-baseline.sh",
        "force-unlock.sh",
        "gate.sh",
        "golden-image.sh",
        "handoff-get.sh",
        "handoff-put.sh",
        "health-check.sh",
        "image-check.sh",
        "image-layout.sh",
        "image-lookup.sh",
        "image-push.sh",
        "maintenance-window.sh",
        "mask-secrets.sh",
        "metrics.sh",
        "newest-commit.sh",
        "notify.sh",
        "oidc-probe.sh",
        "packer-build.sh",
        "packer-install.sh",
        "packer-validate.sh",
        "pipeline-guard.sh",
        "pipeline-summary.sh",
        "plan-comment.sh",
        "plan-digests.sh",
        "plan-image.sh",
        "plan-policy.sh",
        "plan-summary.jq",
        "post-comments.sh",
        "pull-request-plans.sh",
        "record-apply.sh",
        "record-image.sh",
        "recover-state.sh",
        "rollback-guard.sh",
        "scan-report.sh",
        "smoke-command.sh",
        "smoke.sh",
        "terraform-init.sh",
        "terraform-plan.sh",
        "test-comment.sh",
        "test-summary.sh",
        "tf-auto-guard.sh",
        "tf-guard.sh",
        "tfsec-install.sh",
        "wait-for-lock.sh",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    /// Every file that lies here is declared, and every one that is declared lies here (the compiler sees to that).
    #[test]
    fn every_file_is_declared() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (directory, folders) in
            [("./", &["docs/", "jobs/", "steps/", "workflows/"][..]), ("./scripts/", &[""][..])]
        {
            let declared: BTreeSet<String> = super::FILES
                .iter()
                .filter(|(own, _)| *own == directory)
                .flat_map(|(_, names)| names.iter().map(ToString::to_string))
                .collect();
            let mut present = BTreeSet::new();
            for folder in folders {
                for entry in std::fs::read_dir(root.join(directory).join(folder)).unwrap() {
                    present.insert(format!("{folder}{}", entry.unwrap().file_name().to_str().unwrap()));
                }
            }
            assert_eq!(declared, present);
        }
    }
}
