//! Every `run:` body of the examples is executed as it is rendered, in success and in its main failure.
//!
//! A test that executes an example's workflows is a story ([`story`]); what each body came to is written down in
//! `executed.tsv` ([`ledger`]), and which step of which job it was in `places.tsv` ([`place`]). Every story sees that its own
//! lines still hold. So the tests here need to execute nothing: they compare the rendered trees with both, and the first
//! with what is stood in for, which `examples/README.md` lists.

mod body; // what a body is told by, and when it has failed
mod excuse; // what no tool here can run, and what never happens
mod ledger; // who has shown what
mod place; // where: who has executed which step of which job
mod story; // a test that shows it

use std::collections::BTreeSet;
use std::fs;

pub(crate) use body::{Example, example_in};
use excuse::{ENDS_ONE_WAY, NEVER_DUE, STOOD_IN};
use ledger::{Demand, End, Ledger};
pub(crate) use story::{Story, note, story};

use crate::tool;

/// All that has to be shown of some examples.
fn demands(examples: &[Example]) -> BTreeSet<Demand> {
    let mut demands = BTreeSet::new();
    for example in examples {
        for body in example.bodies.values() {
            let body = body::name_of(&body.text);
            let never = |end| ENDS_ONE_WAY.iter().any(|(own, only, _)| *own == body && *only != end);
            let is_due = !NEVER_DUE.iter().any(|(own, never, _)| *own == example.name && *never == body);
            if is_due && !never(End::Success) {
                demands.insert(Demand::new(&body, End::Success, &example.name));
            }
            if !never(End::Failure) && body::can_fail(&body) {
                demands.insert(Demand::new(&body, End::Failure, &example.name));
            }
        }
    }
    demands
}

/// What is wrong with a ledger, for these examples.
fn mistakes(examples: &[Example], ledger: &Ledger) -> Vec<String> {
    let demands = demands(examples);
    let mut mistakes = unshown(&demands, ledger);
    for (demand, witness) in &ledger.0 {
        if !demands.contains(demand) {
            mistakes.push(format!("no example asks for what {} shows: {demand:?}", witness.story));
        }
        if !tells(&witness.story) {
            mistakes.push(format!("there is no such story: {}", witness.story));
        }
        for name in witness.stand_ins.iter().filter(|_| demand.end == End::Success) {
            if !STOOD_IN.iter().any(|(own, _)| own == name) {
                mistakes.push(format!("nothing excuses that {name} is stood in for: {}", demand.body));
            }
        }
    }
    mistakes
}

fn unshown(demands: &BTreeSet<Demand>, ledger: &Ledger) -> Vec<String> {
    let unshown = demands.iter().filter(|demand| !ledger.0.contains_key(demand));
    let say = |demand: &Demand| match &demand.example {
        Some(example) => format!("nobody shows that this succeeds in {example}: {}", demand.body),
        None => format!("nobody shows how this fails: {}", demand.body),
    };
    unshown.map(say).collect()
}

/// Whether there is a test of this name that begins as a story.
fn tells(story: &str) -> bool {
    let (module, name) = story.rsplit_once("::").unwrap();
    let path = tool::repository().join("tests").join(module.replace("::", "/")).with_extension("rs");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.contains(&format!("\n#[test]\nfn {name}() {{\n    let _story = story!({name});\n"))
}

fn committed() -> Ledger {
    Ledger::read().0
}

#[test]
fn every_body_is_executed_in_success_and_in_failure() {
    let examples = body::examples();
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        // Only what nobody asks for any more: to add a line takes its story.
        let demands = demands(examples);
        let (mut ledger, _guard) = Ledger::read();
        ledger.0.retain(|demand, witness| demands.contains(demand) && tells(&witness.story));
        ledger.write();
    }
    let ledger = committed();
    assert!(
        fs::read_to_string(Ledger::path()).unwrap() == ledger.text(),
        "tests/bodies/executed.tsv is not sorted, or says something twice: PYFLEET_UPDATE=1 rewrites it"
    );
    let mistakes = mistakes(examples, &ledger);
    assert!(
        mistakes.is_empty(),
        "PYFLEET_UPDATE=1 cargo test --test integration -- runner::STORY writes down what a story shows:\n{}",
        mistakes.join("\n")
    );

    let steps: usize = examples.iter().map(|example| example.bodies.len()).sum();
    let bodies: BTreeSet<String> = examples
        .iter()
        .flat_map(|example| example.bodies.values())
        .map(|body| body::name_of(&body.text))
        .collect();
    let succeed = ledger.0.keys().filter(|demand| demand.end == End::Success).count();
    let really = ledger
        .0
        .iter()
        .filter(|(demand, witness)| demand.end == End::Success && witness.stand_ins.is_empty());
    let never = bodies.iter().filter(|body| !body::can_fail(body)).count();
    println!(
        "{steps} steps of {} examples run {} bodies; {succeed} successes (a body in an example), {} of them with real \
         tools alone; {} failures; {} bodies end one way only, {never} scripts know no failure but a wrong call",
        examples.len(),
        bodies.len(),
        really.count(),
        ledger.0.len() - succeed,
        ENDS_ONE_WAY.len(),
    );
}

