use super::script::{HOSTILE, Ran, Script, assert_inert};
use crate::tool;
use serde_json::{Value, json};

/// A summary as plan-summary.jq writes it.
fn summary(changes: &[(&str, &str)]) -> Value {
    let is_destroyed = |action: &str| action == "delete" || action == "replace";
    let listed = |destroyed: bool| -> Vec<Value> {
        let wanted = changes.iter().filter(|(action, _)| is_destroyed(action) == destroyed);
        wanted.map(|(action, address)| json!({"address": address, "action": action})).collect()
    };
    let count = |name: &str| changes.iter().filter(|(action, _)| *action == name).count();
    let class = if changes.is_empty() {
        "none"
    } else if listed(true).is_empty() {
        "changes"
    } else {
        "destructive"
    };
    json!({
        "class": class, "errored": false, "complete": true,
        "counts": {
            "create": count("create"), "update": count("update"), "replace": count("replace"), "delete": count("delete"),
            "import": count("import"), "move": count("move"), "forget": count("forget"), "read": count("read"), "drift": 0,
        },
        "destructive": listed(true), "changed": listed(false), "drift": [], "outputs": [],
    })
}

fn policy(action: &str, summary: &Value) -> Script {
    Script::new("plan-policy.sh")
        .env("PLAN_DIR", "the plan")
        .env("ACTION", action)
        .file("the plan/plan-summary.json", summary.to_string())
}

fn protecting(protected: &str, changes: &[(&str, &str)]) -> Script {
    policy("apply", &summary(changes)).env("PROTECTED", json!([protected]).to_string())
}

