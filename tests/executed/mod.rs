//! The contracts of `templates/scripts`, one file per script: every exit code, every output, and
//! what hostile data may not do. Each test runs the real script with real bash, jq, git,
//! Terraform and skopeo; only `gh` is a stand-in, and `docker` where a test wants answers that it gives by chance only.
//!
//! `Script` checks on its own, after every run, that no working file is left behind, that no
//! injected command ran, that the log holds no workflow command but the script's own, and that
//! what was written to `GITHUB_OUTPUT` is well-formed.

mod backend; // buckets and tables, for the scripts that make, check and remove them
mod ecr_repository; // a repository of images on the emulated ECR
pub(crate) mod ecs_service; // a service on the emulated ECS
pub(crate) mod kubernetes; // a service on a Kubernetes cluster
mod http_server; // an address that answers as a test wants
pub(crate) mod script;
mod stack_on_aws; // a stack whose state lies on the emulated AWS

mod active_color;
mod ansible_check;
mod ansible_install;
mod ansible_inventory;
mod ansible_run;
mod applied_history;
mod cdktf_synth;
mod changed_paths;
mod check_state;
mod cost_comment;
mod cost_report;
mod coverage_check;
mod create_backend;
mod dependency_audit;
mod deploy_guard;
mod deploy_summary;
mod destroy_backend;
mod ecs_await;
mod ecs_deploy;
mod ecs_rollback;
mod ecs_wait;
mod eks_connect;
mod eks_deploy;
mod eks_rollback;
mod decide_apply;
mod detect_drift;
pub(crate) mod drift_report;
mod eslint;
mod fetch_baseline;
mod force_unlock;
mod gate;
mod golden_image;
mod handoff_get;
mod handoff_put;
mod health_check;
mod image_check;
pub(crate) mod image_layout;
mod image_lookup;
mod image_push;
mod maintenance_window;
mod mask_secrets;
mod metrics;
mod newest_commit;
mod notify;
mod oidc_probe;
mod packer_build;
mod packer_install;
mod packer_validate;
mod pipeline_guard;
mod pipeline_summary;
mod plan_comment;
mod plan_digests;
mod plan_image;
mod plan_policy;
mod plan_summary;
mod post_comments;
mod pull_request_plans;
mod record_apply;
mod record_image;
mod recorded_images;
mod recover_state;
mod rollback_guard;
mod scan_report;
mod smoke;
mod smoke_command;
mod terraform_init;
mod terraform_plan;
mod test_comment;
mod test_summary;
mod tf_auto_guard;
mod tf_guard;
mod tfsec_install;
mod wait_for_lock;

/// What every script has in common.
mod every_script {
    use std::os::unix::fs::PermissionsExt;

    use super::script::{Script, path_of, scripts};

    #[test]
    fn is_plain_bash_with_a_contract() {
        for (name, text) in scripts() {
            if name.ends_with(".sh") {
                assert!(text.starts_with("#!/usr/bin/env bash\n# "), "{name}: header");
                assert!(text.contains("\n# Environment\n"), "{name}: environment");
                assert!(text.contains("\n# Exit codes\n"), "{name}: exit codes");
                assert!(text.contains("\nset -uo pipefail\n"), "{name}: strictness");
                let mode = path_of(&name).metadata().unwrap().permissions().mode();
                assert_eq!(mode & 0o111, 0o111, "{name}: executable");
            }
            for syntax in ["{{", "{%", "\r", "\t"] {
                assert!(!text.contains(syntax), "{name} contains {syntax:?}");
            }
            assert!(text.is_ascii() || !text.contains('\u{feff}'), "{name}: byte order mark");
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}: one line end at the end");
        }
    }

    #[test]
    fn refuses_an_empty_environment_as_a_usage_error() {
        for (name, _) in scripts().into_iter().filter(|(name, _)| name.ends_with(".sh")) {
            Script::new(&name).run().exits(2).says("::error::");
            Script::new(&name).checked_out().run().exits(2).says("::error::");
        }
    }
}
