//! The jobs of the stages `golden-image` and `configure`, as a pipeline renders them.

use std::fs;

use pyfleet_core::source::Source;
use pyfleet_gen::{project_file, render};

use crate::tool;

/// The text of one job of the pipeline.
fn job(id: &str) -> String {
    job_of(&manifest(), id)
}

fn manifest() -> String {
    fs::read_to_string(tool::repository().join("tests/manifests/golden-image.yml")).unwrap()
}

fn job_of(manifest: &str, id: &str) -> String {
    let loaded = project_file::load(Source::new("pyfleet.yml", manifest));
    let (project, plan) = loaded.planned.unwrap_or_else(|| panic!("{:?}", loaded.findings));
    let mut files = render::render(&project, &plan, "pyfleet.yml").unwrap();
    let text = files.remove(".github/workflows/main.yml").unwrap();
    let (_, from) = text.split_once(&format!("\n  {id}:\n")).unwrap_or_else(|| panic!("no job {id}"));
    let is_next = |line: &str| line.starts_with("  ") && !line.starts_with("   ");
    from.lines().take_while(|line| !is_next(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_build_holds_secrets_on_one_step() {
    let text = job("packer-build");
    assert_eq!(text.matches("secrets.PROXMOX_TOKEN").count(), 1, "{text}");
    let build = text.split("- name: Build the image").nth(1).unwrap();
    assert!(build.contains("PKR_VAR_proxmox_token: ${{ secrets.PROXMOX_TOKEN }}"), "{text}");
    assert!(build.contains("PKR_VAR_disk_size: \"32\""), "{text}");
    assert!(!text.contains("id-token"), "{text}");
    assert!(text.contains("- proxmox") && text.contains("environment: staging"), "{text}");
}

#[test]
fn machines_are_configured_with_a_key_that_is_on_no_disk() {
    for environment in ["staging", "production"] {
        let text = job(&format!("configure-{environment}"));
        assert_eq!(text.matches("SSH_KEY: ${{ secrets.ANSIBLE_SSH_KEY }}").count(), 3, "{text}");
        for mode in ["preview", "run", "verify"] {
            assert!(text.contains(&format!("MODE: {mode}\n")), "{text}");
        }
        // The inventory is in no artifact.
        let kept = text.split("uses: actions/upload-artifact").nth(1).unwrap();
        assert!(kept.contains("path: ${{ runner.temp }}/configure\n"), "{text}");
        assert!(!kept.contains("inventory"), "{text}");
    }
}

#[test]
fn a_pull_request_reaches_no_machine_of_ones_own() {
    for id in ["guard", "changes", "packer-validate", "ansible-check", "static", "scan", "gate", "summary"] {
        let text = job(id);
        assert!(text.contains("runs-on: ubuntu-24.04") && !text.contains("secrets."), "{id}: {text}");
    }
    for id in
        ["packer-build", "image-staging", "plan-staging-1", "apply-production-1", "configure-production"]
    {
        assert!(job(id).contains("github.event_name != 'pull_request' &&"), "{id}");
    }
}

#[test]
fn plans_and_applies_know_the_image_that_was_chosen() {
    for environment in ["staging", "production"] {
        let source = format!("needs.image-{environment}.outputs");
        let plan = job(&format!("plan-{environment}-1"));
        assert!(plan.contains(&format!("TF_VAR_template_id: ${{{{ {source}.image_id }}}}")), "{plan}");
        assert!(plan.contains("run: bash .github/scripts/plan-image.sh"), "{plan}");
        let apply = job(&format!("apply-{environment}-1"));
        assert!(apply.contains(&format!("{source}.image ||")), "{apply}");
        let works = job(&format!("image-works-{environment}"));
        assert!(works.contains(&format!("needs.configure-{environment}.result == 'success'")), "{works}");
    }
    let chosen = job("image-staging");
    assert!(
        chosen.contains("${{ needs.packer-build.outputs.image }}")
            && chosen.contains("${{ inputs.template_id }}"),
        "{chosen}"
    );
}

/// A run that a limit leaves out chooses no image, and none is written down as one that works.
#[test]
fn a_limit_holds_for_everything_about_the_image() {
    let manifest = manifest().replace(
        "{ golden-image: {} }, terraform",
        "{ golden-image: { only: push } }, { terraform: { only: push } }",
    );
    for id in ["packer-validate", "packer-build", "image-staging", "plan-staging-1", "image-works-staging"] {
        assert!(
            job_of(&manifest, id).contains("github.event_name == 'push' &&")
                || job_of(&manifest, id).contains("&& github.event_name == 'push' }}"),
            "{id}"
        );
    }
}
