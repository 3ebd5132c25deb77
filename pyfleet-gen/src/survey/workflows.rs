//! Existing workflows: what they do, what is wrong with them, which roles they assume.

use std::collections::BTreeMap;

use pyfleet_core::check::rules::RULES;
use pyfleet_core::check::{self, Repository, Subject};
use pyfleet_core::source::Source;
use pyfleet_core::workflow::{self, Workflow};

use super::Notes;
use super::tree::Tree;

/// One workflow file.
pub(crate) struct Existing {
    /// Its path.
    pub(crate) path: String,
    /// The kinds of pyfleet's that do what it does.
    pub(crate) does: Vec<&'static str>,
    /// Rules that object, by code, and how often.
    pub(crate) findings: BTreeMap<&'static str, usize>,
    /// Roles on AWS that its jobs assume.
    pub(crate) roles: Vec<String>,
}

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Existing> {
    let is_workflow = |path: &&str| {
        path.strip_prefix(".github/workflows/").is_some_and(|name| !name.contains('/'))
            && (path.ends_with(".yml") || path.ends_with(".yaml"))
    };
    let is_action = |path: &str| path.ends_with("/action.yml") || path.ends_with("/action.yaml");
    let files: Vec<_> = tree.files().filter(is_workflow).map(|path| (path, tree.read(path, notes))).collect();
    let mut repository = Repository::default();
    for (path, text) in &files {
        repository.add(path, text.as_deref().unwrap_or_default());
    }
    for path in tree.files().filter(|path| path.starts_with(".github/") && is_action(path)) {
        repository.add(path, &tree.read(path, notes).unwrap_or_default());
    }
    let mut found = Vec::new();
    for (path, text) in files {
        let mut existing = Existing {
            path: path.to_owned(),
            does: Vec::new(),
            findings: BTreeMap::new(),
            roles: Vec::new(),
        };
        if let Some(text) = text {
            let (parsed, mistakes) = workflow::parse(Source::new(path, text));
            let mut findings = mistakes;
            if let Some((workflow, document)) = parsed {
                let subject = Subject::workflow(&workflow, &document).among(&repository);
                findings.extend(check::run(&subject, RULES));
                existing.does = kinds(&workflow);
                existing.roles = roles(&workflow);
            }
            for finding in &findings {
                *existing.findings.entry(finding.code).or_default() += 1;
            }
        }
        found.push(existing);
    }
    found
}

/// What pyfleet's own kinds do, and the words that give a step away which does the same.
const SIGNS: &[(&str, &[&str])] = &[
    ("test", &["pytest", "npm test", "npm run test", "tox"]),
    ("build", &["docker build", "docker buildx", "docker/build-push-action"]),
    ("terraform", &["terraform validate", "terraform fmt", "terraform plan", "tofu plan", "tflint", "tfsec"]),
    ("tf", &["terraform apply", "terraform destroy", "tofu apply", "tofu destroy", "terraform-apply"]),
    (
        "deploy",
        &[
            "aws ecs update-service",
            "aws ecs deploy",
            "amazon-ecs-deploy-task-definition",
            "kubectl apply",
            "kubectl set image",
            "kubectl rollout restart",
        ],
    ),
    ("pipeline", &["packer build", "ansible-playbook", "cdktf deploy", "cdktf synth"]),
];

/// What changes something: a workflow that does two of these is a sequence.
const CHANGES: &[&str] = &["build", "tf", "deploy"];

fn kinds(workflow: &Workflow) -> Vec<&'static str> {
    let texts: Vec<&str> = workflow
        .steps_at()
        .flat_map(|(_, step)| {
            let uses = step.uses.as_ref().and_then(workflow::Uses::slug);
            step.run.as_deref().into_iter().chain(uses)
        })
        .collect();
    let does = |words: &[&str]| words.iter().any(|word| texts.iter().any(|text| has_word(text, word)));
    let mut kinds: Vec<&str> = SIGNS.iter().filter(|(_, words)| does(words)).map(|(kind, _)| *kind).collect();
    if !kinds.contains(&"pipeline") && kinds.iter().filter(|kind| CHANGES.contains(kind)).count() > 1 {
        kinds.push("pipeline");
    }
    kinds
}

/// Whether a word stands in a text by itself: `tox` is not in `detox`, nor `pytest` in `pytest-cov`.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_');
    text.match_indices(word).any(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let after = rest.strip_prefix(word).unwrap_or_default();
        !before.ends_with(is_part) && !after.starts_with(is_part)
    })
}

fn roles(workflow: &Workflow) -> Vec<String> {
    let mut roles: Vec<String> = workflow
        .steps_at()
        .filter(|(_, step)| step.is_action("aws-actions/configure-aws-credentials"))
        .filter_map(|(_, step)| step.input("role-to-assume").map(str::to_owned))
        .collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn words_stand_by_themselves() {
        for (text, word, is_in) in [
            ("tox -e py", "tox", true),
            ("set -e\npytest tests", "pytest", true),
            ("npm run test:unit", "npm run test", true),
            ("dflook/terraform-apply", "terraform-apply", true),
            ("npx detox test", "tox", false),
            ("pip install pytest-cov", "pytest", false),
        ] {
            assert_eq!(has_word(text, word), is_in, "{text}");
        }
    }
}
