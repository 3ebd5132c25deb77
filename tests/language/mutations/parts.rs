//! One part of the language, put together from pieces that fit and pieces that do not.

use serde_json::{Map, Value, json};

use super::{Seeds, any_of, fits, with_job, written};
use crate::random::Random;

/// Some keys of a table, each with a piece that fits so many times of a hundred.
fn some(
    random: &mut Random,
    share: usize,
    percent: usize,
    table: &[(&str, &[&str], &[&str])],
) -> Map<String, Value> {
    let mut entries = Map::new();
    for (key, good, bad) in table {
        if random.chance(share) {
            entries.insert((*key).to_owned(), fits(random, percent, good, bad));
        }
    }
    entries
}

pub(super) fn ids(_: &Seeds, random: &mut Random) -> Option<String> {
    let good = ["build", "_x", "a-b", "B2", "a__b", "_", "x9"];
    let bad = ["2d", "-x", "__x", "a b", "a.b", "ü", "", "a/b", "x!", "__"];
    let id = |random: &mut Random| {
        let long = "l".repeat(*random.one(&[98, 99, 100, 120]));
        let id = if random.chance(88) { *random.one(&good) } else { *random.one(&bad) };
        if random.chance(6) { long } else { id.to_owned() }
    };
    let step = |id: String| json!({ "id": id, "run": "a" });
    let steps: Vec<Value> = (0..=random.below(3)).map(|_| step(id(random))).collect();
    let job = json!({ "runs-on": "x", "steps": steps, "outputs": { (id(random)): "a" } });
    let mut jobs = Map::new();
    jobs.insert(id(random), job.clone());
    if random.chance(40) {
        jobs.insert(id(random), json!({ "runs-on": "x", "steps": [step(id(random))] }));
    }
    written(
        &json!({ "on": { "workflow_call": { "inputs": { (id(random)): { "type": "string" } } } }, "jobs": jobs }),
    )
}

pub(super) fn needs(_: &Seeds, random: &mut Random) -> Option<String> {
    let names = ["a", "b", "c", "d"];
    let count = 2 + random.below(3);
    let mut jobs = Map::new();
    for (position, name) in names.iter().take(count).enumerate() {
        let mut job = json!({ "runs-on": "x", "steps": [{ "run": "a" }] });
        let earlier = |random: &mut Random| json!(names[random.below(position.max(1))]);
        let needed = match random.below(22) {
            0..4 => None,
            4..9 if position > 0 => Some(earlier(random)),
            9..15 if position > 0 => Some(json!([earlier(random)])),
            15 | 16 if position > 1 => Some(json!(["a", "b"])),
            17 => Some(json!(*random.one(&names[..count]))),
            18 => Some(json!([*random.one(&["a", "b", "x", "d", "c"])])),
            19 => Some(any_of(
                random,
                &["[]", "null", "\"\"", "{}", "[null]", "[[\"a\"]]", "1", "\"${{ 'a' }}x\"", "true"],
            )),
            20 if position > 0 => Some(json!(["a", "a"])),
            _ => None,
        };
        if let Some(needed) = needed {
            job["needs"] = needed;
        }
        jobs.insert((*name).to_owned(), job);
    }
    written(&json!({ "on": "push", "jobs": jobs }))
}

const SCOPES: &[&str] = &[
    "actions",
    "artifact-metadata",
    "attestations",
    "checks",
    "code-quality",
    "contents",
    "copilot-requests",
    "deployments",
    "discussions",
    "drives",
    "id-token",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
    "vulnerability-alerts",
];

pub(super) fn permissions(_: &Seeds, random: &mut Random) -> Option<String> {
    let block = if random.chance(20) {
        fits(
            random,
            50,
            &["\"read-all\"", "\"write-all\"", "{}"],
            &[
                "null",
                "\"write\"",
                "[]",
                "\"none\"",
                "true",
                "\"\"",
                "[\"contents\"]",
                "\"${{ 'read-all' }} \"",
            ],
        )
    } else {
        let mut scopes = Map::new();
        for _ in 0..=random.below(3) {
            let scope = if random.chance(90) {
                *random.one(SCOPES)
            } else {
                *random.one(&["content", "id_token", "Contents", "metadata", "workflows", "administration"])
            };
            let level = fits(
                random,
                92,
                &["\"read\"", "\"write\"", "\"none\""],
                &["null", "\"admin\"", "true", "\"Read\"", "\"\"", "[]", "\"${{ 'read' }}x\""],
            );
            scopes.insert(scope.to_owned(), level);
        }
        Value::Object(scopes)
    };
    let mut tree = with_job(&json!({}));
    if random.chance(50) {
        tree["permissions"] = block
    } else {
        tree["jobs"]["a"]["permissions"] = block
    }
    written(&tree)
}

