use std::fs;

use serde_json::{Value, json};

use super::script::{Ran, Script};
use super::stack_on_aws::{BUCKET, COMMIT, KEY, backend, converged, put_object, run, script, stack};
use crate::aws::{Aws, Failure};
use crate::tool;

const LEDGER: &str = "_pyfleet/applied/dev/app.json";
const RESOURCES: &str = r#"
variable "size" {
  type    = string
  default = "small"
}
variable "password" {
  type      = string
  default   = "none"
  sensitive = true
}
variable "color" {
  type    = string
  default = "blue"
}
resource "terraform_data" "one" { input = "${var.size} hush-hush" }
resource "terraform_data" "two" { input = var.password }
output "live" { value = var.color }
"#;

/// The stack in a repository, applied and on record.
struct World {
    aws: Aws,
    script: Script,
}

impl World {
    fn new(mode: &str) -> Option<Self> {
        for tool in ["terraform", "git", "jq"] {
            tool::find(tool)?;
        }
        let aws = backend()?;
        let script = stack(detecting(&aws, mode), mode, RESOURCES)
            .file(".gitignore", ".terraform/\n")
            .prepare("git", &["init", "--quiet", "--initial-branch=main"])
            .prepare("git", &["config", "user.email", "test@example.com"])
            .prepare("git", &["config", "user.name", "test"]);
        let mut world = Self { aws, script };
        world.commit();
        world.apply();
        world.record("apply");
        Some(world)
    }

    fn commit(&mut self) -> String {
        let script = self.script.clone().prepare("git", &["add", "--all"]);
        self.script = script.prepare("git", &["commit", "--quiet", "--allow-empty", "--message", "x"]);
        let commit = self.head();
        self.script = self.script.clone().env("GITHUB_SHA", &commit);
        commit
    }

    fn head(&self) -> String {
        let ran = run(&self.script, "git rev-parse HEAD").exits(0);
        ran.log.trim().to_owned()
    }

    fn write(&mut self, path: &str, text: &str) {
        self.script = self.script.clone().file(path, text);
    }

    fn apply(&self) {
        run(
            &self.script,
            "terraform -chdir='the stack' apply -auto-approve -input=false -no-color >/dev/null",
        )
        .exits(0);
        converged(&self.script);
    }

    fn record(&self, action: &str) {
        put_object(&self.aws, LEDGER, json!({"commit": self.head(), "action": action}).to_string());
    }

    fn detects(&self, class: &str, says: &str) -> Ran {
        detects(&self.script, class, says)
    }
}

fn detecting(aws: &Aws, mode: &str) -> Script {
    script(aws, "detect-drift.sh", mode)
        .env("RESULT_DIR", "the results/app")
        .env("BACKEND", "{}")
        .env("VARIABLES", "{}")
        .env("VAR_FILES", "[]")
        .env("PUBLISH", "summary")
        .env("WAIT_TIMEOUT", "0")
}

/// Runs, and looks at the result; no value of anything may be in it.
#[track_caller]
fn detects(script: &Script, class: &str, says: &str) -> Ran {
    let ran = script.run().exits(0).outputs("class", class).says(says);
    let text = ran.text("the results/app/result.json");
    assert!(!text.contains("hush"), "{text}");
    let result: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&result["environment"], &result["stack"], &result["class"]),
        (&json!("dev"), &json!("app"), &json!(class))
    );
    let planned = class == "drift" || class == "pending";
    assert_eq!(result["fingerprint"].as_str().unwrap().len(), if planned { 64 } else { 0 }, "{text}");
    assert_eq!(result["changes"] != json!([]) || result["drifted"] != json!([]), planned, "{text}");
    ran
}

