//! Figures, each beside its bound: how long `check` takes, how rendering grows, how much memory it needs.
//!
//! `tests/bench` builds what is measured and runs this. Machines differ and are busy, so that time is only
//! compared with time measured in the same minute: whole processes take turns with a program that does
//! nothing, and sizes take turns with each other.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use pyfleet_core::source::Source;
use pyfleet_gen::project_file::{Loaded, load};
use pyfleet_gen::render::{read_back, render};
use pyfleet_gen::{Exit, Streams};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sandbox-broker/pyfleet.yml");
const PROCESSES: usize = 200;
const RENDERS: usize = 9;
/// Each stack is an entry of a matrix, of which GitHub allows 256.
const STACKS: [usize; 5] = [20, 40, 80, 160, 200];

/// How many times as long as an empty program `check` may take.
const MOST_STARTS: f64 = 5.0;
/// How far above linear growth ten times as many stacks may be.
const MOST_GROWTH: f64 = 1.3;
/// The most memory of `check`, in kilobytes.
const MOST_MEMORY: u64 = 15_000;

fn main() -> ExitCode {
    // `cargo bench` adds an option for harnesses that have several modes.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["memory", command, directory] => {
            run_here(command, Path::new(directory));
            println!("{}", peak_memory());
            ExitCode::SUCCESS
        }
        [program, empty] => {
            let mut bounds = Bounds::default();
            start(&mut bounds, program, empty);
            growth(&mut bounds);
            memory(&mut bounds);
            bounds.exit()
        }
        _ => {
            println!("two arguments: pyfleet-gen and the empty program, as tests/bench builds them");
            ExitCode::from(2)
        }
    }
}

/// What was promised.
#[derive(Default)]
struct Bounds {
    missed: usize,
}

impl Bounds {
    fn hold(&mut self, what: &str, value: f64, most: f64) {
        let holds = value <= most;
        self.missed += usize::from(!holds);
        println!("  {what}: {value:.2}, at most {most:.2}: {}", if holds { "holds" } else { "MISSED" });
    }