/// Events, with activity types that they have.
const EVENTS: &[(&str, &[&str])] = &[
    ("branch_protection_rule", &["created", "edited"]),
    ("check_run", &["completed", "rerequested"]),
    ("check_suite", &["completed"]),
    ("create", &[]),
    ("delete", &[]),
    ("deployment", &[]),
    ("deployment_status", &[]),
    ("discussion", &["answered"]),
    ("discussion_comment", &["edited"]),
    ("fork", &[]),
    ("gollum", &[]),
    ("image_version", &["ready"]),
    ("issue_comment", &["created"]),
    ("issues", &["opened", "typed"]),
    ("label", &["created"]),
    ("merge_group", &["checks_requested"]),
    ("milestone", &["closed"]),
    ("page_build", &[]),
    ("project", &["reopened"]),
    ("project_card", &["moved"]),
    ("project_column", &["updated"]),
    ("public", &[]),
    ("pull_request", &["opened", "stacked", "enqueued"]),
    ("pull_request_comment", &["deleted"]),
    ("pull_request_review", &["submitted"]),
    ("pull_request_review_comment", &["created"]),
    ("pull_request_target", &["labeled"]),
    ("push", &[]),
    ("registry_package", &["published"]),
    ("release", &["released"]),
    ("status", &[]),
    ("watch", &["started"]),
    ("workflow_run", &["completed", "in_progress"]),
    ("workflow_dispatch", &[]),
    ("workflow_call", &[]),
];

pub(super) fn triggers(_: &Seeds, random: &mut Random) -> Option<String> {
    let on = match random.below(10) {
        0 => json!(event(random)),
        1 | 2 => (0..=random.below(3)).map(|_| json!(event(random))).collect(),
        _ => {
            let mut events = Map::new();
            for _ in 0..=random.below(2) {
                let name = event(random);
                let filters = filters(&name, random);
                events.insert(name, filters);
            }
            Value::Object(events)
        }
    };
    let mut tree = with_job(&json!({}));
    tree["on"] = on;
    written(&tree)
}

fn event(random: &mut Random) -> String {
    if random.chance(90) {
        random.one(EVENTS).0.to_owned()
    } else {
        (*random.one(&["pusch", "Push", "schedule", "pull-request", "team_add", "", "member", "deploy_key"]))
            .to_owned()
    }
}

fn filters(event: &str, random: &mut Random) -> Value {
    if random.chance(25) {
        return Value::Null;
    }
    if random.chance(5) {
        return any_of(random, &["[]", "\"main\"", "true", "{}", "[\"opened\"]"]);
    }
    let types = EVENTS.iter().find(|(own, _)| *own == event).map_or(&[][..], |(_, types)| types);
    let own: &[&str] = match event {
        "push" => &["branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore"],
        "pull_request" | "pull_request_target" => {
            &["branches", "branches-ignore", "paths", "paths-ignore", "types"]
        }
        "merge_group" => &["branches", "branches-ignore", "types"],
        "workflow_run" => &["branches", "branches-ignore", "workflows", "types"],
        "image_version" => &["names", "versions", "types"],
        _ if types.is_empty() => return Value::Null,
        _ => &["types"],
    };
    let mut entries = Map::new();
    for _ in 0..=random.below(2) {
        let key = if random.chance(80) {
            *random.one(own)
        } else {
            *random.one(&["branches", "types", "paths", "names", "tag", "branch", "workflows", "versions"])
        };
        let value = if key == "types" && !types.is_empty() {
            let good = json!(*random.one(types));
            let all = json!(types);
            let listed = json!([*random.one(types)]);
            let bad = fits(
                random,
                100,
                &["\"closed_again\"", "[\"opend\"]", "null", "[null]", "{}", "\"Opened\"", "[]"],
                &[],
            );
            random.one(&[good.clone(), good, all.clone(), all, listed, bad]).clone()
        } else {
            fits(
                random,
                90,
                &["\"main\"", "[\"main\", \"release/**\"]", "[\"!a\"]", "[]", "[1, true]", "1.5", "true"],
                &["null", "{}", "\"\"", "[null]", "[\"\"]", "[[\"a\"]]", "[{}]", "\"${{ github.ref }}\""],
            )
        };
        entries.insert(key.to_owned(), value);
    }
    Value::Object(entries)
}