#[test]
fn tells_drift_from_changes_that_were_not_applied() {
    let Some(mut world) = World::new("both") else { return };
    let applied = world.head();
    world.detects("clean", "what is described is there").never_says("::error::");
    world.script = world.script.clone().env("VARIABLES", r#"{"color": "green"}"#);
    world.detects("outputs-only", "only outputs would change");

    // The same sources, and another value: what is there is not what the last apply left.
    world.script = world.script.clone().env("VARIABLES", r#"{"size": "large"}"#);
    let ran = world.detects("drift", &format!("the sources are those of {}", &applied[..12]));
    let result = ran.json("the results/app/result.json");
    assert_eq!(result["changes"], json!([{"address": "terraform_data.one", "action": "update"}]));
    assert_eq!(result["commit"], applied);
    // The same twice has one fingerprint, something else another.
    let again = world.detects("drift", "").json("the results/app/result.json");
    assert_eq!(again["fingerprint"], result["fingerprint"]);
    world.script = world.script.clone().env("VARIABLES", r#"{"size": "large", "password": "swordfish"}"#);
    let other = world.detects("drift", "").json("the results/app/result.json");
    assert_ne!(other["fingerprint"], result["fingerprint"]);

    // Commits that have nothing to do with it change nothing about that.
    world.write("elsewhere/main.tf", "# nothing");
    world.commit();
    world.detects("drift", &applied[..12]);

    // Its own do: its directory, its variable files, its local modules.
    for (path, text) in [
        ("the stack/more.tf", "locals { more = 1 }\n"),
        ("vars/dev.tfvars", "size = \"medium\"\n"),
        ("modules/m/main.tf", "resource \"terraform_data\" \"in\" {}\n"),
    ] {
        world.record("apply");
        world.write(path, text);
        let before = world.head();
        world.commit();
        match path {
            "vars/dev.tfvars" => {
                world.script = world.script.clone().env("VAR_FILES", r#"["../vars/dev.tfvars"]"#);
            }
            "modules/m/main.tf" => {
                world.detects("drift", "");
                world.write("the stack/module.tf", "module \"m\" { source = \"../modules/m\" }\n");
                world.commit();
                world.detects("pending", "");
                world.record("apply");
                world.detects("drift", "");
                world.write(path, "resource \"terraform_data\" \"in\" { input = 1 }\n");
                world.commit();
            }
            _ => {}
        }
        let ran = world.detects("pending", "the sources have changes that were not applied");
        if path != "modules/m/main.tf" {
            ran.says(&format!("{} was applied last", &before[..12]));
        }
    }

    // What is synthesised is in no commit: the program is what counts, and the root has no name.
    world.record("apply");
    let plain = world.script.clone();
    for (sources, path) in [(r#"["the program", "locks/a.hcl"]"#, "the program/main.js"), (r#"["."]"#, "any")]
    {
        world.script = world.script.clone().env("SOURCES", sources);
        world.record("apply");
        world.write("the stack/other.tf", &format!("locals {{ other = \"{}\" }}\n", path.len()));
        if path != "any" {
            world.commit();
            world.detects("drift", "the sources are those of");
        }
        world.write(path, "// a program");
        world.commit();
        world.detects("pending", "the sources have changes that were not applied");
    }
    world.script = plain.env("GITHUB_SHA", world.head());

    // What was taken away on purpose is not missing; what never was recorded is not there yet.
    world.record("destroy");
    world.detects("pending", "it was destroyed on purpose");
    world.aws.cli(&["s3api", "delete-object", "--bucket", BUCKET, "--key", LEDGER]);
    world.detects("pending", "nothing is on record");
    // Another history, and a record that says nothing.
    put_object(&world.aws, LEDGER, json!({"commit": COMMIT, "action": "apply"}).to_string());
    world.detects("drift", "is not in the history");
    put_object(&world.aws, LEDGER, "{}");
    let ran = world.script.run().exits(0).outputs("class", "error").says("is unreadable");
    assert_eq!(ran.json("the results/app/result.json")["class"], "error");
    world.aws.fail_next("s3:GetObject", Failure::Status(403));
    world.script.run().exits(0).outputs("class", "error");
}

#[test]
fn a_stack_is_planned_with_the_golden_image_that_is_on_record() {
    let Some(mut world) = World::new("s3") else { return };
    let record = |world: &World, image: &Value| {
        let text = json!({"commit": world.head(), "action": "apply", "image": image}).to_string();
        put_object(&world.aws, LEDGER, text);
    };
    let plain = world.script.clone();
    world.script = plain.clone().env("IMAGE_VARIABLE", "size");
    record(&world, &json!({"id": "small"}));
    world.detects("clean", "planned with the golden image small, which is on record");
    // Another one than the machines have.
    record(&world, &json!({"id": "large"}));
    world.detects("drift", "the sources are those of");
    // Which one it is nobody has written down.
    for image in [Value::Null, json!({"id": "$(id)"}), json!({"id": 7}), json!("small")] {
        record(&world, &image);
        let ran = world.script.run().exits(0).outputs("class", "pending").says("whose record names none");
        assert_eq!(ran.json("the results/app/result.json")["changes"], json!([]));
    }
    world.aws.cli(&["s3api", "delete-object", "--bucket", BUCKET, "--key", LEDGER]);
    world.script.run().exits(0).outputs("class", "pending").says("nothing is on record as applied yet");
    put_object(&world.aws, LEDGER, "{}");
    world.script.run().exits(0).outputs("class", "error").says("is unreadable");
    // The other stacks of the environment know of no image.
    detects(&plain.env("IMAGE_VARIABLE", ""), "clean", "");
}

/// Terraform, which does something more: `resource_drift` needs a provider that looks at something.
fn terraform(script: Script, more: &str) -> Script {
    let real = tool::find("terraform").unwrap();
    script.tool("terraform", &format!("real='{}'\n{more}\nexec \"$real\" \"$@\"\n", real.path().display()))
}

#[test]
fn what_was_changed_outside_is_drift_whatever_was_applied() {
    let Some(mut world) = World::new("s3") else { return };
    let drift = json!([{
        "address": "terraform_data.two[\"`@octocat`\"]", "change": {"actions": ["update"], "before": "hush", "after": "hush"},
    }]);
    world.script = terraform(
        world.script.clone(),
        &format!(
            "if [[ $* == *'show -json'* ]]; then \"$real\" \"$@\" | jq -c '.resource_drift = {drift}'; exit; fi"
        ),
    );
    let ran = world.detects("drift", "it was changed outside of Terraform");
    let result = ran.json("the results/app/result.json");
    assert_eq!(
        result["drifted"],
        json!([{"address": "terraform_data.two[\"`@octocat`\"]", "action": "update"}])
    );
    assert_eq!(result["changes"], json!([]));
}

#[test]
fn nobody_is_accused_while_somebody_works() {
    let Some(mut world) = World::new("s3") else { return };
    let created = |at: &str| {
        json!({"ID": "11111111-2222-4333-8444-555555555555", "Operation": "OperationTypeApply", "Who": "mallory@laptop", "Created": at})
            .to_string()
    };
    let lock = format!("{KEY}.tflock");
    world.script = world.script.clone().env("VARIABLES", r#"{"size": "large"}"#);
    put_object(&world.aws, &lock, created("2999-01-01T00:00:00Z"));
    world.detects("locked", "somebody works on the state").says("mallory@laptop").never_says("::error::");
    put_object(&world.aws, &lock, created("2020-01-01T00:00:00Z"));
    let ran = world
        .detects("error", "may have been left behind: mallory@laptop has held it for ")
        .says("::error::");
    ran.says(" hours, since 2020-01-01T00:00:00Z");
    world.aws.cli(&["s3api", "delete-object", "--bucket", BUCKET, "--key", &lock]);

    // Taken while the plan was made.
    let file = world.script.directory().join("lock");
    fs::write(&file, created("2999-01-01T00:00:00Z")).unwrap();
    let put = format!(
        "[[ $* != *' plan '* ]] || aws s3api put-object --bucket {BUCKET} --key '{lock}' --body '{}' >/dev/null",
        file.display()
    );
    let script = world.script.clone();
    world.script = terraform(script.clone(), &put);
    world.detects("locked", "somebody works on the state");
    world.aws.cli(&["s3api", "delete-object", "--bucket", BUCKET, "--key", &lock]);

    // Taken and given back while the plan was made.
    let touch = put.replace(&lock, KEY);
    assert_ne!(touch, put);
    world.script = terraform(script, &touch.replace("[[ $* != *' plan '* ]]", "[[ $* != *' show '* ]]"));
    world.detects("locked", "an apply went on meanwhile");
}

#[test]
fn a_backend_that_is_not_there_is_no_mistake_and_one_that_does_not_answer_is() {
    let Some(mut world) = World::new("both") else { return };
    for failure in [Failure::Status(403), Failure::Status(500), Failure::Drop] {
        world.aws.fail_next("*", failure);
        world.detects("error", "whether the state is locked could not be found out").says("::error::");
    }
    world.script = world.script.clone().env("TF_STATE_BUCKET", "no-such-bucket");
    world.detects("no-backend", "create-backend").never_says("::error::");
    world.aws.foreign_bucket("someone-elses");
    world.script = world.script.clone().env("TF_STATE_BUCKET", "someone-elses");
    world.detects("error", "");
    world.script = world.script.clone().env("TF_STATE_BUCKET", BUCKET).env("TF_LOCK_TABLE", "no-table");
    world.detects("error", "the lock table no-table does not exist");
}

#[test]
fn whatever_cannot_be_planned_is_an_error_with_a_result() {
    let Some(world) = World::new("s3") else { return };
    let plain = world.script.clone();
    detects(&plain.clone().env("BACKEND", "{"), "error", "could not be initialised");
    detects(
        &plain.clone().env("VARIABLES", r#"{"nonsense": 1}"#).env("COLOR_VARIABLE", "nonsense"),
        "error",
        "",
    );
    detects(
        &plain.clone().env("VARIABLES", r#"{"password": {"secret": "PASSWORD"}}"#),
        "error",
        "a variable or a secret that the plan needs is empty",
    );
    detects(&plain.clone().env("VAR_FILES", r#"["none.tfvars"]"#), "error", "it could not be planned");
    let errored = "if [[ $* == *'show -json'* ]]; then \"$real\" \"$@\" | jq -c '.errored = true'; exit; fi";
    detects(&terraform(plain.clone(), errored), "error", "errored or incomplete");
    // Colours: a state that says neither, and one that is planned as it is.
    let real = terraform(plain, "").env("COLOR_VARIABLE", "color");
    let colors =
        real.env("OUTPUT_NAME", "live").env("OUTPUT_VALUES", r#"{"blue": "azure", "green": "lime"}"#);
    detects(&colors, "error", "which colour is live");
    detects(&colors.env("OUTPUT_VALUES", r#"{"blue": "blue", "green": "green"}"#), "clean", "");
}

#[test]
fn refuses_settings_that_cannot_be_meant_and_says_when_nothing_can_be_written() {
    let Some(aws) = backend() else { return };
    let plain = || detecting(&aws, "s3").file("the stack/main.tf", "");
    for (key, value) in [
        ("RESULT_DIR", ""),
        ("ENVIRONMENT", "$(touch pwned)"),
        ("STACK", "../app"),
        ("GITHUB_SHA", "main"),
        ("STACK_DIRECTORY", "missing"),
        ("SOURCES", r#"["/etc"]"#),
        ("SOURCES", r#"["a\nb"]"#),
        ("SOURCES", "{}"),
        ("IMAGE_VARIABLE", "a-b"),
    ] {
        plain().env(key, value).run().exits(2);
    }
    let script = plain().env("TF_STATE_BUCKET", "no-such-bucket").file("the results/app/result.json/x", "");
    script.run().exits(1).says("::error::the result cannot be written");
}
