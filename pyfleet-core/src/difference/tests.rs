use super::{Effect, Side, compare};
use crate::source::Source;
use crate::workflow;

const BEFORE: &str = "
on:
  workflow_dispatch:
    inputs: { confirm: { type: string, required: true } }
permissions: {}
jobs:
  approve:
    environment: prod-approval
    runs-on: ubuntu-24.04
    steps: [{ run: 'true' }]
  apply:
    needs: approve
    if: inputs.confirm == 'prod'
    environment: prod
    concurrency: mutate-prod
    permissions: { contents: read }
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1
      - run: ./apply.sh
        env: { TOKEN: '${{ secrets.TOKEN }}' }
";

fn side(files: &[(&str, &str)]) -> Side {
    let mut side = Side::default();
    for (file, text) in files {
        let (read, findings) = workflow::parse(Source::new(*file, *text));
        side.workflows.insert((*file).to_owned(), read.unwrap_or_else(|| panic!("{findings:?}")));
    }
    side
}

fn changes(before: &str, after: &str) -> Vec<String> {
    changed(&side(&[("tf.yml", before)]), &side(&[("tf.yml", after)]))
}

fn changed(before: &Side, after: &Side) -> Vec<String> {
    let sign = |effect| match effect {
        Effect::GivesMore => "more",
        Effect::TakesAway => "less",
        Effect::Other => "other",
    };
    compare(before, after)
        .into_iter()
        .map(|change| {
            let jobs = change.jobs.iter().map(|job| format!(" {job}")).collect::<String>();
            format!("{} {}{jobs} {}", sign(change.effect), change.subject, change.message())
        })
        .collect()
}

#[test]
fn the_same_means_the_same_however_it_is_written() {
    assert_eq!(changes(BEFORE, BEFORE), [""; 0]);
    let other = BEFORE
        .replace("needs: approve", "needs: [approve]")
        .replace("- run: ./apply.sh", "- run: ./other.sh");
    assert_eq!(changes(BEFORE, &other), [""; 0], "scripts are not compared");
}

/// Each change of one line: what it says, and what its way back says.
#[test]
fn every_change_has_its_direction() {
    for (from, to, there, back) in [
        (
            "on:\n",
            "on:\n  push: { branches: [main] }\n",
            &[
                "more environment prod + is reached from push in tf.yml: without a typed word",
                "more tf.yml + started by `push`: branches main",
            ][..],
            "less",
        ),
        (
            "inputs: { confirm: { type: string, required: true } }",
            "inputs: {}",
            &[
                "more environment prod ~ is reached from workflow_dispatch in tf.yml: behind a typed word → without a typed word",
            ],
            "less",
        ),
        (
            "contents: read",
            "contents: write",
            &["more tf.yml apply ~ token `contents`: read → write"],
            "less",
        ),
        (
            "{ contents: read }",
            "{ contents: read, id-token: write }",
            &["more tf.yml apply + token `id-token`: write"],
            "less",
        ),
        (
            "    permissions: { contents: read }\n",
            "    permissions: write-all\n",
            &["more tf.yml apply + token `actions`: write", "more"],
            "less",
        ),
        (
            "    needs: approve\n",
            "",
            &[
                "more environment prod + nobody approves what comes from tf.yml",
                "more tf.yml apply - waits for `approve`",
            ],
            "less",
        ),
        (
            "    if: inputs.confirm == 'prod'\n",
            "",
            &["more tf.yml apply - condition: inputs.confirm == 'prod'"],
            "less",
        ),
        ("    concurrency: mutate-prod\n", "", &["more tf.yml apply - one at a time: mutate-prod"], "less"),
        (
            "secrets.TOKEN }}",
            "secrets.TOKEN || secrets.OTHER }}",
            &["more tf.yml apply + secret `OTHER`"],
            "less",
        ),
        (
            "@3d3c42e5aac5ba805825da76410c181273ba90b1",
            "@v7",
            &["more project ~ uses `actions/checkout`: 3d3c42e5aac5ba805825da76410c181273ba90b1 → v7"],
            "less",
        ),
        (
            "      - run: ./apply.sh",
            "      - uses: evil/action@v1\n      - run: ./apply.sh",
            &["more project + uses `evil/action`: v1"],
            "less",
        ),
        (
            "inputs.confirm == 'prod'",
            "inputs.confirm == 'Prod'",
            &["other tf.yml apply ~ condition"],
            "other",
        ),
        (
            "@3d3c42e5aac5ba805825da76410c181273ba90b1",
            "@4d3c42e5aac5ba805825da76410c181273ba90b1",
            &["other project ~ uses"],
            "other",
        ),
    ] {
        assert!(BEFORE.contains(from), "{from}");
        let after = BEFORE.replacen(from, to, 1);
        let found = changes(BEFORE, &after);
        for expected in there {
            assert!(found.iter().any(|line| line.starts_with(expected)), "{to}: {expected}: {found:#?}");
        }
        let effect = there[0].split(' ').next().unwrap();
        assert!(found.iter().all(|line| line.starts_with(effect)), "{to}: {found:#?}");
        let back_again = changes(&after, BEFORE);
        assert!(back_again.iter().all(|line| line.starts_with(back)), "{to}, and back: {back_again:#?}");
        assert_eq!(found.len(), back_again.len(), "{to}");
    }
}

/// A guard that goes with what it guards gives nobody more.
#[test]
fn a_workflow_that_goes_takes_its_power_with_it() {
    let (one, none) = (side(&[("tf.yml", BEFORE)]), Side::default());
    let gone = changed(&one, &none);
    assert!(gone.iter().all(|line| !line.starts_with("more")), "{gone:#?}");
    for expected in [
        "less environment prod - is reached from",
        "less tf.yml apply - secret `TOKEN`",
        "other tf.yml - workflow",
    ] {
        assert!(gone.iter().any(|line| line.starts_with(expected)), "{expected}: {gone:#?}");
    }
    let come = changed(&none, &one);
    assert!(come.iter().all(|line| !line.starts_with("less")), "{come:#?}");
}

/// A right that nobody writes down is whatever the settings say.
#[test]
fn rights_that_are_not_said_are_more_than_those_that_are() {
    let silent =
        BEFORE.replacen("permissions: {}\n", "", 1).replace("    permissions: { contents: read }\n", "");
    let found = changes(BEFORE, &silent);
    let expected = "more tf.yml apply approve + token: whatever the repository's settings give";
    assert_eq!(found, [expected]);
}