pub(super) fn schedule(_: &Seeds, random: &mut Random) -> Option<String> {
    let field = |random: &mut Random, good: &[&str], bad: &[&str]| {
        let from = if random.chance(93) { good } else { bad };
        (*random.one(from)).to_owned()
    };
    let bad = [
        "60", "-1", "x", "1-", "*/0", "*/", "5-1", "1,,2", "**", "", "1/2/3", "99", "?", "L", "@daily",
        "1-2-3", "*/x", "*-5",
    ];
    let fields = [
        field(
            random,
            &[
                "0", "17", "*/5", "1,2,3", "0-30", "0-30/5", "59", "5/10", "*", "1-5,10", "00", "1.5",
                "5,*/10",
            ],
            &bad,
        ),
        field(random, &["0", "3", "*", "*/6", "23", "1-5", "0,12"], &["24", "-1", "x", "1-", "25-26", "*/0"]),
        field(random, &["1", "*", "31", "1-15", "*/2"], &["0", "32", "x", "L", "?"]),
        field(
            random,
            &["1", "*", "12", "JAN", "jan-mar", "*/3", "Dec", "1,jun"],
            &["0", "13", "january", "foo", "feb-jan"],
        ),
        field(
            random,
            &["0", "*", "6", "MON", "mon-fri", "1-5", "sun,sat", "*/2"],
            &["7", "8", "monday", "fri-mon", "sun-sat/x", "#1"],
        ),
    ];
    let separator = *random.one(&[" ", " ", " ", " ", " ", " ", " ", "  ", "\t"]);
    let mut cron = fields.join(separator);
    match random.below(40) {
        0 => cron.push_str(" *"),
        1 => cron = fields[..4].join(" "),
        2 => cron = format!(" {cron}"),
        3 => cron = "@daily".to_owned(),
        _ => {}
    }
    let mut entry = json!({ "cron": cron });
    if random.chance(25) {
        entry["timezone"] = fits(
            random,
            85,
            &["\"Europe/Berlin\"", "\"UTC\"", "1"],
            &["null", "\"\"", "[]", "\"${{ vars.TZ }}\""],
        );
    }
    let schedule = match random.below(30) {
        0 => entry,
        1 => json!(null),
        2 => json!([]),
        3 => json!([{ "timezone": "UTC" }]),
        4 => json!([{ "cron": "0 3 * * *", "time": "x" }]),
        5 => json!([entry, "x"]),
        6 => json!([{ "cron": null }]),
        _ => json!([entry]),
    };
    let mut tree = with_job(&json!({}));
    tree["on"] = json!({ "schedule": schedule });
    written(&tree)
}

pub(super) fn inputs(_: &Seeds, random: &mut Random) -> Option<String> {
    let event = *random.one(&["workflow_dispatch", "workflow_call"]);
    let kinds: &[&str] = if event == "workflow_call" {
        &["string", "boolean", "number"]
    } else {
        &["string", "boolean", "number", "choice", "environment"]
    };
    let mut inputs = Map::new();
    for name in ["a", "b"].into_iter().take(1 + random.below(2)) {
        let mut input = Map::new();
        let kind = random.chance(85).then(|| *random.one(kinds));
        if let Some(kind) = kind {
            input.insert("type".to_owned(), json!(kind));
        } else if random.chance(30) {
            input.insert(
                "type".to_owned(),
                fits(random, 0, &[], &["\"text\"", "null", "\"choice\"", "1", "\"String\"", "[]"]),
            );
        }
        if random.chance(40) {
            let good: &[&str] = match kind {
                Some("boolean") => &["true", "false"],
                Some("number") => &["1", "1.5", "\"x\"", "true"],
                _ => &["\"x\"", "null", "\"true\"", "\"\""],
            };
            input.insert(
                "default".to_owned(),
                fits(random, 75, good, &["1", "true", "null", "\"x\"", "[]", "{}", "\"${{ github.ref }}\""]),
            );
        }
        if kind == Some("choice") && random.chance(85) || random.chance(4) {
            input.insert(
                "options".to_owned(),
                fits(
                    random,
                    85,
                    &["[\"a\", \"x\"]", "[1, true]", "[null]", "[\"\"]"],
                    &["[]", "\"a\"", "null", "{}", "[[\"a\"]]"],
                ),
            );
        }
        input.extend(some(
            random,
            30,
            90,
            &[
                (
                    "description",
                    &["\"x\"", "1", "true", "null", "\"\""],
                    &["[]", "{}", "\"${{ github.ref }}\""],
                ),
                ("required", &["true", "false"], &["\"true\"", "null", "1", "\"${{ true }}\"", "[]"]),
            ],
        ));
        if random.chance(4) {
            input.insert(
                (*random.one(&["deprecationMessage", "desc", "value", "Required"])).to_owned(),
                json!("x"),
            );
        }
        inputs.insert(name.to_owned(), Value::Object(input));
    }
    let mut trigger = json!({ "inputs": inputs });
    if event == "workflow_call" {
        trigger["outputs"] = fits(
            random,
            90,
            &["{}", "{\"o\": {\"value\": \"x\"}}", "{\"o\": {\"value\": 1, \"description\": null}}"],
            &[
                "null",
                "[]",
                "{\"o\": null}",
                "{\"o\": {}}",
                "{\"o\": \"x\"}",
                "{\"o\": {\"value\": \"x\", \"type\": \"y\"}}",
            ],
        );
        trigger["secrets"] = fits(
            random,
            90,
            &["{}", "{\"s\": null}", "{\"s\": {\"required\": true}}", "{\"s\": {\"description\": 1}}"],
            &[
                "null",
                "[]",
                "{\"s\": {\"required\": \"yes\"}}",
                "{\"s\": \"x\"}",
                "{\"s\": {\"type\": \"x\"}}",
                "\"inherit\"",
            ],
        );
    }
    if random.chance(8) {
        trigger = any_of(
            random,
            &[
                "null",
                "{}",
                "[]",
                "{\"inputs\": {}}",
                "{\"inputs\": null}",
                "{\"inputs\": []}",
                "{\"inputs\": {\"x\": \"y\"}}",
            ],
        );
    }
    let mut tree = with_job(&json!({}));
    tree["on"] = json!({ (event): trigger });
    written(&tree)
}

