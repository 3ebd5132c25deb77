//! The repositories. Each is as small as it can be and still what it is.

use super::Case;

const S3: &str = "terraform {\n  required_version = \">= 1.5\"\n  backend \"s3\" {\n    bucket = \"shop-tf\"\n    key    = \"shop.tfstate\"\n    region = \"eu-west-1\"\n    dynamodb_table = \"shop-locks\"\n  }\n}\nprovider \"aws\" {\n  region = var.region\n}\nresource \"aws_instance\" \"web\" {}\nresource \"aws_lb\" \"web\" {}\nresource \"aws_moon\" \"base\" {}\n";
const DOCKERFILE: &str = "FROM python:3.12-slim AS build\nRUN pip wheel .\nFROM python:3.12-slim\nCOPY --from=build /x /x\nUSER 10001\nHEALTHCHECK CMD true\n";
const TEST: &str = "def test_it():\n    assert True\n";

/// A Deployment of an image that is called as the repository is.
pub(super) const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    metadata:\n      labels: { app: web }\n    spec:\n      containers:\n        - name: main\n          image: ghcr.io/acme/shop:1.0\n          readinessProbe:\n            httpGet: { path: /ready, port: 8080 }\n";

pub(super) const CASES: &[Case] = &[
    Case {
        name: "one-directory",
        files: &[("infra/main.tf", S3), (".gitignore", "*.log\n.terraform*\n")],
        says: &[
            "Terraform   infra: version >= 1.5, state in s3, lock file ignored by .gitignore:2: .terraform*",
            "terraform.version: 1.11.4 (`required_version` is `>= 1.5`)",
            "aws.region: eu-west-1 (the backend's)",
            "which service these resources belong to is not known, so add it to `aws.services`: aws_moon",
            "`terraform -chdir=infra providers lock -platform=linux_amd64",
            "level 4 adds tf.yml",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "stacks-and-modules",
        files: &[
            (
                "infra/network/main.tf",
                "terraform {\n  required_version = \"~> 1.12.0\"\n  backend \"s3\" {\n    bucket = \"shop-tf\"\n    key = \"live/network.tfstate\"\n    use_lockfile = true\n  }\n}\nmodule \"vpc\" { source = \"../modules/vpc\" }\n",
            ),
            ("infra/network/.terraform.lock.hcl", "provider \"registry.terraform.io/hashicorp/aws\" {}\n"),
            (
                "infra/app/main.tf",
                "terraform {\n  backend \"s3\" {\n    bucket = \"shop-tf\"\n    key = \"live/app.tfstate\"\n    region = \"us-east-1\"\n  }\n}\nresource \"aws_ecs_service\" \"app\" {}\nmodule \"dns\" { source = \"terraform-aws-modules/route53/aws\" }\nvariable \"env\" {}\nvariable \"size\" { type = string }\nvariable \"tags\" { default = {} }\n",
            ),
            ("infra/modules/vpc/main.tf", "resource \"aws_vpc\" \"main\" {}\n"),
            ("infra/modules/unused/main.tf", "resource \"aws_sqs_queue\" \"q\" {}\n"),
            ("infra/modules/vpc/examples/small/main.tf", "module \"vpc\" { source = \"../..\" }\n"),
        ],
        says: &[
            "Terraform   infra/app: state in s3, lock file missing",
            "Terraform   infra/network: version ~> 1.12.0, state in s3, lock file here",
            "Terraform   infra/modules/vpc: a module",
            "Terraform   infra/modules/unused: a module",
            "`infra/modules/vpc/examples/small` is Terraform for examples or tests, and was left out",
            "the module `terraform-aws-modules/route53/aws` lies elsewhere",
            "terraform.version: 1.12.2",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "environments-by-file",
        files: &[
            ("terraform/main.tf", "terraform {\n  backend \"s3\" {}\n}\nprovider \"aws\" {}\n"),
            ("terraform/envs/prod.tfvars", "password = \"hunter2\"\n"),
            ("terraform/envs/dev.tfvars", ""),
            ("terraform/envs/qa.tfvars", ""),
            ("terraform/network.tfvars", ""),
        ],
        says: &[
            "environments: dev, qa, prod (variable files and directories are named so)",
            "variable files in `terraform` that name no environment were left out, such as `network.tfvars`",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "environments-by-directory",
        files: &[
            (
                "live/envs/dev/network/main.tf",
                "terraform {\n  backend \"s3\" {\n    bucket = \"acme-dev\"\n    key = \"dev/network/terraform.tfstate\"\n  }\n}\n",
            ),
            (
                "live/envs/prod/network/main.tf",
                "terraform {\n  backend \"s3\" {\n    bucket = \"acme-prod\"\n    key = \"prod/network/terraform.tfstate\"\n  }\n}\n",
            ),
        ],
        says: &["environments: dev, prod", "wrote pyfleet.yml"],
        levels: &[3, 4, 5],
    },
    Case {
        name: "other-cloud",
        files: &[
            (
                "main.tf",
                "terraform {\n  required_version = \"1.5.7\"\n  backend \"gcs\" {}\n}\nprovider \"google\" {}\n",
            ),
            (".terraform.lock.hcl", ""),
        ],
        says: &[
            "state is kept in `gcs`: pyfleet reads and writes state in S3 alone",
            "terraform.version: 1.5.7",
        ],
        levels: &[],
    },
    Case {
        name: "opentofu",
        files: &[
            (
                "main.tofu",
                "terraform {\n  required_version = \"~> 1.8\"\n  backend \"s3\" {}\n}\nprovider \"aws\" {}\n",
            ),
            (".opentofu-version", "1.8.2\n"),
        ],
        says: &[
            "OpenTofu    .",
            "terraform.version: 1.8.2 (.opentofu-version names it)",
            "`tofu -chdir=. providers lock -platform=linux_amd64",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "python-project",
        files: &[
            (
                "pyproject.toml",
                "[project]\nname = \"shop\"\nrequires-python = \">=3.10\"\nclassifiers = [\"Programming Language :: Python :: 3\", \"Programming Language :: Python :: 3.11\", \"Programming Language :: Python :: 3.12\"]\n[project.optional-dependencies]\ntest = [\"pytest\", \"pytest-cov\"]\n[tool.coverage.report]\nfail_under = 85\n[tool.bandit]\n",
            ),
            ("src/shop/__init__.py", ""),
            ("tests/unit/test_shop.py", TEST),
            ("tests/integration/test_shop.py", TEST),
            ("tests/e2e/test_page.py", TEST),
        ],
        says: &[
            "Python      .: tests in tests/integration, tests/unit",
            "tests.python.python: 3.11, 3.12 (the classifiers)",
            "tests.python.install: pip install -e '.[test]' (the package with its extra `test`)",
            "`tests/e2e` was left out: by its name it tests something that runs",
            "security: bandit (its settings are here)",
        ],
        levels: &[],
    },
    Case {
        name: "python-requirements",
        files: &[
            ("api/requirements.txt", "flask==3.0\n"),
            ("api/requirements-dev.txt", "pytest==9.2.0\n"),
            ("api/.python-version", "3.12.4\n"),
            ("api/test_app.py", TEST),
            ("worker/setup.cfg", "[metadata]\nname = worker\n[options]\npython_requires = >=3.8\n[flake8]\n"),
            ("worker/tests/test_worker.py", TEST),
            ("jobs/uv.lock", ""),
            ("jobs/pyproject.toml", "[project]\nname = \"jobs\"\n[dependency-groups]\ndev = [\"pytest\"]\n"),
            ("jobs/tests/test_jobs.py", TEST),
            ("old/Pipfile", "[packages]\n"),
            ("old/Pipfile.lock", "{}"),
            ("old/tests/test_old.py", TEST),
            ("tools/pyproject.toml", "[tool.poetry]\nname = \"tools\"\n"),
            ("tools/tests/test_tools.py", TEST),
            (
                "groups/pyproject.toml",
                "[project]\nname = \"groups\"\n[dependency-groups]\ndev = [\"pytest\"]\n",
            ),
            ("groups/tests/test_groups.py", TEST),
        ],
        says: &[
            "tests.api.install: pip install -r requirements.txt -r requirements-dev.txt",
            "tests.api.python: 3.12 (.python-version)",
            "tests.worker.python: 3.9 (the oldest that it says it runs on)",
            "pytest is named nowhere in `worker`",
            "tests.jobs.install: pip install uv && uv sync --locked",
            "tests.old.install: pip install pipenv",
            "tests.tools.install: pip install poetry",
            "tests.groups.install: pip install 'pip>=25.1' && pip install -e . --group dev",
            "security: flake8",
        ],
        levels: &[],
    },
    Case {
        name: "source-without-tests",
        files: &[
            ("pyproject.toml", "[project]\nname = \"shop\"\n"),
            ("src/shop/__init__.py", ""),
            ("Dockerfile", "FROM python:3.12\nUSER root\n"),
        ],
        says: &[
            "Python      .: no tests",
            "Python in `.` has no tests that pytest would find, and was left out",
            "at safety level 1: no workflow yet",
            "level 2 adds build.yml",
        ],
        levels: &[2],
    },
    Case {
        name: "node",
        files: &[
            (
                "package.json",
                "{\"engines\": {\"node\": \">=20.10\"}, \"scripts\": {\"test\": \"vitest run\"}}",
            ),
            ("package-lock.json", "{}"),
            (
                "page/package.json",
                "{\"scripts\": {\"test\": \"echo \\\"Error: no test specified\\\" && exit 1\"}}",
            ),
        ],
        says: &[
            "tests.node.node: 20 (the oldest that `engines` names)",
            "tests.node.install: npm ci",
            "Node in `page` was left out: its package.json has no test script",
        ],
        levels: &[],
    },
    Case {
        name: "node-without-lock",
        files: &[
            ("web/package.json", "{\"scripts\": {\"test\": \"jest\"}}"),
            ("web/.nvmrc", "v22.4.0\n"),
            ("api/package.json", "{\"scripts\": {\"test\": \"jest\"}}"),
            ("api/yarn.lock", ""),
            ("ui/package.json", "{\"scripts\": {\"test\": \"jest\"}}"),
            ("ui/pnpm-lock.yaml", ""),
        ],
        says: &[
            "tests.web.node: 22 (web/.nvmrc)",
            "tests.web.install: npm install (there is no lock file",
            "it is installed with Yarn",
            "it is installed with pnpm",
        ],
        levels: &[],
    },
    Case {
        name: "image",
        files: &[("Dockerfile", DOCKERFILE)],
        says: &[
            "Docker      Dockerfile: 2 stages, user 10001, health check",
            "images.shop.repository: acme/shop",
        ],
        levels: &[2],
    },
    Case {
        name: "images",
        files: &[
            ("services/api/Dockerfile", "FROM scratch\nCOPY main.py /\n"),
            ("services/api/main.py", ""),
            ("docker/Dockerfile.worker", "FROM --platform=linux/arm64 debian:12\nCOPY services/api /app\n"),
            ("docker/Dockerfile.worker.dockerignore", ""),
            (".devcontainer/Dockerfile", "FROM debian:12\n"),
        ],
        says: &[
            "images.api.repository: acme/shop/api",
            "images.worker.repository: acme/shop/worker",
            "is for linux/arm64",
            "`.devcontainer/Dockerfile` is a development container",
        ],
        levels: &[2],
    },
    Case {
        name: "kubernetes",
        files: &[
            ("Dockerfile", DOCKERFILE),
            ("k8s/web.yml", DEPLOYMENT),
            (
                "k8s/ingress.yaml",
                "# ours\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: { name: web }\nspec:\n  tls: [{ hosts: [shop.example.com] }]\n  rules:\n    - host: shop.example.com\n      http: { paths: [{ path: /, backend: { service: { name: web } } }] }\n",
            ),
            (
                "k8s/service.yml",
                "apiVersion: v1\nkind: Service\nmetadata: { name: web }\nspec: { selector: { app: web } }\n",
            ),
            ("k8s/namespace.yml", "apiVersion: v1\nkind: Namespace\nmetadata: { name: shop }\n"),
            (
                "k8s/secret.yml",
                "apiVersion: v1\nkind: Secret\nmetadata: { name: db }\nstringData: { password: hunter2 }\n",
            ),
            (
                "k8s/monitoring.yml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: m, namespace: other }\n",
            ),
            ("compose.yaml", "services:\n  web: { image: shop }\n"),
            ("skaffold.yaml", "apiVersion: skaffold/v4\nkind: Config\n"),
            ("k8s/broken.yml", "apiVersion: v1\nkind: Service\n- [\n"),
            ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\n"),
            ("charts/web/templates/a.yaml", "apiVersion: {{ .x }}\nkind: Y\n"),
            ("overlay/kustomization.yaml", "resources: [../k8s]\n"),
        ],
        says: &[
            "Kubernetes  charts/web: a Helm chart",
            "Kubernetes  k8s: 6 manifests",
            "Kubernetes  overlay: Kustomize",
            "`charts/web` is a Helm chart, which pyfleet does not run: `helm template charts/web` writes plain manifests",
            "`kubectl kustomize overlay` writes plain manifests",
            "1 file left out that would be Kubernetes manifests and are not YAML, such as `k8s/broken.yml`, which cannot be read",
            "`k8s/namespace.yml` was left out: what is in it belongs to the whole cluster",
            "`k8s/secret.yml` was left out: values of Secrets belong into secrets of GitHub",
            "`k8s/monitoring.yml` was left out: it lies in the namespace `other`",
            "images.shop.repository: acme/shop (k8s/web.yml names it)",
            "level 4 adds deploy.yml, rollback.yml, metrics.yml, pipeline.yml",
            "level 5 has a push start pipeline.yml",
        ],
        levels: &[2, 3, 4, 5],
    },
    Case {
        name: "kubernetes-of-several-images",
        files: &[
            ("api/Dockerfile", DOCKERFILE),
            ("page/Dockerfile", DOCKERFILE),
            (
                "deploy/api.yml",
                "apiVersion: v1\nkind: Service\nmetadata: { name: api, namespace: shop }\nspec:\n  type: LoadBalancer\n  selector: { app: api }\n  ports: [{ port: 8443 }]\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api, namespace: shop }\nspec:\n  template:\n    metadata: { labels: { app: api, tier: back } }\n    spec:\n      containers:\n        - { name: proxy, image: \"envoyproxy/envoy:v1\" }\n        - name: server\n          image: 123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/api:latest\n          env: [{ name: P, valueFrom: { secretKeyRef: { name: db, key: password } } }]\n          envFrom: [{ secretRef: { name: rest } }]\n",
            ),
            (
                "deploy/page.yml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: page, namespace: shop }\nspec:\n  template:\n    spec:\n      containers: [{ name: page, image: registry.example.com/shop/page }]\n",
            ),
            (
                "deploy/db.yml",
                "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: db, namespace: shop }\nspec:\n  template:\n    spec:\n      containers:\n        - name: db\n          image: postgres:17\n          env: [{ name: P, valueFrom: { secretKeyRef: { name: db, key: password } } }]\n",
            ),
            (
                "old/worker.yml",
                "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: { name: worker }\nspec:\n  template:\n    spec:\n      containers: [{ name: worker, image: acme/api }]\n",
            ),
        ],
        says: &[
            "`worker` in `old/worker.yml` is a StatefulSet",
            "the Secret `rest` of Kubernetes is read as a whole",
            "`deploy/page.yml` takes its image from registry.example.com, where pyfleet pushes nothing",
            "images.api.repository: shop/api (deploy/api.yml names it)",
            "images.page.repository: acme/shop/page (the repository's own name)",
        ],
        levels: &[2, 3, 4, 5],
    },
    Case {
        name: "kubernetes-of-several-directories",
        files: &[
            ("api/Dockerfile", DOCKERFILE),
            ("page/Dockerfile", DOCKERFILE),
            (
                "k8s/api/api.yml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: api }\nspec: { template: { spec: { containers: [{ name: api, image: api }] } } }\n",
            ),
            ("k8s/api/config.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: api }\n"),
            (
                "k8s/page/page.yml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: page }\nspec: { template: { spec: { containers: [{ name: page, image: page }] } } }\n",
            ),
            ("k8s/shared/config.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: all }\n"),
        ],
        says: &["level 4 adds deploy.yml, rollback.yml, metrics.yml, pipeline.yml"],
        levels: &[2, 3, 4, 5],
    },
    Case {
        name: "kubernetes-that-is-not-clear",
        files: &[
            ("Dockerfile", DOCKERFILE),
            ("dev/web.yml", DEPLOYMENT),
            ("prod/web.yml", DEPLOYMENT),
            (
                "both/a.yml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { template: { spec: { containers: [{ name: a, image: shop }] } } }\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: { name: b }\nspec: { template: { spec: { containers: [{ name: b, image: shop }] } } }\n",
            ),
        ],
        says: &[
            "the Deployment `web` stands in `dev/web.yml` and in `prod/web.yml`, and was left out",
            "`both/a.yml` holds several Deployments of this repository's images, and was left out",
        ],
        levels: &[2],
    },
    Case {
        name: "kubernetes-of-others",
        files: &[
            ("Dockerfile", DOCKERFILE),
            (
                "k8s/redis.yml",
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: redis }\nspec: { template: { spec: { containers: [{ name: redis, image: \"redis:7\" }] } } }\n",
            ),
        ],
        says: &["which workload of Kubernetes runs an image of this repository is not known"],
        levels: &[2],
    },
    Case {
        name: "golden-image",
        files: &[
            (
                "packer/ubuntu.pkr.hcl",
                "source \"proxmox-iso\" \"x\" {}\nvariable \"proxmox_token\" {}\nvariable \"node\" { default = \"pve\" }\nbuild {\n  sources = [\"source.proxmox-iso.x\"]\n}\n",
            ),
            ("packer/other.pkr.hcl", "source \"null\" \"x\" {}\nbuild {}\n"),
            ("packer/broken.pkr.hcl", "build {"),
            ("packer/old.pkr.json", "{}"),
            ("ansible/ansible.cfg", ""),
            ("ansible/site.yml", "- hosts: all\n"),
            ("ansible/requirements.txt", "ansible-core==2.17.7\n"),
            ("ansible/known_hosts", "host ssh-ed25519 AAAA\n"),
            ("infrastructure/main.tf", "provider \"proxmox\" {}\n"),
        ],
        says: &[
            "Packer      packer/other.pkr.hcl: null",
            "Ansible     ansible: 1 playbook",
            "1 file of Packer left out that are not HCL, such as `packer/broken.pkr.hcl`, which cannot be read from line 1 on",
            "`packer/old.pkr.json` is Packer in JSON, and was not read",
            "`packer/ubuntu.pkr.hcl` was left out: a manifest has one golden image, and it is that of `packer/other.pkr.hcl`",
            "`packer/other.pkr.hcl` does not write packer-manifest.json",
            "Packer is given `packer/other.pkr.hcl` alone",
            "packer.output-variable: template_id (no variable of `infrastructure` is named as one that takes an image: declare it there)",
            "ansible.inventory-output: ansible_inventory (`infrastructure` has no output of such a name: declare it there)",
            "ansible.version: 2.17.7 (ansible/requirements.txt)",
            "nothing says that this Terraform is for AWS: levels 3 and 4 are left out",
        ],
        levels: &[],
    },
    Case {
        name: "machines-without-an-image",
        files: &[
            ("net/main.tf", "terraform {\n  backend \"s3\" {}\n}\nresource \"terraform_data\" \"x\" {}\n"),
            (
                "vm/main.tf",
                "terraform {\n  backend \"s3\" {}\n}\noutput \"inventory\" { value = \"\" }\nresource \"terraform_data\" \"x\" {}\n",
            ),
            ("playbooks/site.yml", "---\n- name: All\n  hosts: all\n  tasks: []\n"),
            ("playbooks/other.yml", "- hosts: all\n"),
            ("playbooks/broken.yml", "- hosts: all\n  - [\n"),
            ("playbooks/vars.yml", "hosts: all\n"),
        ],
        says: &[
            "ansible.playbook: playbooks/site.yml (beside `playbooks/other.yml`)",
            "`playbooks/broken.yml` is not YAML, and was left out as a playbook",
            "ansible.inventory-output: inventory (an output of `vm` is named so)",
            "level 4 adds tf.yml, rollback.yml, metrics.yml, pipeline.yml",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "image-of-several-stacks",
        files: &[
            (
                "web.pkr.hcl",
                "packer {\n  required_version = \"~> 1.9.0\"\n}\nsource \"amazon-ebs\" \"x\" {}\nvariable \"secret_key\" {}\nbuild {\n  post-processors {\n    post-processor \"manifest\" {}\n  }\n  provisioner \"shell\" {\n    scripts = [\"setup/a.sh\", \"missing.sh\"]\n  }\n}\n",
            ),
            ("setup/a.sh", ""),
            ("infra/envs/dev/net/main.tf", "terraform {\n  backend \"s3\" {}\n}\nprovider \"aws\" {}\n"),
            (
                "infra/envs/dev/web/main.tf",
                "terraform {\n  backend \"s3\" {}\n}\nprovider \"aws\" {}\nvariable \"ami_id\" { default = \"\" }\n",
            ),
            ("infra/envs/prod/net/main.tf", "terraform {\n  backend \"s3\" {}\n}\nprovider \"aws\" {}\n"),
            ("roles/tools/tasks/main.yml", "- debug: {}\n"),
        ],
        says: &[
            "packer.version: 1.9.5 (`required_version` is `~> 1.9.0`)",
            "packer.output-variable: ami_id (a variable of `infra/envs/dev/web` is named so)",
            "`amazon-ebs` needs credentials of AWS, and the build has no role",
            "`roles` has roles, and no playbook outside of an image's build runs them",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "cdktf",
        files: &[
            ("infra/cdktf.json", "{\"language\": \"typescript\", \"app\": \"npx ts-node main.ts\"}"),
            (
                "infra/package.json",
                "{\"scripts\": {\"test\": \"jest\"}, \"devDependencies\": {\"cdktf-cli\": \"^0.20.0\"}}",
            ),
            (
                "infra/package-lock.json",
                "{\"packages\": {\"node_modules/cdktf-cli\": {\"version\": \"0.20.11\"}}}",
            ),
            (
                "infra/main.ts",
                "new Network(app, \"network\");\nnew Shop(app, \"Shop\");\nnew Data(app, \"data\", {});\n",
            ),
            ("python/cdktf.json", "{\"language\": \"python\"}"),
            ("broken/cdktf.json", "{\"language\":"),
            ("bare/cdktf.json", "{\"language\": \"typescript\"}"),
            ("odd/cdktf.json", "[]"),
        ],
        says: &[
            "CDKTF       infra: in typescript",
            "tests.infra.install: npm ci",
            "`broken/cdktf.json` is not JSON with settings, and was left out",
            "`odd/cdktf.json` is not JSON with settings, and was left out",
            "the program of CDKTF in `python` was left out: it is in python",
            "the program of CDKTF in `bare` was left out: it has no package-lock.json",
            "the stack `Shop` of CDKTF in `infra` was left out",
            "no lock file of Terraform is committed below `infra`",
            "level 4 adds metrics.yml, pipeline.yml",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "cdktf-beside-terraform",
        files: &[
            ("infra/main.tf", S3),
            ("cdk/cdktf.json", "{\"language\": \"typescript\"}"),
            ("cdk/package.json", "{\"devDependencies\": {\"cdktf-cli\": \"0.21.0\"}}"),
            ("cdk/package-lock.json", "{}"),
        ],
        says: &[
            "1 program of CDKTF left out, such as the one in `cdk`: the workflows of the other Terraform here",
        ],
        levels: &[3, 4, 5],
    },
    Case {
        name: "cdktf-beside-a-service",
        files: &[
            ("Dockerfile", DOCKERFILE),
            ("k8s/web.yml", DEPLOYMENT),
            ("cdk/cdktf.json", "{\"language\": \"typescript\"}"),
            ("cdk/package.json", "{\"devDependencies\": {\"cdktf-cli\": \"0.21.0\"}}"),
            ("cdk/package-lock.json", "{}"),
        ],
        says: &["level 4 adds deploy.yml, rollback.yml, metrics.yml, pipeline.yml"],
        levels: &[2, 3, 4, 5],
    },
    Case {
        name: "service",
        files: &[
            ("Dockerfile", DOCKERFILE),
            ("requirements.txt", "pytest\npytest-cov\n"),
            ("tests/test_app.py", TEST),
            (
                "task-definition.json",
                "{\"family\": \"shop\", \"taskRoleArn\": \"arn:aws:iam::123456789012:role/service/shopTask\", \"containerDefinitions\": [{\"name\": \"app\"}]}",
            ),
            ("terraform/main.tf", S3),
            (
                "terraform/variables.tf",
                "variable \"region\" {\n  default = \"eu-central-1\"\n}\nvariable \"size\" {}\n",
            ),
        ],
        says: &[
            "ECS         task-definition.json: shop, 1 container",
            "level 4 adds tf.yml, deploy.yml, rollback.yml, metrics.yml, pipeline.yml",
            "level 5 has a push start pipeline.yml",
            "tests.python.python: 3.12 (Dockerfile)",
        ],
        levels: &[2, 3, 4, 5],
    },
    Case {
        name: "service-of-another-cloud-s-terraform",
        files: &[
            ("api/Dockerfile", DOCKERFILE),
            ("page/Dockerfile", DOCKERFILE),
            (
                "deploy/api-task-definition.json",
                "{\"family\": \"shop-api\", \"containerDefinitions\": [{\"name\": \"api\"}, {\"name\": \"proxy\"}]}",
            ),
            (
                "deploy/task-definition.json",
                "{\"family\": \"other\", \"containerDefinitions\": [{\"name\": \"x\"}]}",
            ),
            ("infra/main.tf", "terraform {\n  backend \"gcs\" {}\n}\n"),
        ],
        says: &[
            "`deploy/task-definition.json` was left out: which image it runs is not known",
            "`deploy/api-task-definition.json` has several containers: the image is taken to be that of `api`",
            "level 4 adds deploy.yml, rollback.yml, metrics.yml, pipeline.yml",
        ],
        levels: &[2, 3, 4, 5],
    },
    Case {
        name: "workflows",
        files: &[
            ("requirements.txt", "pytest\n"),
            ("tests/test_app.py", TEST),
            (
                ".github/workflows/test.yml",
                "on: pull_request\njobs:\n  unit:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v4\n      - run: pytest tests/unit\n",
            ),
            (
                ".github/workflows/deploy.yml",
                "on: workflow_dispatch\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: aws-actions/configure-aws-credentials@v4\n        with:\n          role-to-assume: arn:aws:iam::123456789012:role/Deploy\n          aws-region: eu-central-1\n      - run: aws ecs update-service --cluster x\n      - run: terraform plan\n        env:\n          AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID }}\n",
            ),
            (".github/workflows/broken.yml", "on: [\n"),
            (
                ".github/workflows/all.yml",
                "on: push\njobs:\n  all:\n    runs-on: ubuntu-latest\n    steps:\n      - run: docker build .\n      - run: terraform apply\n      - run: kubectl apply -f k8s\n",
            ),
        ],
        says: &[
            "workflow    .github/workflows/test.yml: pyfleet's test does this; findings: ",
            "1 uses-pinned",
            "static-cloud-keys",
            "assumes arn:aws:iam::123456789012:role/Deploy",
            "workflow    .github/workflows/broken.yml: findings: 1 yaml-syntax",
            "workflow    .github/workflows/all.yml: pyfleet's build, tf, deploy, pipeline does this",
            "`.github/workflows/test.yml` is there already: pyfleet's own is called `pyfleet-test`",
            "at safety level 1: pyfleet-test.yml",
        ],
        levels: &[],
    },
];
