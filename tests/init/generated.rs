//! Trees that nobody would make: whatever is in them, `init` ends, and what it writes is valid.

use std::fs;

use proptest::prelude::*;
use pyfleet_core::source::Source;
use pyfleet_gen::{Exit, Streams, project_file, run};

/// Parts of paths: of every technology, and of nobody's.
const PARTS: &[&str] = &[
    "a",
    "A",
    "b-c",
    "a-b",
    "c",
    "dev",
    "prod",
    "envs",
    "env",
    "modules",
    "tests",
    "test",
    "unit",
    "integration",
    "e2e",
    "api",
    "null",
    "on",
    "true",
    "123",
    "prod-plan",
    "x y",
    "-rf",
    "${{x}}",
    "🦀",
    "con",
    "docker",
    "infra",
    "k8s",
    "ansible",
    "roles",
    "tasks",
    "locks",
    "packer",
    ".github",
    "workflows",
];

const NAMES: &[&str] = &[
    "main.tf",
    "x.tofu",
    "dev.tfvars",
    "null.tfvars",
    "prod.tfvars",
    "terraform.tfvars",
    ".terraform.lock.hcl",
    ".gitignore",
    "Dockerfile",
    "Dockerfile.on",
    "x.Dockerfile",
    "pyproject.toml",
    "setup.cfg",
    "requirements.txt",
    "test_a.py",
    "b_test.py",
    "tox.ini",
    "package.json",
    "package-lock.json",
    "yarn.lock",
    "cdktf.json",
    "task-definition.json",
    "site.yml",
    "test.yml",
    "terraform.yml",
    "build.yml",
    "x.pkr.hcl",
    "y.pkr.hcl",
    "web.yml",
    "db.yaml",
    "main.yml",
    "Chart.yaml",
    "kustomization.yaml",
    "ansible.cfg",
    "known_hosts",
    "main.ts",
    ".python-version",
    ".nvmrc",
    ".terraform-version",
    "uv.lock",
    ".flake8",
    "scan-report.sh",
];

const TEXTS: &[&str] = &[
    "",
    "\0",
    "${{ x }}",
    "{",
    "[",
    "\u{202e}",
    "3.12",
    "22",
    "latest",
    "*",
    "!*",
    "**/**/x",
    "terraform {\n  required_version = \">= 1.5, < 1.8\"\n  backend \"s3\" {\n    bucket = \"a-bucket\"\n    key = \"dev/a.tfstate\"\n    dynamodb_table = \"t-t\"\n  }\n}\n",
    "terraform {\n  backend \"s3\" {\n    bucket = \"{x}\"\n    key = \"_plans/x\"\n    use_lockfile = true\n  }\n}\nresource \"aws_instance\" \"x\" {}\n",
    "module \"m\" { source = \"../modules\" }\nmodule \"n\" { source = \"./\" }\nvariable \"environment\" {}\n",
    "provider \"aws\" { region = \"eu-central-1\" }\nvariable \"x\" {}\nvariable \"env\" {}\n",
    "FROM python:3.11 AS a\nCOPY a b\nUSER 1\n",
    "FROM node:20\nFROM --platform=linux/arm64 x\nCOPY api/main.tf .\n",
    "{\"scripts\": {\"test\": \"jest\"}, \"engines\": {\"node\": \"^18\"}}",
    "{\"containerDefinitions\": [], \"family\": 1}",
    "[]",
    "null",
    "[project]\nrequires-python = \">=3.99\"\n[project.optional-dependencies]\ndev = []\n[tool.coverage.report]\nfail_under = 1000\n",
    "[tool.coverage.report]\nfail_under = 80.5\n[tool.poetry.dependencies]\npython = \"^3.8\"\n",
    "pytest-cov\n",
    "[flake8]\nenvlist = py39, py312\n",
    "[metadata]\npython_requires = >=3.6\n    Programming Language :: Python :: 3.12\n",
    "- hosts: all\n",
    "apiVersion: v1\nkind: Pod\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a, namespace: b }\nspec:\n  template:\n    metadata: { labels: { x: y } }\n    spec:\n      containers:\n        - name: a\n          image: ghcr.io/x/api\n          env: [{ valueFrom: { secretKeyRef: { name: s, key: github_token } } }]\n          readinessProbe: { httpGet: { path: /a } }\n",
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: \"9-x\" }\nspec: { template: { spec: { containers: [{ name: X, image: \"${{x}}/docker:1\" }] } } }\n---\napiVersion: v1\nkind: Service\nmetadata: { name: 9-x }\nspec: { type: LoadBalancer, ports: [{ port: 99999 }] }\n",
    "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: db, namespace: b }\nspec: { template: { spec: { containers: [{ image: postgres }] } } }\n",
    "apiVersion: v1\nkind: Service\nmetadata: { name: l, namespace: b }\nspec: { type: LoadBalancer, selector: { x: y }, ports: [{ port: 8080 }] }\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { namespace: b }\nspec: { rules: [{ host: \"*.x\" }, { host: a.b, http: { paths: [{ backend: { service: { name: l } } }] } }] }\n",
    "source \"proxmox-iso\" \"x\" {}\nvariable \"github_x\" {}\nvariable \"on\" {}\nvariable \"a-b\" {}\nbuild {\n  provisioner \"ansible\" { playbook_file = \"ansible/site.yml\" }\n}\n",
    "packer { required_version = \"~> 1.0\" }\nsource \"amazon-ebs\" \"x\" {}\nbuild {}\n",
    "variable \"template_id\" {}\noutput \"inventory\" { value = 1 }\noutput \"known_hosts\" { value = 1 }\nterraform {\n  backend \"s3\" {}\n}\n",
    "{\"language\": \"typescript\"}",
    "{\"language\": \"python\"}",
    "{\"devDependencies\": {\"cdktf-cli\": \"0.21.0\"}}",
    "new X(app, \"a\"); new Y(app, \"${{x}}\"); new Z(app, 'on'); EcsService",
    "- hosts: all\n  roles: [x]\n",
    "on: push\njobs:\n  a:\n    runs-on: x\n    steps: [{run: pytest, uses: a/b@c}]\n",
];