#[test]
fn a_plan_that_does_what_it_may_is_allowed() {
    let changes =
        [("create", "a.b"), ("update", "a.c"), ("delete", "a.d"), ("replace", "a.e"), ("forget", "a.f")];
    for action in ["plan", "apply", "destroy"] {
        let script = policy(action, &summary(&changes)).env("PROTECTED", r#"["x.y", "module.z"]"#);
        for _ in 0..2 {
            let ran = script.run().exits(0).says(&format!("the plan does nothing that {action} may not"));
            assert!(ran.summary.is_empty());
        }
    }
}

#[test]
fn nothing_to_do_is_allowed_for_every_action() {
    for action in ["plan", "apply", "destroy", "promote", "rollback", "converge"] {
        let script = policy(action, &summary(&[])).env("PROTECTED", r#"["a.b"]"#);
        script.run().exits(0).says("the plan has nothing to do");
    }
}

#[test]
fn a_rollback_destroys_nothing_that_nobody_has_seen() {
    for approval in ["none", ""] {
        for change in ["delete", "replace"] {
            let script =
                policy("rollback", &summary(&[(change, "a.b"), ("update", "a.c")])).env("APPROVAL", approval);
            let ran = script.run().exits(1).says("go forward with the tf workflow instead");
            let ran = ran.says(&format!("{change}: a.b (a rollback that nobody has seen destroys nothing)"));
            assert!(!ran.summary.contains("a.c"), "{}", ran.summary);
            script.env("APPROVAL", "reviewers").run().exits(0);
        }
        let rest = [("create", "a.b"), ("update", "a.c"), ("forget", "a.d")];
        policy("rollback", &summary(&rest)).env("APPROVAL", approval).run().exits(0);
    }
    policy("rollback", &summary(&[])).env("APPROVAL", "nobody").run().exits(2);
}

#[test]
fn what_is_protected_is_not_destroyed_replaced_or_forgotten() {
    for action in ["plan", "apply", "destroy", "promote", "rollback"] {
        for change in ["delete", "replace", "forget"] {
            policy(action, &summary(&[(change, "aws_db_instance.main")]))
                .env("PROTECTED", r#"["aws_db_instance.main"]"#)
                .run()
                .exits(1)
                .says(&format!("{change}: aws_db_instance.main (aws_db_instance.main is protected)"))
                .says(&format!("::error::the plan is refused for {action}"))
                .shows(&format!("- {change}: `aws_db_instance.main` – `aws_db_instance.main is protected`"));
        }
    }
    for change in ["create", "update", "read", "import", "move"] {
        protecting("aws_db_instance.main", &[(change, "aws_db_instance.main")]).run().exits(0);
    }
}

#[test]
fn an_address_protects_its_instances_and_a_modules_everything_in_it() {
    for (protected, address) in [
        ("a.b", "a.b[0]"),
        ("a.b", "a.b[\"x.y[0]\"]"),
        ("a.b[0]", "a.b[0]"),
        ("module.x", "module.x.a.b"),
        ("module.x", "module.x[\"k\"].a.b[1]"),
        ("module.x", "module.x.module.y.a.b"),
        ("module.x[0]", "module.x[0].a.b"),
        ("module.x[\"a.b\"]", "module.x[\"a.b\"].a.b"),
        ("module.x.module.y", "module.x.module.y[0].a.b"),
        ("module.x.a.b", "module.x.a.b[\"c\"]"),
        // Without a key it means all instances, on the way too.
        ("module.x.a.b", "module.x[0].a.b"),
        ("module.x.module.y", "module.x[\"q\\\"]\"].module.y.a.b"),
    ] {
        protecting(protected, &[("delete", address)])
            .run()
            .exits(1)
            .says(&format!("{protected} is protected"));
    }
    for (protected, address) in [
        ("a.b", "a.bc"),
        ("a.b", "module.x.a.b"),
        ("a.b[0]", "a.b[1]"),
        ("a.b[0]", "a.b"),
        ("module.x", "module.xy.a.b"),
        ("module.x", "module.y.module.x.a.b"),
        ("module.x[0]", "module.x[1].a.b"),
        ("module.x.a", "module.x.a.b"), // a half of a resource's address is none
    ] {
        protecting(protected, &[("delete", address)]).run().exits(0);
    }
}

#[test]
fn a_move_does_not_lift_the_protection() {
    let mut moved = summary(&[("replace", "a.new")]);
    moved["destructive"][0]["previous"] = json!("a.old");
    policy("apply", &moved)
        .env("PROTECTED", r#"["a.old"]"#)
        .run()
        .exits(1)
        .says("replace: a.new (a.old is protected)");
    policy("apply", &moved).env("PROTECTED", r#"["a.other"]"#).run().exits(0);
}

#[test]
fn a_masked_address_counts_as_what_it_may_be() {
    for (protected, address) in [
        ("a.b[\"prod\"]", "a.b[\"***\"]"),
        ("aws_db_instance.main", "aws_db_instance.***"),
        ("aws_db_instance.main", "***_db_instance.main"),
        ("module.x.a.b", "module.x[0].***"),
        ("module.data", "module.data.***"),
    ] {
        let ran = protecting(protected, &[("delete", address)]).run().exits(1);
        ran.says(protected).says("is protected");
    }
    protecting("a.b[\"prod\"]", &[("delete", "a.c[\"***\"]")]).run().exits(0);
}

#[test]
fn every_offending_address_is_listed() {
    let addresses: Vec<String> = (0..300).map(|number| format!("module.x.a.b[{number}]")).collect();
    let changes: Vec<(&str, &str)> = addresses.iter().map(|address| ("delete", address.as_str())).collect();
    let ran = protecting("module.x", &changes).run().exits(1).says("300 refused");
    for address in &addresses {
        assert!(
            ran.log.contains(&format!("delete: {address} ")) && ran.summary.contains(&format!("`{address}`"))
        );
    }
    // More than a step may write to its summary: the log has all of them.
    let long = "x".repeat(290);
    let addresses: Vec<String> = (0..3_000).map(|number| format!("module.x.a.{long}[{number}]")).collect();
    let changes: Vec<(&str, &str)> = addresses.iter().map(|address| ("delete", address.as_str())).collect();
    let ran = protecting("module.x", &changes).run().exits(1).says("3000 refused").shows("- …");
    assert_eq!(ran.log.matches("delete: ").count(), 3_000);
}

#[test]
fn promote_only_updates_and_lists_what() {
    let ran = policy(
        "promote",
        &summary(&[("update", "aws_lb_listener.http"), ("update", "a.b[\"x\"]"), ("read", "data.c.d")]),
    )
    .run()
    .exits(0)
    .says("update: aws_lb_listener.http")
    .shows("- update: `aws_lb_listener.http`")
    .shows("- update: `a.b[\"x\"]`");
    assert!(!ran.summary.contains("data.c.d"), "{}", ran.summary);
    for change in ["create", "replace", "delete", "import", "move", "forget"] {
        policy("promote", &summary(&[("update", "a.b"), (change, "a.c")]))
            .run()
            .exits(1)
            .says(&format!("{change}: a.c (promote may only update)"))
            .says(&format!("the plan has 1 of the kind {change}"))
            .shows("- update: `a.b`");
    }
    // An update that is an import or a move as well is only counted as one.
    for kind in ["import", "move"] {
        let mut both = summary(&[("update", "a.b")]);
        both["counts"][kind] = json!(1);
        policy("promote", &both).run().exits(1).says(&format!("the plan has 1 of the kind {kind}"));
    }
    let mut outputs = summary(&[]);
    outputs["class"] = json!("outputs-only");
    outputs["outputs"] = json!([{"name": "live", "action": "update"}]);
    policy("promote", &outputs).run().exits(0);
}

#[test]
fn converge_finds_nothing_to_do() {
    policy("converge", &summary(&[("update", "a.b")]))
        .run()
        .exits(1)
        .says("the configuration never comes to rest")
        .says("update: a.b")
        .shows("- update: `a.b`");
    let mut outputs = summary(&[]);
    outputs["class"] = json!("outputs-only");
    outputs["outputs"] = json!([{"name": "now", "action": "update"}]);
    policy("converge", &outputs).run().exits(1).says("the configuration never comes to rest");
}

#[test]
fn a_plan_with_errors_is_refused() {
    for (key, value) in [("errored", true), ("complete", false)] {
        let mut plan = summary(&[("update", "a.b")]);
        plan[key] = json!(value);
        policy("apply", &plan).run().exits(1).says("the plan is errored or incomplete");
    }
}

#[test]
fn hostile_addresses_stay_inert() {
    let addresses: Vec<String> = HOSTILE.iter().map(|hostile| format!("a.b[{hostile}]")).collect();
    let changes: Vec<(&str, &str)> = addresses.iter().map(|address| ("delete", address.as_str())).collect();
    let check = |ran: Ran| assert_inert(&ran.summary, &[]);
    check(protecting("a.b", &changes).run().exits(1));
    check(policy("promote", &summary(&changes)).run().exits(1));
    let updates: Vec<(&str, &str)> = HOSTILE.iter().map(|hostile| ("update", *hostile)).collect();
    check(policy("promote", &summary(&updates)).run().exits(0));
    for hostile in HOSTILE {
        check(protecting(hostile, &[("delete", hostile)]).run().exits(1));
    }
}

#[test]
fn a_real_plan_is_judged() {
    if tool::find("terraform").is_none() {
        return;
    }
    let text = "variable \"size\" { default = 1 }\nresource \"terraform_data\" \"volume\" {\n  count            = 2\n  triggers_replace = var.size\n}\n";
    let plan = Script::new("terraform-plan.sh").file("stack/main.tf", text);
    let plan = plan.prepare("terraform", &["-chdir=stack", "init"]);
    let plan = plan.prepare("terraform", &["-chdir=stack", "apply", "-auto-approve"]);
    let environment = [
        ("TF_COMMAND", "terraform"),
        ("STACK_DIRECTORY", "stack"),
        ("PLAN_DIR", "the plan"),
        ("ENVIRONMENT", "dev"),
        ("STACK", "app"),
        ("PUBLISH", "summary"),
    ];
    let plan = environment.iter().fold(plan, |plan, (key, value)| plan.env(key, value));
    plan.clone().env("VARIABLES", r#"{"size": 2}"#).run().exits(0);
    let policy = plan.then("plan-policy.sh").env("PLAN_DIR", "the plan").env("ACTION", "apply");
    let policy = policy.env("PROTECTED", r#"["terraform_data.volume"]"#);
    policy.run().exits(1).says("replace: terraform_data.volume[0]").says("replace: terraform_data.volume[1]");
    // Moved first, it is protected by its earlier address still.
    let moved = text.replace("\"volume\"", "\"disk\"")
        + "moved {\n  from = terraform_data.volume\n  to   = terraform_data.disk\n}\n";
    plan.clone().file("stack/main.tf", moved).env("VARIABLES", r#"{"size": 2}"#).run().exits(0);
    policy.run().exits(1).says("replace: terraform_data.disk[0] (terraform_data.volume is protected)");
    plan.file("stack/main.tf", text).run().exits(0).outputs("class", "none");
    policy.run().exits(0);
}

#[test]
fn refuses_settings_of_the_wrong_shape() {
    let fine = summary(&[("delete", "a.b")]);
    for (key, value) in [
        ("PLAN_DIR", ""),
        ("PLAN_DIR", "missing"),
        ("ACTION", "Apply"),
        ("ACTION", ""),
        ("PROTECTED", "{}"),
        ("PROTECTED", "[1]"),
        ("PROTECTED", r#"[""]"#),
        ("PROTECTED", "[] []"),
    ] {
        policy("apply", &fine).env(key, value).run().exits(2).says(key);
    }
    for hostile in HOSTILE {
        for key in ["PLAN_DIR", "ACTION", "PROTECTED"] {
            policy("apply", &fine).env(key, hostile).run().exits(2);
        }
    }
}

#[test]
fn an_unreadable_summary_is_never_an_empty_plan() {
    let fine = summary(&[("delete", "a.b")]);
    let mut texts = vec![String::new(), "{}".to_owned(), "no json".to_owned(), format!("{fine} {fine}")];
    for (pointer, value) in [
        ("/class", json!("none")),
        ("/class", json!("unheard of")),
        ("/errored", json!("no")),
        ("/complete", json!(null)),
        ("/destructive", json!([])),
        ("/destructive", json!(null)),
        ("/destructive/0/action", json!("obliterate")),
        ("/destructive/0/address", json!(7)),
        ("/counts/delete", json!(0)),
        ("/counts/forget", json!(-1)),
        ("/counts", json!({})),
        ("/changed", json!("x")),
    ] {
        let mut broken = fine.clone();
        *broken.pointer_mut(pointer).unwrap() = value;
        texts.push(broken.to_string());
    }
    for text in texts {
        let script = policy("apply", &fine).file("the plan/plan-summary.json", &text);
        script.run().exits(2).says("plan-summary.json is not one that terraform-plan.sh writes");
    }
}