pub(super) fn concurrency(_: &Seeds, random: &mut Random) -> Option<String> {
    let block = if random.chance(30) {
        fits(
            random,
            50,
            &["\"g\"", "\"${{ github.ref }}\"", "1", "true", "\"a-${{ github.sha }}\""],
            &["null", "\"\"", "[]", "[\"g\"]", "{}"],
        )
    } else {
        let mut entries = some(
            random,
            50,
            80,
            &[
                (
                    "cancel-in-progress",
                    &["true", "false", "\"${{ github.ref == 'x' }}\""],
                    &["\"true\"", "null", "1", "\"\"", "[]"],
                ),
                (
                    "queue",
                    &["\"single\"", "\"max\"", "\"${{ github.ref }}\""],
                    &["\"Max\"", "null", "5", "\"min\"", "[]"],
                ),
            ],
        );
        if random.chance(90) {
            entries.insert(
                "group".to_owned(),
                fits(
                    random,
                    85,
                    &["\"g\"", "\"${{ github.ref }}\"", "1", "true"],
                    &["null", "\"\"", "[]", "{}"],
                ),
            );
        }
        if random.chance(5) {
            entries.insert((*random.one(&["limit", "Group", "cancel", "max"])).to_owned(), json!(1));
        }
        Value::Object(entries)
    };
    let mut tree = with_job(&json!({}));
    if random.chance(50) {
        tree["concurrency"] = block
    } else {
        tree["jobs"]["a"]["concurrency"] = block
    }
    written(&tree)
}

const STEP_KEYS: &[(&str, &[&str], &[&str])] = &[
    ("name", &["\"x\"", "1", "null", "\"${{ github.ref }}\""], &["[]", "{}"]),
    ("id", &["\"x\"", "\"_y\""], &["\"\"", "null", "\"1\"", "\"${{ github.ref }}\"", "[]", "1"]),
    (
        "if",
        &[
            "true",
            "\"github.ref == 'x'\"",
            "\"${{ success() }}\"",
            "null",
            "1",
            "\"always() && !cancelled()\"",
        ],
        &["[]", "{}", "\"1 +\"", "\"(\""],
    ),
    (
        "env",
        &["{}", "{\"A\": 1}", "{\"A\": null, \"B\": \"${{ github.ref }}\"}"],
        &["null", "[]", "\"x\"", "{\"A\": []}", "{\"\": 1}", "{\"A\": {}}"],
    ),
    ("continue-on-error", &["true", "\"${{ github.ref }}\""], &["\"true\"", "null", "1", "[]"]),
    (
        "timeout-minutes",
        &["5", "1.5", "0", "\"${{ github.run_id }}\"", "-1"],
        &["\"5\"", "null", "true", "[]"],
    ),
    ("background", &["true", "false"], &["\"true\"", "null", "\"${{ true }}\"", "1"]),
];

