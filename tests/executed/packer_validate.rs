use super::script::Script;
use crate::tool;

const TEMPLATE: &str = "source \"null\" \"image\" {\n  communicator = \"none\"\n}\n\nbuild {\n  sources = [\"source.null.image\"]\n}\n";

/// Debian's Packer knows no `init`: a stand-in for it, in front of the real one.
fn validating() -> Option<Script> {
    let packer = tool::find("packer")?;
    let text = format!(
        "if [[ $1 == init ]]; then [[ ! -e $STATE/broken ]] || {{ echo 'no such plugin ::error::taken over'; exit 1; }}; exit 0; fi\nexec '{}' \"$@\"\n",
        packer.path().canonicalize().unwrap().display()
    );
    Some(
        Script::new("packer-validate.sh")
            .tool("packer", &text)
            .file("packer/image.pkr.hcl", TEMPLATE)
            .env("TEMPLATE", "packer/image.pkr.hcl"),
    )
}

#[test]
fn a_template_that_is_formatted_and_valid_passes() {
    let Some(script) = validating() else { return };
    script.run().exits(0).says("packer/image.pkr.hcl is formatted and valid");
    // A variable without a default needs a value, and a placeholder is one.
    let script = script
        .file("packer/image.pkr.hcl", format!("variable \"token\" {{\n  type = string\n}}\n\n{TEMPLATE}"));
    script.run().exits(4).says("token");
    script.env("PKR_VAR_token", "placeholder").run().exits(0);
}

#[test]
fn every_mistake_of_a_template_is_said_in_one_run() {
    let Some(script) = validating() else { return };
    script
        .clone()
        .file("packer/image.pkr.hcl", TEMPLATE.replace("  communicator = ", " communicator="))
        .run()
        .exits(3)
        .says("::error::packer/image.pkr.hcl is not formatted");
    script
        .clone()
        .file(
            "packer/image.pkr.hcl",
            TEMPLATE.replace("  communicator = ", " communicator=").replace("source.null", "source.nil"),
        )
        .run()
        .exits(4)
        .says("is not formatted")
        .says("::error::packer/image.pkr.hcl is not valid");
    std::fs::create_dir_all(script.state()).unwrap();
    std::fs::write(script.state().join("broken"), "").unwrap();
    script.run().exits(1).says("no such plugin").says("could not be installed");
}

#[test]
fn usage() {
    let Some(script) = validating() else { return };
    script.clone().env("TEMPLATE", "none.pkr.hcl").run().exits(2);
    script.env("TEMPLATE", "").run().exits(2);
}