/// A test that cannot fail is a defect.
#[test]
fn a_body_that_nobody_executes_is_noticed() {
    let ledger = committed();
    let newly = |examples: &[Example]| {
        let before = mistakes(body::examples(), &ledger);
        let mut after = mistakes(examples, &ledger);
        after.retain(|mistake| !before.contains(mistake));
        after
    };

    // A new step, with a body of its own, and with one that only another example has.
    let mut examples = body::examples().to_vec();
    let first = examples.iter_mut().find(|example| example.name == "pyfleet").unwrap();
    let step = |body: &str| format!("on: push\njobs: {{a: {{runs-on: x, steps: [{{run: {body}}}]}}}}\n");
    first.add(".github/workflows/new.yml", &step("make release"));
    let noticed = [
        "nobody shows how this fails: make release",
        "nobody shows that this succeeds in pyfleet: make release",
    ];
    assert_eq!(newly(&examples), noticed);
    let first = examples.iter_mut().find(|example| example.name == "pyfleet").unwrap();
    first.add(".github/workflows/new.yml", &step("bash .github/scripts/ecs-deploy.sh"));
    assert_eq!(newly(&examples), ["nobody shows that this succeeds in pyfleet: ecs-deploy.sh"]);

    // A changed text is another body, and what was shown of the old one is worth nothing.
    let mut examples = body::examples().to_vec();
    let mut bodies = examples.iter_mut().flat_map(|example| example.bodies.values_mut());
    bodies.find(|body| body.text.contains("apply.log")).unwrap().text.insert_str(0, "cd ..\n");
    assert!(newly(&examples).iter().any(|mistake| mistake.contains(": cd .. ⏎ ")), "{:?}", newly(&examples));

    // A line that is missing, of a body that is gone, of a story that is gone, or with an excuse that nobody wrote.
    let examples = body::examples();
    for demand in ledger.0.keys() {
        let mut less = Ledger::parse(&ledger.text());
        less.0.remove(demand);
        let wrong = unshown(&demands(examples), &less);
        assert!(wrong.iter().any(|mistake| mistake.ends_with(&demand.body)), "{demand:?}: {wrong:?}");
    }
    let with = |line: &str| {
        let mut more = ledger.clone();
        more.0.extend(Ledger::parse(line).0);
        mistakes(examples, &more).join("\n")
    };
    let story = "runner::pyfleet::the_life_of_two_environments";
    assert!(with(&format!("gone.sh\tsuccess\tpyfleet\t-\t{story}\n")).contains("no example asks for"));
    assert!(with("gate.sh (inline)\tsuccess\tpyfleet\t-\trunner::pyfleet::gone\n").contains("no such story"));
    let excused = with(&format!("gate.sh (inline)\tsuccess\tpyfleet\tterraform\t{story}\n"));
    assert!(excused.contains("nothing excuses that terraform is stood in for"), "{excused}");
}

/// Every excuse is needed, and says what it is for.
#[test]
fn no_excuse_is_left_over() {
    let ledger = committed();
    for (name, _) in STOOD_IN {
        let is_needed = ledger
            .0
            .iter()
            .any(|(demand, witness)| demand.end == End::Success && witness.stand_ins.contains(*name));
        assert!(is_needed, "no body is executed with a stand-in for {name}: take it out of STOOD_IN");
    }
    let bodies: BTreeSet<String> = body::examples()
        .iter()
        .flat_map(|example| example.bodies.values())
        .map(|body| body::name_of(&body.text))
        .collect();
    for body in ENDS_ONE_WAY.iter().map(|(body, ..)| body).chain(NEVER_DUE.iter().map(|(_, body, _)| body)) {
        assert!(bodies.contains(*body), "no example has this body: {body}");
    }
}

/// `examples/README.md` lists what was stood in for, as the ledger has it.
#[test]
fn the_readme_lists_what_no_tool_here_can_run() {
    let ledger = committed();
    let mut list = String::new();
    for (name, missing) in STOOD_IN {
        let bodies: BTreeSet<String> = ledger
            .0
            .iter()
            .filter(|(demand, witness)| demand.end == End::Success && witness.stand_ins.contains(*name))
            .map(|(demand, _)| format!("`{}`", demand.body))
            .collect();
        let bodies: Vec<String> = bodies.into_iter().collect();
        list += &format!("- **{name}**: {missing}: {}.\n", bodies.join(", "));
    }
    list += "\nNo story reaches these steps where they are rendered; what they run is executed in other jobs:\n\n";
    for (step, why) in place::excused() {
        list += &format!("- {}: {why}.\n", step.said());
    }
    let path = tool::repository().join("examples/README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once("<!-- tests/bodies: begin -->\n").unwrap();
    let (_, after) = rest.split_once("<!-- tests/bodies: end -->\n").unwrap();
    let expected =
        format!("{before}<!-- tests/bodies: begin -->\n\n{list}\n<!-- tests/bodies: end -->\n{after}");
    if std::env::var_os("PYFLEET_UPDATE").is_some() {
        fs::write(&path, &expected).unwrap();
    } else {
        assert!(readme == expected, "rewrite examples/README.md with PYFLEET_UPDATE=1 cargo test bodies");
    }
}