pub(super) fn steps(_: &Seeds, random: &mut Random) -> Option<String> {
    let mut step = some(random, 25, 88, STEP_KEYS);
    match random.below(12) {
        0 => {}
        1 => {
            step.insert("run".to_owned(), json!("x"));
            step.insert("uses".to_owned(), json!("./x"));
        }
        2..7 => {
            step.insert(
                "run".to_owned(),
                fits(
                    random,
                    92,
                    &["\"make\"", "1", "null", "\"a\\nb\\n\"", "\"echo ${{ github.ref }}\"", "true", "\"\""],
                    &["[]", "{}"],
                ),
            );
            step.extend(some(
                random,
                25,
                88,
                &[
                    (
                        "shell",
                        &["\"bash\"", "\"bash -e {0}\"", "1"],
                        &["null", "\"\"", "[]", "\"${{ matrix.shell }}\""],
                    ),
                    (
                        "working-directory",
                        &["\"x\"", "null", "\"${{ github.workspace }}\"", "1"],
                        &["[]", "{}"],
                    ),
                ],
            ));
            if random.chance(8) {
                step.insert("with".to_owned(), json!({}));
            }
        }
        _ => {
            step.insert(
                "uses".to_owned(),
                fits(
                    random,
                    92,
                    &["\"actions/checkout@v7\"", "\"./x\"", "\"docker://x\"", "\"$/x\"", "\"a/b/c@d\""],
                    &["null", "\"\"", "[]", "{}", "\"a/b@${{ github.ref }}\""],
                ),
            );
            if random.chance(40) {
                step.insert(
                    "with".to_owned(),
                    fits(
                        random,
                        85,
                        &[
                            "{}",
                            "{\"a\": 1}",
                            "{\"a\": null, \"b\": true}",
                            "{\"a\": \"${{ github.ref }}\"}",
                            "\"${{ fromJSON('{}') }}\"",
                        ],
                        &["null", "[]", "\"x\"", "{\"a\": []}", "{\"\": 1}"],
                    ),
                );
            }
            if random.chance(8) {
                step.insert((*random.one(&["shell", "working-directory", "run"])).to_owned(), json!("x"));
            }
        }
    }
    if random.chance(4) {
        step.insert(
            (*random.one(&["needs", "Run", "outputs", "retry", "environment", "step"])).to_owned(),
            json!("x"),
        );
    }
    let steps = match random.below(30) {
        0 => any_of(
            random,
            &["null", "{}", "\"x\"", "[]", "[null]", "[[]]", "[\"x\"]", "\"${{ fromJSON('[]') }}\""],
        ),
        _ => json!([step]),
    };
    written(&with_job(&json!({ "steps": steps })))
}

pub(super) fn background_steps(_: &Seeds, random: &mut Random) -> Option<String> {
    let mut steps =
        vec![json!({ "id": "one", "run": "a", "background": true }), json!({ "id": "two", "uses": "./x" })];
    if random.chance(10) {
        drop(steps.remove(0));
    }
    for _ in 0..=random.below(2) {
        let mut step = match random.below(5) {
            0 => {
                json!({ "wait": fits(random, 80, &["\"one\"", "[\"one\"]", "[\"one\", \"two\"]", "[]"], &["\"three\"", "null", "\"\"", "[null]", "{}", "\"__x\"", "\"One\"", "\"${{ github.ref }}\"", "1"]) })
            }
            1 => {
                json!({ "wait-all": fits(random, 75, &["true", "null"], &["false", "\"true\"", "1", "[]", "\"\"", "\"${{ true }}\""]) })
            }
            2 => {
                json!({ "cancel": fits(random, 80, &["\"one\"", "\"two\""], &["\"three\"", "null", "\"\"", "[\"one\"]", "\"ONE\"", "true"]) })
            }
            3 => {
                json!({ "parallel": fits(random, 75, &["[{\"run\": \"a\"}]", "[{\"run\": \"a\", \"id\": \"one\"}, {\"uses\": \"./x\"}]", "[]"], &["null", "{}", "[{\"run\": \"a\", \"background\": true}]", "[{\"wait\": \"one\"}]", "[{\"parallel\": []}]", "[{\"wait-all\": true}]", "[{\"name\": \"x\"}]", "[{\"cancel\": \"one\"}]", "[{\"run\": \"a\", \"id\": \"x\"}, {\"run\": \"a\", \"id\": \"x\"}]", "\"x\""]) })
            }
            _ => {
                json!({ "run": "a", "background": fits(random, 80, &["true", "false"], &["null", "\"yes\"", "1"]) })
            }
        };
        if random.chance(20) {
            step[*random.one(&["name", "id", "continue-on-error", "if", "env", "timeout-minutes"])] =
                any_of(random, &["\"three\"", "\"x\"", "true", "{}"]);
        }
        steps.push(step);
    }
    written(&with_job(&json!({ "steps": steps })))
}

