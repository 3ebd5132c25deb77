//! How long `validate` takes over many workflows of others, beside what else judges them; and how that grows.
//!
//! `tests/bench` builds what is measured and runs this. Whole processes take turns, everything is warm, and each writes
//! what it finds to a file.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::fs::{self, File};
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use pyfleet_core::source::Source;
use pyfleet_core::yaml::tree::Document;

const TURNS: usize = 7;
/// How many times faster than the fastest of the others.
const LEAST_AHEAD: f64 = 5.0;
/// As many copies of the corpus's files.
const COPIES: [usize; 2] = [1_000, 10_000];
/// As many jobs in one file: more, and GitHub takes no more of it.
const JOBS: [usize; 2] = [600, 6_000];
/// How far above linear growth ten times as much may be.
const MOST_GROWTH: f64 = 1.3;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").map(PathBuf::from).collect();
    let [program, corpus, actionlint, zizmor, action_validator] = arguments.as_slice() else {
        println!("five arguments: pyfleet-gen, a folder of workflows, actionlint, zizmor, action-validator");
        return ExitCode::from(2);
    };
    let mut files: Vec<PathBuf> = fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let ahead = compare(program, corpus, &files, [actionlint, zizmor, action_validator]);
    println!(
        "  reading their YAML alone, in one thread of this process: {:.0} ms",
        milliseconds(reading(&files))
    );
    let most = MOST_GROWTH * 10.0;
    let of_files = grow(program, "files", COPIES, |copies, folder| {
        for (number, file) in files.iter().cycle().take(copies).enumerate() {
            fs::copy(file, folder.join(format!("{number:05}.yml"))).unwrap();
        }
    });
    let of_jobs = grow(program, "jobs of one file, each behind the last", JOBS, |jobs, folder| {
        let first = "on: push\njobs:\n  job0: {if: github.ref_protected}\n  other: {if: always()}\n";
        let next = |job| format!("  job{job}: {{runs-on: x, needs: job{}}}\n", job - 1);
        let chain: String = (1..jobs).map(next).collect();
        fs::write(folder.join("x.yml"), format!("{first}{chain}")).unwrap();
    });
    println!(
        "\ntimes faster than the fastest other: {ahead:.2}, at least {LEAST_AHEAD:.2}: {}",
        held(ahead >= LEAST_AHEAD)
    );
    for (what, [few, many], growth) in [("files", COPIES, of_files), ("jobs", JOBS, of_jobs)] {
        println!(
            "t({many} {what}) / t({few} {what}): {growth:.2}, at most {most:.2}: {}",
            held(growth <= most)
        );
    }
    let holds = ahead >= LEAST_AHEAD && of_files <= most && of_jobs <= most;
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const fn held(holds: bool) -> &'static str {
    if holds { "holds" } else { "MISSED" }
}

/// The time of the fastest other one, in times of ours.
fn compare(program: &Path, corpus: &Path, files: &[PathBuf], others: [&PathBuf; 3]) -> f64 {
    println!("{} workflow files, median of {TURNS} turns, each tool as a whole process", files.len());
    let [actionlint, zizmor, action_validator] = others;
    let on_files = |tool: &Path, options: &[&str]| {
        let mut command = Command::new(tool);
        command.args(options).args(files);
        command
    };
    let mut ours = Command::new(program);
    ours.arg("validate").arg(corpus);
    let mut commands = [
        ("pyfleet-gen validate", ours),
        // Scripts are judged by other programs, which it would start.
        ("actionlint", on_files(actionlint, &["-shellcheck=", "-pyflakes="])),
        ("zizmor", on_files(zizmor, &["--offline", "--no-progress", "--quiet"])),
        ("action-validator", on_files(action_validator, &[])),
    ];
    let mut times = commands.each_ref().map(|_| Vec::new());
    for turn in 0..=TURNS {
        for ((_, command), times) in commands.iter_mut().zip(&mut times) {
            let time = process(command);
            // The first turn makes everything warm.
            if turn > 0 {
                times.push(time);
            }
        }
    }
    let medians = times.map(median);
    for ((name, _), time) in commands.iter().zip(&medians) {
        println!(
            "  {name}: {:.0} ms, {:.3} ms a file",
            milliseconds(*time),
            milliseconds(*time) / count(files.len())
        );
    }
    let fastest = medians.iter().skip(1).min().unwrap();
    fastest.as_secs_f64() / medians[0].as_secs_f64()
}

/// What no judge of the files can do without.
fn reading(files: &[PathBuf]) -> Duration {
    let texts: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let turn = |_| {
        let began = Instant::now();
        for text in &texts {
            let _ = black_box(Document::parse_workflow(Source::new("", text.as_str())));
        }
        began.elapsed()
    };
    median((0..TURNS).map(turn).collect())
}

/// How many times as long ten times as much takes.
fn grow(program: &Path, what: &str, numbers: [usize; 2], write: impl Fn(usize, &Path)) -> f64 {
    println!("\nmore {what}, median of {TURNS} turns");
    let folders = numbers.map(|number| {
        let folder = tempfile::tempdir().unwrap();
        write(number, folder.path());
        folder
    });
    let mut times = folders.each_ref().map(|_| Vec::new());
    for turn in 0..=TURNS {
        for (folder, times) in folders.iter().zip(&mut times) {
            let time = process(Command::new(program).arg("validate").arg(folder.path()));
            if turn > 0 {
                times.push(time);
            }
        }
    }
    let [few, many] = times.map(median);
    for (number, time) in numbers.iter().zip([few, many]) {
        let each = milliseconds(time) / count(*number);
        println!("  {number:>6}: {:.0} ms, {each:.3} ms each", milliseconds(time));
    }
    many.as_secs_f64() / few.as_secs_f64()
}

/// A whole process, which finds something.
fn process(command: &mut Command) -> Duration {
    let directory = tempfile::tempdir().unwrap();
    let out = File::create(directory.path().join("out")).unwrap();
    let err = out.try_clone().unwrap();
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    let began = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let time = began.elapsed();
    let written = fs::metadata(directory.path().join("out")).unwrap().len();
    assert!(written > 10_000, "{:?}: {status}, {written} bytes", command.get_program());
    time
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}
