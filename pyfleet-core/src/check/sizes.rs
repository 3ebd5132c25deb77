//! Workflows as large as GitHub takes them. A rule that takes the square of their jobs or lines would need minutes for one
//! of them here, and one that takes the cube, days.

use crate::check::{judge, rules::RULES};
use crate::source::Source;

/// How often a code is found in jobs that are written here.
#[track_caller]
fn is_found(code: &str, times: usize, jobs: &str) {
    let findings = judge(Source::new("x.yml", format!("on: push\njobs:\n{jobs}")), RULES);
    assert_eq!(findings.iter().filter(|finding| finding.code == code).count(), times, "{code}");
}

/// A job with one script, and what else its step has.
fn script(lines: &str, beside: &str) -> String {
    format!("  a:\n    runs-on: x\n    steps:\n      - run: |\n{lines}{beside}")
}

fn lines(number: usize, line: impl Fn(usize) -> String) -> String {
    (0..number).map(line).collect()
}

#[test]
fn jobs_that_wait_for_each_other() {
    let chain = lines(6_000, |job| format!("  job{}: {{runs-on: x, needs: job{job}}}\n", job + 1));
    let first = "  job0: {runs-on: x, if: github.ref_protected}\n  other: {runs-on: x, if: always()}\n";
    is_found("timeout-set", 6_002, &format!("{first}{chain}"));
}

#[test]
fn lines_of_a_script() {
    let lines = format!("          echo $T\n{}", lines(60_000, |_| "          a\n".to_owned()));
    is_found("tainted-env-flow", 1, &script(&lines, "        env: {T: '${{ github.head_ref }}'}\n"));
}

#[test]
fn variables_of_a_script() {
    let variables = |number| format!("          E{number}: ${{{{ github.head_ref }}}}\n");
    let beside = format!("        env:\n{}", lines(8_000, variables));
    let expanded = lines(8_000, |number| format!("          echo $E{number}\n"));
    is_found("tainted-env-flow", 8_000, &script(&expanded, &beside));
}

#[test]
fn programs_of_a_pipe() {
    let pipe = format!("          curl x {}\n", "| bash ".repeat(20_000));
    is_found("unverified-download", 20_000, &script(&pipe, ""));
}

#[test]
fn names_that_nobody_declares() {
    let steps = lines(3_000, |step| {
        format!("      - {{id: step{step}, run: 'echo ${{{{ steps.stup{step}.outcome }}}}'}}\n")
    });
    is_found("expr-typed", 3_000, &format!("  a:\n    runs-on: x\n    steps:\n{steps}"));
}

#[test]
fn exclusions_of_a_matrix() {
    let values = lines(8_000, |value| format!("{value}, "));
    let excluded = lines(6_000, |value| format!("          - {{a: {}}}\n", value + 7_000));
    let matrix = format!("    strategy:\n      matrix:\n        a: [{values}]\n        exclude:\n{excluded}");
    is_found("matrix-sane", 5_000, &format!("  a:\n    runs-on: x\n{matrix}"));
}