pub(super) fn calls(_: &Seeds, random: &mut Random) -> Option<String> {
    let mut job = some(
        random,
        30,
        85,
        &[
            ("name", &["\"x\"", "1", "null", "\"${{ github.ref }}\""], &["[]", "{}"]),
            (
                "with",
                &["{}", "{\"a\": 1, \"b\": true}", "{\"a\": null}", "{\"a\": \"${{ github.ref }}\"}"],
                &["null", "[]", "{\"a\": []}", "{\"\": 1}", "\"${{ fromJSON('{}') }}\""],
            ),
            (
                "secrets",
                &["\"inherit\"", "{}", "{\"a\": \"${{ secrets.A }}\"}", "{\"a\": 1}"],
                &["null", "\"Inherit\"", "[]", "{\"a\": []}", "true", "\"${{ secrets }}\""],
            ),
            ("if", &["true", "\"github.ref == 'x'\"", "\"${{ always() }}\""], &["[]", "{}", "\"1 +\""]),
            ("permissions", &["{}", "\"read-all\"", "{\"contents\": \"read\"}"], &["null", "[]", "\"all\""]),
            ("concurrency", &["\"g\"", "{\"group\": \"g\"}"], &["null", "[]", "{}"]),
            (
                "strategy",
                &["{}", "{\"matrix\": {\"a\": [1]}}", "\"${{ fromJSON('{}') }}\""],
                &["null", "[]", "{\"a\": 1}"],
            ),
        ],
    );
    if random.chance(95) {
        job.insert(
            "uses".to_owned(),
            fits(
                random,
                88,
                &[
                    "\"./.github/workflows/x.yml\"",
                    "\"a/b/.github/workflows/x.yml@v1\"",
                    "\"$/.github/workflows/x.yml\"",
                ],
                &["null", "\"\"", "[]", "{}", "\"./x-${{ github.ref }}.yml\""],
            ),
        );
    }
    if random.chance(15) {
        job.insert(
            (*random.one(&[
                "runs-on",
                "steps",
                "env",
                "timeout-minutes",
                "outputs",
                "container",
                "continue-on-error",
                "environment",
                "defaults",
                "services",
            ]))
            .to_owned(),
            json!("x"),
        );
    }
    written(&json!({ "on": "push", "jobs": { "a": job } }))
}

pub(super) fn runners(_: &Seeds, random: &mut Random) -> Option<String> {
    let mut job = Map::new();
    if random.chance(85) {
        let map = some(
            random,
            70,
            80,
            &[
                (
                    "group",
                    &[
                        "\"g\"",
                        "\"org/g\"",
                        "\"ent/g\"",
                        "\"enterprise/x\"",
                        "\"${{ vars.G }}\"",
                        "1",
                        "\"organization/x\"",
                    ],
                    &["null", "\"\"", "[]", "\"a/b\"", "\"a/b/c\"", "\"org/\"", "{}"],
                ),
                (
                    "labels",
                    &["\"x\"", "[\"x\", \"y\"]", "\"${{ vars.L }}\"", "[]", "[\"${{ vars.L }}\"]"],
                    &["null", "\"\"", "[null]", "{}", "[[]]"],
                ),
            ],
        );
        let value = if random.chance(50) {
            Value::Object(map)
        } else {
            fits(
                random,
                65,
                &[
                    "\"x\"",
                    "[\"x\"]",
                    "[\"self-hosted\", 1]",
                    "\"${{ matrix.os }}\"",
                    "[\"${{ vars.A }}\"]",
                    "\"${{ fromJSON('[]') }}\"",
                    "1",
                    "[]",
                    "{}",
                ],
                &["null", "\"\"", "[null]", "[[\"x\"]]", "{\"label\": \"x\"}", "[{}]", "[\"\"]"],
            )
        };
        job.insert("runs-on".to_owned(), value);
    } else {
        job.insert("runs-on".to_owned(), json!("x"));
    }
    job.extend(some(
        random,
        45,
        78,
        &[
            (
                "environment",
                &[
                    "\"prod\"",
                    "{\"name\": \"prod\"}",
                    "{\"name\": \"${{ github.ref }}\", \"url\": \"x\"}",
                    "{\"name\": 1, \"deployment\": false}",
                    "\"${{ vars.E }}\"",
                    "null",
                    "\"\"",
                    "{\"name\": null}",
                ],
                &[
                    "[]",
                    "{}",
                    "{\"url\": \"x\"}",
                    "{\"name\": \"a\", \"deployment\": \"no\"}",
                    "{\"name\": \"a\", \"id\": 1}",
                    "{\"name\": []}",
                ],
            ),
            (
                "snapshot",
                &[
                    "\"x\"",
                    "{\"image-name\": \"x\"}",
                    "{\"image-name\": \"x\", \"version\": \"1.*\", \"if\": \"${{ github.ref == 'x' }}\"}",
                ],
                &["null", "{}", "[]", "{\"version\": \"1\"}", "{\"image-name\": \"\"}", "\"${{ vars.I }}\""],
            ),
        ],
    ));
    let mut tree = with_job(&json!({}));
    for (key, value) in job {
        tree["jobs"]["a"][key] = value;
    }
    written(&tree)
}

