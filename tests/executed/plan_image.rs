use super::script::Script;
use super::stack_on_aws::run;
use crate::tool;

/// A machine without a provider: it starts from the image that it is told.
const STACK: &str = r#"
variable "template_id" { default = "1000" }
variable "password" {
  default   = "hush-hush"
  sensitive = true
}
resource "terraform_data" "machine" {
  for_each = toset(["hush-key"])
  input    = { clone = [{ vm_id = var.template_id }], password = var.password }
}
"#;

fn planned(stack: &str, arguments: &str) -> Option<Script> {
    tool::find("terraform")?;
    let script = Script::new("plan-image.sh").file("the stack/main.tf", stack);
    run(&script, &format!("terraform -chdir='the stack' init -input=false -no-color && terraform -chdir='the stack' plan -input=false -no-color -out=../plan.tfplan {arguments}"))
        .exits(0);
    Some(
        script
            .env("TF_COMMAND", "terraform")
            .env("STACK_DIRECTORY", "the stack")
            .env("PLAN_FILE", "plan.tfplan")
            .env("IMAGE_VARIABLE", "template_id")
            .env("IMAGE_ID", "1042")
            .env("ENVIRONMENT", "dev")
            .env("STACK", "app"),
    )
}

#[test]
fn the_plan_has_exactly_the_image() {
    let Some(script) = planned(STACK, "-var template_id=1042") else { return };
    script.run().exits(0).says("the plan uses the image 1042 in terraform_data.machine").never_says("hush");
    script
        .env("IMAGE_ID", "1043")
        .run()
        .exits(3)
        .says("::error::the plan of dev/app is refused: its variable template_id is not the image 1043")
        .shows("### ❌ The plan is not that of the image `1043`")
        .never_says("hush");
    // As a number, too.
    let number = STACK.replace("vm_id = var.template_id", "vm_id = tonumber(var.template_id)");
    let Some(script) = planned(&number, "-var template_id=1042") else { return };
    script.run().exits(0);
}

#[test]
fn a_plan_that_does_not_use_it_is_refused() {
    let elsewhere = STACK.replace("vm_id = var.template_id", "vm_id = 1000");
    let Some(script) = planned(&elsewhere, "-var template_id=1042") else { return };
    script.run().exits(3).says("no resource in it has the id 1042").never_says("hush");
    let Some(script) = planned(STACK, "") else { return };
    script.run().exits(3).says("is not the image 1042");
    let Some(script) = planned(&STACK.replace("template_id", "other_id"), "") else { return };
    script.run().exits(3).says("it knows no variable template_id");
}

#[test]
fn what_is_no_plan_is_an_error() {
    let Some(script) = planned(STACK, "") else { return };
    let script = script.file("plan.tfplan", "no plan");
    script.run().exits(1).says("::error::terraform show failed for dev/app");
    for (name, value) in [
        ("TF_COMMAND", "bash"),
        ("STACK_DIRECTORY", "none"),
        ("PLAN_FILE", "none"),
        ("IMAGE_VARIABLE", "a b"),
        ("IMAGE_ID", "$(id)"),
        ("ENVIRONMENT", "Dev"),
    ] {
        script.clone().env(name, value).run().exits(2);
    }
}