fn tree() -> impl Strategy<Value = Vec<(String, String)>> {
    let path = (prop::collection::vec(prop::sample::select(PARTS), 0..4), prop::sample::select(NAMES))
        .prop_map(|(parts, name)| parts.into_iter().chain([name]).collect::<Vec<_>>().join("/"));
    let text = prop_oneof![8 => prop::sample::select(TEXTS).prop_map(str::to_owned), 1 => "\\PC{0,80}"];
    prop::collection::vec((path, text), 0..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn init_never_fails_and_what_it_writes_is_valid(files in tree()) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().to_str().unwrap();
        for (path, text) in &files {
            let path = directory.path().join(path);
            // A file may be where another wants a directory.
            if fs::create_dir_all(path.parent().unwrap()).is_ok() {
                let _ = fs::write(path, text);
            }
        }
        let execute = |command: &str| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
            let exit = run(["pyfleet-gen", "-C", root, command], &mut streams);
            (exit, String::from_utf8(out).unwrap() + &String::from_utf8(err).unwrap())
        };
        let (exit, said) = execute("init");
        prop_assert!(exit != Exit::CouldNotRun, "{said}");
        prop_assert!(!said.contains(super::RIGHT_TO_LEFT), "{said}");
        let manifest = fs::read_to_string(directory.path().join("pyfleet.yml"));
        prop_assert_eq!(exit == Exit::Clean, manifest.is_ok(), "{}", said);
        if let Ok(manifest) = manifest {
            for level in (1..=5).filter(|level| *level == 1 || manifest.contains(&format!("## From level {level}"))) {
                let raised = super::raised(&manifest, level);
                let loaded = project_file::load(Source::new("pyfleet.yml", raised.clone()));
                prop_assert!(loaded.planned.is_some(), "level {level}: {:?}\n{raised}", loaded.findings);
            }
            if !said.contains("is there already: `pyfleet-gen render --adopt`") {
                let (exit, rendered) = execute("render");
                prop_assert!(exit == Exit::Clean, "{rendered}\n{manifest}");
                prop_assert!(execute("check").0 == Exit::Clean);
            }
        }
    }
}