pub(super) fn containers(_: &Seeds, random: &mut Random) -> Option<String> {
    let table: &[(&str, &[&str], &[&str])] = &[
        (
            "env",
            &["{}", "{\"A\": 1}", "{\"A\": \"${{ github.ref }}\"}", "{\"A\": null}"],
            &["null", "[]", "{\"A\": []}"],
        ),
        ("ports", &["[80]", "[\"80:80\"]", "[]"], &["80", "null", "[null]", "{}", "[\"\"]"]),
        ("volumes", &["[\"a:b\"]", "[]"], &["\"a:b\"", "null", "{}", "[[]]"]),
        ("options", &["\"--cpus 1\"", "null", "1", "\"\""], &["[]", "{}"]),
        (
            "credentials",
            &[
                "{\"username\": \"a\", \"password\": \"${{ secrets.P }}\"}",
                "{}",
                "{\"username\": 1}",
                "{\"username\": \"a\", \"password\": \"b\"}",
            ],
            &["null", "[]", "{\"user\": \"a\"}", "{\"username\": null}", "\"x\""],
        ),
        ("entrypoint", &["\"x\"", "null", "1"], &["[]"]),
        ("command", &["\"x\"", "null"], &["{}"]),
    ];
    let is_service = random.chance(50);
    let value = if random.chance(30) {
        fits(
            random,
            60,
            &["\"node:20\"", "\"${{ matrix.c }}\"", "{\"image\": \"x\"}", "1"],
            &["null", "\"\"", "[]", "{}", "[\"x\"]", "{\"image\": null}", "{\"image\": \"\"}"],
        )
    } else {
        let mut map = some(random, 30, 85, &table[..if is_service { 7 } else { 5 }]);
        if random.chance(92) {
            map.insert("image".to_owned(), json!("x"));
        }
        if random.chance(6) {
            map.insert(
                (*random.one(&["name", "entrypoint", "run", "Image", "command"])).to_owned(),
                json!("x"),
            );
        }
        Value::Object(map)
    };
    let job = if is_service {
        json!({ "services": fits(random, 92, &["{}"], &["null", "[]", "\"x\"", "{\"\": \"x\"}"]) })
    } else {
        json!({ "container": value })
    };
    let mut tree = with_job(&job);
    if is_service && tree["jobs"]["a"]["services"] == json!({}) {
        tree["jobs"]["a"]["services"] = json!({ "db": value });
    }
    written(&tree)
}

pub(super) fn matrix(_: &Seeds, random: &mut Random) -> Option<String> {
    let mut axes = some(
        random,
        55,
        85,
        &[
            (
                "os",
                &[
                    "[\"x\", 1, true, null]",
                    "[{\"a\": 1}]",
                    "[[1]]",
                    "\"${{ fromJSON('[]') }}\"",
                    "[\"${{ github.ref }}\"]",
                    "[1]",
                ],
                &["\"x\"", "null", "{}", "1", "true", "\"\""],
            ),
            (
                "include",
                &[
                    "[{\"a\": 1}]",
                    "[{\"a\": [1], \"b\": {}}]",
                    "[]",
                    "\"${{ fromJSON('[]') }}\"",
                    "[{}]",
                    "[\"${{ fromJSON('{}') }}\"]",
                ],
                &["{}", "null", "[1]", "\"x\"", "[[]]", "[null]", "[{\"\": 1}]"],
            ),
            (
                "exclude",
                &["[{\"os\": \"x\"}]", "[]", "\"${{ fromJSON('[]') }}\""],
                &["{}", "null", "[\"x\"]", "[{\"\": 1}]"],
            ),
        ],
    );
    if random.chance(60) || axes.is_empty() {
        axes.insert("v".to_owned(), json!([1, 2]));
    }
    let mut strategy = some(
        random,
        25,
        85,
        &[
            (
                "fail-fast",
                &["true", "false", "\"${{ github.ref == 'x' }}\""],
                &["\"true\"", "null", "1", "[]"],
            ),
            (
                "max-parallel",
                &["1", "1.5", "\"${{ github.run_id }}\"", "0"],
                &["\"1\"", "null", "true", "[]"],
            ),
        ],
    );
    strategy.insert(
        "matrix".to_owned(),
        match random.below(12) {
            0 => any_of(
                random,
                &["null", "[]", "\"x\"", "\"${{ fromJSON('{}') }}\"", "\"${{ needs.a.outputs.m }}\""],
            ),
            _ => Value::Object(axes),
        },
    );
    if random.chance(6) {
        strategy.insert((*random.one(&["parallel", "Matrix", "fail_fast", "include"])).to_owned(), json!([]));
    }
    let strategy = match random.below(20) {
        0 => any_of(random, &["null", "[]", "\"x\"", "\"${{ fromJSON('{}') }}\"", "{}"]),
        _ => Value::Object(strategy),
    };
    written(&with_job(&json!({ "strategy": strategy })))
}

