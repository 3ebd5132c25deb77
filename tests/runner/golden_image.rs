//! The rendered workflows of `examples/golden-image`, executed: an image is built, planned with, proven in staging, agreed
//! to for production, and gone back to.
//!
//! Debian's Packer is older than plugins: it knows neither `init` nor `required_plugins`, and there is no hypervisor. So the
//! template keeps its variables and its post-processor, and builds with the source `null`; a program around Packer gives
//! each build the id that a hypervisor would. The machines are the runner itself, to which Ansible connects locally.

use std::cell::Cell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use pyfleet_core::oidc;
use pyfleet_core::source::Source;
use pyfleet_gen::project_file;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::pyfleet::{GH, succeeded};
use super::{Ran, Run, action, git};
use crate::aws::Aws;
use crate::bodies::story;
use crate::executed::drift_report::{GH as ISSUES, issues};
use crate::repo::Repo;
use crate::tool;

const BUCKET: &str = "homelab-state-123456789012";
const TEMPLATE: &str = "packer/ubuntu-server-numbat-docker.pkr.hcl";
const TOKEN: &str = "hush-hush-token";

/// A Tuesday at nine in the evening, in Berlin: production may be changed. And a Monday.
const OPEN: &str = "1767729600";
const CLOSED: &str = "1767643200";

const BUILD: &str = r#"source "null" "ubuntu" {
  communicator = "none"
}

build {
  sources = ["source.null.ubuntu"]

  provisioner "shell-local" {
    inline = ["echo building ${var.version} with ${var.proxmox_token}", "cp 'HOUSE/software.json' packer-software.json"]
  }

  post-processor "manifest" {
    output = "packer-manifest.json"
  }
}
"#;

/// Packer as the archive has it. What it does itself it tells as `Run::tool` does.
const PACKER: &str = r#"#!/usr/bin/env bash
[[ $1 != @(init|build) ]] || echo packer >>"$RUNNER_TEMP/../../../../called"
[[ $1 != init ]] || exit 0
'REAL' "$@" || exit
[[ $1 == build ]] || exit 0
id=$(($(cat 'HOUSE/images') + 1))
echo "$id" >'HOUSE/images'
sed -i "s/\"artifact_id\": \"Null\"/\"artifact_id\": \"$id\"/" packer-manifest.json
"#;