    fn exit(&self) -> ExitCode {
        println!("\n{} bounds missed", self.missed);
        if self.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// `check` where every file is current, in turns with a program that does nothing.
fn start(bounds: &mut Bounds, program: &str, empty: &str) {
    println!("check, all files of the example current, {PROCESSES} processes in turns with an empty program");
    let repository = repository(&fs::read_to_string(EXAMPLE).unwrap());
    let directory = repository.path().to_str().unwrap();
    process(program, &["-C", directory, "render"]);
    let (mut idle, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        idle.push(process(empty, &[]));
        busy.push(process(program, &["-C", directory, "check"]));
    }
    for (name, times) in [("empty", &mut idle), ("check", &mut busy)] {
        times.sort();
        println!(
            "  {name}: median {:.2} ms, p95 {:.2} ms",
            milliseconds(median(times)),
            milliseconds(times[times.len() * 95 / 100])
        );
    }
    bounds.hold("ratio of medians", median(&busy).as_secs_f64() / median(&idle).as_secs_f64(), MOST_STARTS);
    // The longer of two processes is also interrupted more often: where the ratio of what they use of the
    // processor is much lower, other work on the machine says the rest.
    if cfg!(target_os = "linux") {
        let (idle, busy) = (used(empty, &[]), used(program, &["-C", directory, "check"]));
        println!("  processor time: empty {idle:.2} ms, check {busy:.2} ms, ratio {:.2}", busy / idle);
    }
}

/// The processor time of a whole process in milliseconds, a mean: the kernel counts in hundredths of a second.
fn used(program: &str, arguments: &[&str]) -> f64 {
    let of_children = || -> u32 {
        let status = fs::read_to_string("/proc/self/stat").unwrap();
        let behind_name = status.rsplit_once(')').unwrap().1;
        behind_name.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u32>().unwrap()).sum()
    };
    let before = of_children();
    for _ in 0..PROCESSES {
        process(program, arguments);
    }
    f64::from(of_children() - before) * 10.0 / count(PROCESSES)
}

/// A whole process, which has to succeed.
fn process(program: &str, arguments: &[&str]) -> Duration {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().unwrap_or_else(|error| panic!("{program}: {error}"));
    let time = began.elapsed();
    assert!(status.success(), "{program} {arguments:?}: {status}");
    time
}

/// From the manifest's text to judged files, for more and more stacks.
fn growth(bounds: &mut Bounds) {
    println!("\nload, render and read back, without files, median of {RENDERS} turns");
    let mut times = STACKS.map(|_| Vec::new());
    for _ in 0..RENDERS {
        for (stacks, times) in STACKS.iter().zip(&mut times) {
            let text = manifest(*stacks);
            let began = Instant::now();
            render_and_judge(text);
            times.push(began.elapsed());
        }
    }
    for (stacks, times) in STACKS.iter().zip(&mut times) {
        times.sort();
        let time = milliseconds(median(times));
        println!("  {stacks:>3} stacks: {time:.2} ms, {:.3} ms a stack", time / count(*stacks));
    }
    let (first, last) = (STACKS[0], STACKS[STACKS.len() - 1]);
    let growth = median(&times[STACKS.len() - 1]).as_secs_f64() / median(&times[0]).as_secs_f64();
    let linear = count(last) / count(first);
    bounds.hold(&format!("t({last}) / t({first})"), growth, MOST_GROWTH * linear);
}

fn render_and_judge(text: String) {
    let Loaded { findings, planned, .. } = load(Source::new("pyfleet.yml", text));
    let (project, plan) = planned.unwrap_or_else(|| panic!("the manifest is wrong: {findings:?}"));
    let files = render(&project, &plan, "pyfleet.yml").unwrap();
    for (file, findings) in read_back(&plan, &files) {
        assert!(!findings.has_errors(), "{file}: {findings:?}");
    }
}

/// The most memory that each command ever holds, in a process of its own.
fn memory(bounds: &mut Bounds) {
    println!("\npeak memory");
    if !cfg!(target_os = "linux") {
        println!("  not run: only Linux says it without unsafe code");
        return;
    }
    let most = STACKS[STACKS.len() - 1];
    let example = fs::read_to_string(EXAMPLE).unwrap();
    for (name, text) in [("the example".to_owned(), example), (format!("{most} stacks"), manifest(most))] {
        let repository = repository(&text);
        for command in ["render", "check"] {
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["memory", command, repository.path().to_str().unwrap()])
                .output()
                .unwrap();
            assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
            let kilobytes: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
            let megabytes = |kilobytes: u64| Duration::from_millis(kilobytes).as_secs_f64();
            let what = format!("{command}, {name}, MB");
            if command == "check" {
                bounds.hold(&what, megabytes(kilobytes), megabytes(MOST_MEMORY));
            } else {
                println!("  {what}: {:.2}", megabytes(kilobytes));
            }
        }
    }
}

/// One command in this process, which nothing else has used.
fn run_here(command: &str, directory: &Path) {
    let (mut out, mut err) = (std::io::sink(), std::io::sink());
    let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
    let exit = pyfleet_gen::run(["pyfleet-gen", "-C", directory.to_str().unwrap(), command], &mut streams);
    assert_eq!(exit, Exit::Clean, "{command}");
}

/// In kilobytes, as the kernel counts for this process.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

fn repository(manifest: &str) -> tempfile::TempDir {
    let repository = tempfile::tempdir().unwrap();
    fs::write(repository.path().join("pyfleet.yml"), manifest).unwrap();
    repository
}

/// Two environments, and stacks that depend on each other in chains of ten.
fn manifest(stacks: usize) -> String {
    let mut text = r#"version: 1
project: shop
safety-level: 3
github: { repository: acme/shop, visibility: private }
environments: { staging: {}, production: {} }
aws: { account-id: "111122223333", region: eu-central-1 }
terraform:
  version: "1.11.4"
  backend: { bucket: shop-tfstate, key: "{environment}/{stack}.tfstate" }
  pull-request-plan: non-production
  stacks:
"#
    .to_owned();
    for number in 0..stacks {
        writeln!(text, "    stack-{number:03}:").unwrap();
        writeln!(text, "      directory: infrastructure/stack-{number:03}").unwrap();
        writeln!(text, "      variables: {{ environment: \"{{environment}}\", size: {number} }}").unwrap();
        if number % 10 != 0 {
            writeln!(text, "      depends-on: [stack-{:03}]", number - 1).unwrap();
        }
    }
    text.push_str("workflows: { terraform: {} }\n");
    text
}

fn median(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() / 2]
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn count(number: usize) -> f64 {
    f64::from(u16::try_from(number).unwrap())
}
