use std::fs;
use std::process::Command;

use pyfleet_gen::{Streams, run};

use crate::repo::Repo;
use crate::tool;

/// Every manifest of the README, followed by what `pyfleet-gen render` prints for it, is what it prints.
#[test]
fn the_readme_shows_what_is_printed() {
    let readme = fs::read_to_string(tool::repository().join("README.md")).unwrap();
    let blocks = blocks(&readme);
    let mut shown = 0;
    for (position, (language, manifest)) in blocks.iter().enumerate() {
        let Some((_, session)) = blocks[position + 1..].first() else { continue };
        let Some(expected) = session.strip_prefix("$ pyfleet-gen render\n") else { continue };
        if *language != "yaml" {
            continue;
        }
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("pyfleet.yml"), manifest).unwrap();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut streams = Streams { out: &mut out, err: &mut err, colour: false };
        run(["pyfleet-gen", "-C", directory.path().to_str().unwrap(), "render"], &mut streams);
        let printed = [out, err].concat();
        assert_eq!(String::from_utf8(printed).unwrap().trim_end(), expected.trim_end());
        shown += 1;
    }
    assert_eq!(shown, 2);
}

/// The tour of the README, command by command, in the sources of an example that has no manifest yet.
#[test]
fn the_tour_shows_what_happens() {
    let readme = fs::read_to_string(tool::repository().join("README.md")).unwrap();
    let tour = blocks(&readme).into_iter().find(|(_, text)| text.starts_with("$ pyfleet-gen init"));
    let (_, tour) = tour.unwrap();
    let repo = Repo::new();
    let root = repo.path(".");
    for source in ["Dockerfile", "app", "requirements.txt", "task-definition.json", "terraform", "tests"] {
        let from = tool::repository().join("examples/sandbox-broker").join(source);
        let copied = Command::new("cp").arg("-R").arg(from).arg(&root).status().unwrap();
        assert!(copied.success());
    }
    repo.write(".git/HEAD", "ref: refs/heads/main\n");
    repo.write(
        ".git/config",
        "[remote \"origin\"]\n\turl = git@github.com:igor-racic/Sandbox-API-Broker.git\n",
    );
    let mut printed = String::new();
    for command in tour.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let program = env!("CARGO_BIN_EXE_pyfleet-gen");
        let line = match command.strip_prefix("pyfleet-gen ") {
            Some(arguments) => format!("'{program}' {arguments} 2>&1"),
            None => command.to_owned(),
        };
        let output = Command::new("bash").args(["-c", &line]).current_dir(&root).output().unwrap();
        printed += &format!("$ {command}\n{}", String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!(printed, tour);
}

/// The fenced blocks of a Markdown text: language and content.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}