pub(super) fn job_keys(_: &Seeds, random: &mut Random) -> Option<String> {
    let job = some(
        random,
        14,
        82,
        &[
            ("name", &["\"x\"", "1", "null", "\"${{ github.ref }}\"", "true"], &["[]", "{}"]),
            (
                "if",
                &[
                    "true",
                    "null",
                    "\"github.ref == 'x'\"",
                    "\"${{ always() }}\"",
                    "1",
                    "\"\"",
                    "\"success('a')\"",
                ],
                &["[]", "{}", "\"1 +\""],
            ),
            (
                "timeout-minutes",
                &["5", "1.5", "0", "\"${{ github.run_id }}\"", "-1", "1e3"],
                &["\"5\"", "null", "true", "[]"],
            ),
            ("cancel-timeout-minutes", &["5", "\"${{ github.run_id }}\""], &["\"5\"", "null", "true", "[]"]),
            ("continue-on-error", &["true", "\"${{ github.ref }}\""], &["\"true\"", "null", "1", "[]"]),
            (
                "env",
                &["{}", "{\"A\": 1, \"B\": null}", "{\"A\": \"${{ github.ref }}\"}"],
                &["null", "[]", "\"x\"", "{\"A\": []}", "{\"\": 1}"],
            ),
            (
                "outputs",
                &["{}", "{\"a\": 1}", "{\"a\": \"${{ steps.x.outputs.y }}\"}", "{\"a\": null}"],
                &["null", "[]", "\"x\"", "{\"a\": []}", "\"${{ github.ref }}\"", "{\"\": 1}"],
            ),
            (
                "defaults",
                &[
                    "{}",
                    "{\"run\": {}}",
                    "{\"run\": {\"shell\": \"bash\"}}",
                    "{\"run\": {\"working-directory\": \"${{ github.ref }}\"}}",
                    "{\"run\": {\"shell\": 1}}",
                ],
                &[
                    "null",
                    "[]",
                    "{\"run\": null}",
                    "{\"run\": {\"shell\": null}}",
                    "{\"shell\": \"x\"}",
                    "{\"run\": {\"cwd\": \"x\"}}",
                    "{\"run\": \"x\"}",
                ],
            ),
            ("permissions", &["{}", "\"read-all\""], &["null", "[]"]),
        ],
    );
    let mut tree = with_job(&Value::Object(job));
    for (key, value) in some(
        random,
        14,
        80,
        &[
            ("name", &["\"x\"", "1", "null", "true"], &["[]", "{}", "\"${{ github.ref }}\""]),
            ("run-name", &["\"x\"", "\"${{ github.ref }}\"", "null"], &["[]"]),
            ("description", &["\"x\"", "1"], &["[]", "\"${{ github.ref }}\""]),
            (
                "env",
                &["{}", "{\"A\": 1}", "{\"A\": \"${{ github.ref }}\"}"],
                &["null", "[]", "\"x\"", "{\"A\": []}"],
            ),
            (
                "defaults",
                &["{}", "{\"run\": {\"shell\": \"bash\"}}"],
                &["null", "{\"run\": {\"shell\": \"${{ github.ref }}\"}}", "{\"run\": []}"],
            ),
            (
                "on",
                &["\"push\"", "[\"push\"]", "{\"push\": null}", "[]", "{}"],
                &["null", "1", "true", "\"\"", "[null]", "[[\"push\"]]", "{\"push\": \"main\"}"],
            ),
        ],
    ) {
        tree[key] = value;
    }
    if random.chance(4) {
        tree[*random.one(&["timeout-minutes", "Jobs", "step", "true", "version", "if"])] = json!("x");
    }
    if random.chance(4) {
        tree["jobs"]["a"]
            [*random.one(&["step", "with", "secrets", "Env", "artifacts", "retry", "timeout"])] = json!({});
    }
    written(&tree)
}