/// The releases of HashiCorp, and channels that take every message.
const CURL: &str = r#"
out=/dev/null releases=
for argument; do
  [[ $previous != --output ]] || out=$argument
  [[ $argument != https://releases.hashicorp.com/* ]] || releases=yes
  [[ $previous != --data-binary ]] || { cat "${argument#@}"; echo; } >>"$STATE/told"
  previous=$argument
done
if [[ $releases ]]; then cp 'HOUSE/packer.zip' "$out"; exit; fi
cat >/dev/null
printf 200
"#;

/// Ansible is on the PATH: the environment that would hold it stays empty.
const PYTHON: &str = r#"
[[ "$1 $2" == '-m venv' ]] || exec 'REAL' "$@"
echo pip >>"$STATE/../called"
mkdir -p "$3/bin"
printf '#!/bin/sh\n' >"$3/bin/python"
chmod +x "$3/bin/python"
"#;

/// What Ansible is given to read, and by whom it can be read.
const PLAYBOOK: &str = r#"
stat -c '%a %n' "$RUNNER_TEMP/inventory"/* >>"$STATE/inventory"
exec 'REAL' "$@"
"#;

/// The example in a repository of its own, an AWS that knows its roles, and a house with a hypervisor and machines.
struct Homelab {
    aws: Aws,
    repo: Repo,
    house: TempDir,
    key: String,
    runs: Cell<u64>,
}

impl Homelab {
    fn new() -> Option<Self> {
        for tool in ["jq", "terraform", "ansible", "ansible-playbook", "python3"] {
            tool::find(tool)?;
        }
        let packer = tool::find("packer")?;
        let aws = Aws::start()?;
        let (repo, house) = (Repo::new(), tempfile::tempdir().unwrap());
        let root = repo.path(".");
        action::copy_into(&tool::repository().join("examples/golden-image"), &root);
        let key = furnish(house.path(), packer.path());

        let place = house.path().to_str().unwrap();
        let text = repo.read(TEMPLATE);
        let variables = &text[text.find("variable \"version\"").unwrap()..text.find("source \"").unwrap()];
        repo.write(TEMPLATE, format!("{variables}{}", BUILD.replace("HOUSE", place)));
        let manifest = repo.read("pyfleet.yml");
        let (_, from) = manifest.split_once("sha256: ").unwrap();
        repo.replace("pyfleet.yml", from.lines().next().unwrap(), &sum(&house.path().join("packer.zip")));
        let local = [
            ("ansible_connection", "local"),
            ("ansible_python_interpreter", "{{ ansible_playbook_python }}"),
            ("sshd_directory", place),
            ("marker", &format!("{place}/marker")),
            ("tools_nvm", &format!("{place}/home/.nvm/nvm.sh")),
        ];
        let local: Vec<String> = local.iter().map(|(name, value)| format!("{name} = \"{value}\"")).collect();
        let local = format!("ansible_become = false\n{}", local.join("\n"));
        repo.replace("infrastructure/outputs.tf", "ansible_user = \"ops\"", &local);
        let formatted = Command::new(tool::find("terraform")?.path())
            .args(["fmt", "infrastructure"])
            .current_dir(&root)
            .output();
        assert!(formatted.unwrap().status.success());
        // No machine has an address here.
        repo.write("scripts/smoke-test.sh", "#!/bin/sh\necho \"$1: SSH answers\"\n");
        repo.run(["render"]).exits(0);

        git(&root, &["init", "--quiet", "--initial-branch=main"]);
        for (key, value) in [("user.name", "octocat"), ("user.email", "octocat@example.com")] {
            git(&root, &["config", key, value]);
        }
        let homelab = Self { aws, repo, house, key, runs: Cell::new(0) };
        homelab.commit();
        homelab.make_roles();
        Some(homelab)
    }

    fn commit(&self) {
        let root = self.repo.path(".");
        git(&root, &["add", "--all"]);
        git(&root, &["commit", "--quiet", "--allow-empty", "--message", "A commit"]);
    }

    /// A commit that changes one file.
    fn change(&self, path: &str) {
        self.repo.append(path, "# Another line.\n");
        self.commit();
    }

    fn make_roles(&self) {
        let loaded = project_file::load(Source::new("pyfleet.yml", self.repo.read("pyfleet.yml")));
        let (project, plan) = loaded.planned.unwrap();
        self.aws.trust_github();
        for role in oidc::setup(&project, &plan).roles {
            self.aws.role_of_documents(&role.name.unwrap(), &json!(role.trust), &json!(role.permissions));
        }
        self.aws.enforce();
        self.aws.forget_calls();
    }

    /// A run of the pipeline, to whose production reviewers agree while its window is open.
    fn start(&self, event: &str) -> Run {
        self.of("main", event).approved("production-approval", "hubot", "looks good")
    }

    fn roll_back(&self, environment: &str, target: &str, confirm: &str) -> Run {
        let inputs = [
            ("environment", environment),
            ("what", "terraform/machines"),
            ("target", target),
            ("confirm", confirm),
        ];
        self.of("rollback", "workflow_dispatch").inputs(inputs)
    }

    fn of(&self, workflow: &str, event: &str) -> Run {
        self.runs.set(self.runs.get() + 1);
        let place = self.house.path().to_str().unwrap();
        let real =
            |text: &str, name| text.replace("REAL", tool::find(name).unwrap().path().to_str().unwrap());
        Run::of(&format!(".github/workflows/{workflow}.yml"), self.repo.path("."))
            .numbered(self.runs.get())
            .repository("acme/homelab")
            .identified_by(&self.aws)
            .event(event)
            .variable("PROXMOX_URL", "https://pve.example.com:8006/api2/json")
            .variable("PROXMOX_USERNAME", "packer@pve!build")
            .environment_secret("staging", "PROXMOX_TOKEN", TOKEN)
            .environment_secret("staging", "BUILD_PASSWORD", "hush-hush-password")
            .environment_secret("staging", "ANSIBLE_SSH_KEY", &self.key)
            .environment_secret("production", "ANSIBLE_SSH_KEY", &self.key)
            .secret("SLACK_WEBHOOK", "https://hooks.slack.example.com/services/1")
            .secret("TEAMS_WEBHOOK", "https://teams.example.com/1")
            .tool("gh", GH)
            .tool("mise", "echo verified")
            .tool("curl", &CURL.replace("HOUSE", place))
            .around("python3", &real(PYTHON, "python3"))
            .around("ansible-playbook", &real(PLAYBOOK, "ansible-playbook"))
            .env("HOME", &format!("{place}/home"))
            .env("NOW", OPEN)
            .env("WAIT_TIMEOUT", "5")
            .env("WAIT_INTERVAL", "1")
            .env("DELAY", "0")
    }

    /// The image on record in an environment, with the time at which it had proven itself.
    fn on_record(&self, environment: &str) -> Json {
        let (file, key) =
            (self.repo.path("../object"), format!("_pyfleet/applied/{environment}/machines.json"));
        self.aws.cli(&["s3api", "get-object", "--bucket", BUCKET, "--key", &key, file.to_str().unwrap()]);
        let record: Json = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        record["image"].clone()
    }

    /// Edits an object of the bucket behind everybody's back.
    fn edit(&self, key: &str, edit: impl Fn(&mut String)) {
        let (file, object) = (self.repo.path("../object"), ["--bucket", BUCKET, "--key", key]);
        let path = file.to_str().unwrap();
        self.aws.cli(&[&["s3api", "get-object"], &object[..], &[path]].concat());
        let mut text = fs::read_to_string(&file).unwrap();
        edit(&mut text);
        fs::write(&file, text).unwrap();
        self.aws.cli(&[&["s3api", "put-object"], &object[..], &["--body", path]].concat());
    }

    /// What was configured last says which image it started from.
    fn marker(&self) -> String {
        fs::read_to_string(self.house.path().join("marker")).unwrap_or_default().trim_end().to_owned()
    }

    fn locks(&self) -> Vec<String> {
        let listed = self.aws.cli(&["s3api", "list-objects-v2", "--bucket", BUCKET]);
        let contents = listed["Contents"].as_array().cloned().unwrap_or_default();
        let keys = contents.iter().map(|object| object["Key"].as_str().unwrap().to_owned());
        keys.filter(|key| key.ends_with(".tflock")).collect()
    }
}

/// Packer's archive, the software of an image, and a machine with all that is expected; its key.
fn furnish(house: &Path, packer: &Path) -> String {
    let write = |path: &str, text: &str| {
        let path = house.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let place = house.to_str().unwrap();
    write("images", "9000\n");
    write("software.json", r#"{"docker": "27.5.1", "nvm": "0.40.1", "mise": "2025.2.0", "uv": "0.5.29"}"#);
    write("packer", &PACKER.replace("HOUSE", place).replace("REAL", packer.to_str().unwrap()));
    let make = "import zipfile\nfile = zipfile.ZipFile('packer.zip', 'w')\nfile.write('packer')\n";
    let key = ["-q", "-t", "ed25519", "-N", "", "-C", "machine", "-f", "key"];
    for (program, arguments) in [("python3", &["-c", make][..]), ("ssh-keygen", &key[..])] {
        assert!(Command::new(program).args(arguments).current_dir(house).status().unwrap().success());
    }
    for tool in ["docker", "mise", "uv"] {
        write(&format!("home/.local/bin/{tool}"), "#!/bin/sh\n");
    }
    write("home/.nvm/nvm.sh", "nvm() { :; }\n");
    write("home/.profile", &format!("PATH='{place}/home/.local/bin':$PATH\n"));
    fs::read_to_string(house.join("key")).unwrap()
}

fn sum(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap()[..64].to_owned()
}

/// What an environment's turn is.
fn turn(environment: &str) -> Vec<String> {
    [
        "create-backend-E",
        "image-E",
        "plan-E-1",
        "decide-E-1",
        "newest-E",
        "apply-E-1",
        "configure-E",
        "smoke-command-E",
        "image-works-E",
    ]
    .map(|job| job.replace("-E", &format!("-{environment}")))
    .into()
}

#[track_caller]
fn all_succeeded(ran: &Ran, environment: &str) {
    for job in turn(environment) {
        ran.job(&job).succeeded();
    }
}

#[test]
fn an_image_is_built_proven_and_gone_back_to() {
    let _story = story!(an_image_is_built_proven_and_gone_back_to);
    let Some(homelab) = Homelab::new() else { return };
    homelab.change(TEMPLATE);

    // A pull request checks, on machines of GitHub's, without a secret and without a cloud.
    let Some(ran) = homelab.start("pull_request").run() else { return };
    let checked =
        ["guard", "changes", "packer-validate", "ansible-check", "static", "scan", "gate", "summary"];
    succeeded(&ran, &checked);
    for job in checked {
        assert_eq!(ran.job(job).environment(), None, "{job}");
    }
    ran.job("packer-validate").says("is formatted and valid");
    ran.job("packer-build").skipped();
    for environment in ["staging", "production"] {
        for job in turn(environment) {
            ran.job(&job).skipped();
        }
    }
    assert!(homelab.aws.calls().is_empty(), "{:?}", homelab.aws.calls());

    // Its merge builds, and says what it built; staging has it unattended, production behind its reviewers.
    let ran = homelab.start("push").run().unwrap();
    for environment in ["staging", "production"] {
        all_succeeded(&ran, environment);
    }
    succeeded(&ran, &["packer-build", "approve-production", "notify-before-production", "notify"]);
    let build = ran.job("packer-build");
    assert_eq!((build.environment(), build.output("image_id")), (Some("staging"), "9001"));
    assert!(build.summary().contains("| `uv` | `0.5.29` | ✅ expected |"), "{}", build.summary());
    assert!(!build.log().contains(TOKEN), "{}", build.log());
    let kept = ran.artifact("golden-image");
    let image: Json = serde_json::from_str(&kept.text("image.json")).unwrap();
    assert_eq!((&image["id"], &image["software"]["nvm"]), (&"9001".into(), &"0.40.1".into()));
    assert!(image["built_at"].is_string() && !kept.text("build.log").contains(TOKEN), "{image}");
    ran.job("image-production").says("image 9001: built in this run");
    ran.job("plan-staging-1").says("the plan uses the image 9001 in terraform_data.machine");
    assert!(
        ran.job("configure-staging").summary().contains("✅"),
        "{}",
        ran.job("configure-staging").summary()
    );
    ran.job("configure-production")
        .says("PLAY RECAP")
        .says("1 machines of production have what they should have");
    let read = ran.state("inventory");
    assert!(read.lines().count() >= 4 && read.lines().all(|line| line.starts_with("600 ")), "{read}");
    assert!(ran.artifacts().iter().all(|name| !name.contains("inventory")), "{:?}", ran.artifacts());
    for environment in ["staging", "production"] {
        let image = homelab.on_record(environment);
        assert!(image["id"] == "9001" && image["good_at"].is_string(), "{image}");
    }
    assert_eq!(homelab.marker(), "9001");
    let chosen = ran.job("image-production").summary();
    assert!(chosen.contains("| Source | built in this run |") && chosen.contains("uv 0.5.29"), "{chosen}");
    assert!(homelab.aws.calls().iter().all(|call| call.status != 403), "{:?}", homelab.aws.calls());

    // A change of the machines alone builds nothing. Outside of its window production stays as it is, whoever agrees.
    homelab.repo.replace("infrastructure/main.tf", "cores = 2", "cores = 4");
    homelab.commit();
    let ran = homelab.start("push").env("NOW", CLOSED).run().unwrap();
    ran.job("packer-build").skipped();
    all_succeeded(&ran, "staging");
    ran.job("image-staging").says("image 9001: latest good");
    ran.job("approve-production").failed().says("its maintenance window opens next on");
    ran.job("apply-production-1").skipped();
    assert!(ran.state("told").contains("main of main to production"), "{}", ran.state("told"));

    // By the clock there is a new image; staging proves it, and nobody answers for production: nothing is held meanwhile.
    let ran = homelab.start("schedule").unanswered("production-approval").run().unwrap();
    assert_eq!(ran.job("packer-build").succeeded().output("image_id"), "9002");
    all_succeeded(&ran, "staging");
    ran.job("approve-production").is("waiting");
    ran.job("apply-production-1").is("unstarted");
    assert_eq!(ran.job("approve-production").group(), None);
    assert_eq!((ran.conclusion(), homelab.locks()), ("waiting", Vec::new()));
    assert_eq!(homelab.on_record("staging")["id"], "9002");
    assert_eq!(homelab.on_record("production")["id"], "9001");

    // Staging goes back: the image before, although the commit is the same; planned, applied, and configured again.
    let ran = homelab.roll_back("staging", "list", "").run().unwrap();
    succeeded(&ran, &["guard", "list-terraform-staging"]);
    let listed = ran.job("list-terraform-staging").summary();
    assert!(listed.contains("`9001`") && listed.contains("`9002`"), "{listed}");
    let ran = homelab.roll_back("staging", "previous", "ROLLBACK").run().unwrap();
    succeeded(&ran, &["plan-terraform-staging", "rollback-terraform-staging", "configure-staging"]);
    ran.job("plan-terraform-staging").says("back to the image 9001").says("the plan uses the image 9001");
    assert_eq!(
        (homelab.on_record("staging")["id"].as_str(), homelab.marker().as_str()),
        (Some("9001"), "9001")
    );

    // Production has more than it had. What its way back destroys is agreed to, with the image that it goes back to.
    homelab.repo.append("infrastructure/main.tf", "\nresource \"terraform_data\" \"more\" {}\n");
    homelab.commit();
    let ran = homelab.start("push").run().unwrap();
    all_succeeded(&ran, "production");
    let back = homelab.roll_back("production", "previous", "ROLLBACK");
    let ran = back.approved("production-approval", "hubot", "looks good").run().unwrap();
    let plan = ran.job("plan-terraform-production").says("the plan uses the image 9001");
    assert_eq!(plan.output("class"), "destructive");
    succeeded(
        &ran,
        &["approve-terraform-production", "rollback-terraform-production", "configure-production"],
    );
    assert_eq!(
        (homelab.on_record("production")["id"].as_str(), homelab.marker().as_str()),
        (Some("9001"), "9001")
    );

    // Every role opens to whom it should.
    let ran = homelab.of("test-oidc", "workflow_dispatch").real("curl").run().unwrap();
    succeeded(&ran, &["reads-staging", "reads-production"]);
}

#[test]
fn what_is_wrong_with_an_image_or_a_machine_is_red_and_has_a_way_back() {
    let _story = story!(what_is_wrong_with_an_image_or_a_machine_is_red_and_has_a_way_back);
    let Some(homelab) = Homelab::new() else { return };
    homelab.change(TEMPLATE);
    let start = || homelab.start("push").unanswered("production-approval");
    let way_back = "gh workflow run rollback.yml --ref main -f environment=staging -f what=terraform/machines -f target=previous -f confirm=ROLLBACK";

    // An image that does not say what it holds is none.
    let software = homelab.house.path().join("software.json");
    let whole = fs::read_to_string(&software).unwrap();
    fs::write(&software, whole.replace("\"uv\"", "\"pip\"")).unwrap();
    let Some(ran) = start().run() else { return };
    ran.job("packer-build").failed().says("::error::the image does not say that it holds uv");
    ran.job("plan-staging-1").skipped();
    assert_eq!(ran.conclusion(), "failure");
    fs::write(&software, whole).unwrap();

    // A machine lacks a tool: the image has not proven itself.
    let mise = homelab.house.path().join("home/.local/bin/mise");
    let moved = mise.with_file_name("gone");
    fs::rename(&mise, &moved).unwrap();
    homelab.repo.remove("ansible/roles/tools/tasks/main.yml");
    homelab.change(TEMPLATE);
    let ran = start().run().unwrap();
    for job in &turn("staging")[..6] {
        ran.job(job).succeeded();
    }
    ran.job("configure-staging").failed().says("mise is missing on staging-docker-1").says(way_back);
    for job in ["image-works-staging", "plan-production-1", "approve-production"] {
        ran.job(job).skipped();
    }
    assert!(ran.job("configure-staging").summary().contains(way_back));
    assert!(ran.state("told").contains("configure-staging"), "{}", ran.state("told"));
    assert_eq!(homelab.on_record("staging")["good_at"], Json::Null);
    fs::rename(&moved, &mise).unwrap();

    // The next commit is not planned with it: nothing has proven itself yet.
    homelab.change("infrastructure/variables.tf");
    let ran = start().run().unwrap();
    ran.job("image-staging").failed().says("no image has proven itself in staging/machines yet");
    ran.job("plan-staging-1").skipped();

    // A variable file wins over what the pipeline says: the plan is refused.
    homelab.repo.write("infrastructure/chosen.auto.tfvars", "template_id = \"1\"\n");
    homelab.commit();
    let chosen = [("template_id", "9002")];
    let by_hand = || homelab.start("workflow_dispatch").unanswered("production-approval").inputs(chosen);
    let ran = by_hand().run().unwrap();
    ran.job("image-staging").succeeded().says("image 9002: chosen by hand");
    ran.job("plan-staging-1").failed().says("the plan of staging/machines is refused");
    ran.job("apply-staging-1").skipped();
    homelab.repo.remove("infrastructure/chosen.auto.tfvars");

    // Another machine answers: its host key is not the one that Terraform says.
    homelab.repo.replace("infrastructure/outputs.tf", "\"local\"", "\"ssh\"");
    homelab.commit();
    let ssh = "echo 'Host key verification failed.' >&2\nexit 255";
    let ran = by_hand().tool("ssh", ssh).run().unwrap();
    let configure = ran.job("configure-staging").failed();
    configure.says("Host key verification failed").says("or not with its host key").says(way_back);
    ran.job("image-works-staging").skipped();
}

#[test]
fn drift_is_told_by_the_image_on_record() {
    let _story = story!(drift_is_told_by_the_image_on_record);
    let Some(homelab) = Homelab::new() else { return };
    let gh = format!(
        "ISSUES='{}'\n{}",
        homelab.repo.path("../issues.json").display(),
        ISSUES.replace("acme/pyfleet", "acme/homelab")
    );
    let look = || homelab.of("tf-drift", "schedule").tool("gh", &gh).run();

    // Nothing was ever applied.
    let Some(ran) = look() else { return };
    succeeded(&ran, &["detect-staging", "detect-production", "report"]);
    ran.job("report").says("::notice::production/machines: no-backend");

    // Planned with the image that each environment was applied with, and so nothing differs.
    homelab.change(TEMPLATE);
    let ran = homelab.start("push").run().unwrap();
    all_succeeded(&ran, "production");
    homelab.aws.forget_calls();
    let ran = look().unwrap();
    succeeded(&ran, &["detect-staging", "detect-production", "report"]);
    ran.job("detect-production").says("planned with the golden image 9001, which is on record");
    ran.job("report").says("staging/machines: clean").says("production/machines: clean");
    let calls = homelab.aws.calls();
    assert!(!calls.is_empty() && calls.iter().all(|call| call.status != 403), "{calls:?}");
    // The same record is what production could go back to.
    let ran = homelab.roll_back("production", "list", "").run().unwrap();
    assert!(ran.job("list-terraform-production").succeeded().summary().contains("`9001`"));
    let reads = |principal: &str| principal.contains("-plan/");
    assert!(calls.iter().all(|call| call.action.starts_with("sts:") || reads(&call.principal)), "{calls:?}");

    // Somebody starts the machine from another image: the state says so, and the record does not.
    homelab.edit("production.tfstate", |state| *state = state.replace("9001", "8000"));
    let ran = look().unwrap();
    ran.job("report").failed().says("::error::production/machines: drift").says("staging/machines: clean");
    let found = issues(&homelab.repo.path("../issues.json"));
    assert_eq!((found.len(), found[0]["title"].as_str()), (1, Some("Drift: machines in production")));

    // A record that names no image, and none at all: said so, and no error.
    let key = "_pyfleet/applied/staging/machines.json";
    homelab.edit(key, |record| {
        let mut own: Json = serde_json::from_str(record).unwrap();
        own["image"] = Json::Null;
        *record = own.to_string();
    });
    let ran = look().unwrap();
    ran.job("detect-staging").succeeded().says("staging/machines: pending").says("whose record names none");
    homelab.aws.cli(&["s3api", "delete-object", "--bucket", BUCKET, "--key", key]);
    let ran = look().unwrap();
    ran.job("detect-staging").succeeded().says("nothing is on record as applied yet");
    ran.job("report").says("::warning::staging/machines: pending");
}
