#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{LOCK, MANIFEST, TEST, make_stale, rendered};
use crate::repo::{Repo, files_below};

const STAGING: &str = ".github/.pyfleet-staging";

/// Puts a link in the place of a path; what was there lies beside the repository.
fn put_link(repo: &Repo, path: &str) {
    let outside = repo.path("../outside");
    if repo.path(path).symlink_metadata().is_ok() {
        fs::rename(repo.path(path), &outside).unwrap();
    } else {
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("0"), "precious").unwrap();
    }
    symlink(&outside, repo.path(path)).unwrap();
}

#[test]
fn a_link_is_never_followed() {
    for path in [".github", ".github/workflows", TEST, LOCK, STAGING] {
        let repo = rendered();
        make_stale(&repo);
        put_link(&repo, path);
        let above = repo.path("..");
        let before = files_below(&above);
        for arguments in [&["render"][..], &["render", "--adopt"]] {
            repo.run(arguments)
                .exits(2)
                .says(&format!("error: {path}: is a symbolic link, and none is ever followed"))
                .says("help: put what it points to in its place");
            assert_eq!(before, files_below(&above), "{path}");
        }
        if path != STAGING {
            repo.run(["check"]).exits(2).says(&format!("error: {path}: is a symbolic link"));
            assert_eq!(before, files_below(&above), "{path}");
        }
    }
}

#[test]
fn a_link_to_nothing_makes_nothing() {
    for path in [".github", TEST, LOCK, STAGING] {
        let repo = Repo::new();
        repo.manifest(MANIFEST).write(".github/x", "");
        if path == ".github" {
            repo.remove(".github");
        } else {
            fs::create_dir_all(repo.path(path).parent().unwrap()).unwrap();
        }
        symlink(repo.path("../nothing"), repo.path(path)).unwrap();
        let before = repo.files();
        repo.run(["render", "--adopt"]).exits(2).says("is a symbolic link");
        assert_eq!(before, repo.files(), "{path}");
        repo.has_no("../nothing");
    }
}

#[test]
fn an_orphan_behind_a_link_stays() {
    let repo = rendered();
    repo.manifest(&super::with_build("{ enabled: false }"));
    put_link(&repo, ".github/workflows");
    let before = files_below(&repo.path(".."));
    repo.run(["render"]).exits(2);
    assert_eq!(before, files_below(&repo.path("..")));
}

#[test]
fn a_manifest_is_no_link() {
    let repo = Repo::new();
    repo.write("../secret", "token: hunter2\n");
    symlink(repo.path("../secret"), repo.path("pyfleet.yml")).unwrap();
    repo.run(["check"]).exits(2).says("pyfleet.yml: is a symbolic link").says_not("hunter2");
}

#[test]
fn an_ejected_file_is_no_link() {
    let repo = rendered();
    repo.manifest(&super::with_build("{ ejected: true }"));
    put_link(&repo, super::BUILD);
    repo.run(["check"]).exits(2).says("build.yml: is a symbolic link");
}

#[test]
fn what_shares_its_bytes_with_a_file_outside_is_replaced_alone() {
    // A stranger's file under a second name is a stranger's file.
    let repo = Repo::new();
    repo.manifest(MANIFEST).write("../outside", "precious\n").write(".github/workflows/x", "");
    fs::hard_link(repo.path("../outside"), repo.path(TEST)).unwrap();
    let before = repo.files();
    repo.run(["render"]).exits(2).says("pyfleet did not write it");
    assert_eq!(before, repo.files());
    repo.run(["render", "--adopt"]).exits(0).holds("../outside", "precious\n");
    // A stale one of pyfleet's own gets a new file, and the other name keeps the old.
    let repo = rendered();
    let old = repo.read(TEST);
    fs::hard_link(repo.path(TEST), repo.path("../outside")).unwrap();
    make_stale(&repo).run(["render"]).exits(0).holds("../outside", &old).run(["check"]).exits(0);
}

#[test]
fn directories_that_turn_into_links_lead_nowhere() {
    for path in [".github/workflows", ".github", STAGING] {
        let repo = rendered();
        fs::create_dir(repo.path("../outside")).unwrap();
        fs::create_dir(repo.path("../outside/workflows")).unwrap();
        let (link, aside) = (repo.path("../link"), repo.path("../aside"));
        symlink(repo.path("../outside"), &link).unwrap();
        let done = AtomicBool::new(false);
        let (mut renders, mut refused) = (0, 0);
        thread::scope(|scope| {
            scope.spawn(|| {
                let place = repo.path(path);
                while !done.load(Ordering::Relaxed) {
                    // The link comes for a moment; the directory goes back to its place.
                    if fs::rename(&place, &aside).is_ok() {
                        let _ = fs::rename(&link, &place);
                        thread::sleep(Duration::from_micros(300));
                        let _ = fs::rename(&place, &link);
                        let _ = fs::rename(&aside, &place);
                        let _ = fs::remove_dir_all(&aside);
                    }
                    thread::sleep(Duration::from_micros(200));
                }
            });
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(900) {
                repo.manifest(&MANIFEST.replace("3.11", if renders % 2 == 0 { "3.12" } else { "3.13" }));
                renders += 1;
                refused += usize::from(repo.run(["render", "--adopt"]).exits_with_one_of(&[2]));
            }
            done.store(true, Ordering::Relaxed);
        });
        let outside: Vec<String> = files_below(&repo.path("../outside")).into_keys().collect();
        assert_eq!(outside, ["workflows/"], "{path}: {renders} renders, {refused} refused");
        eprintln!("{path}: {renders} renders, {refused} refused");
        assert!(renders > 3, "{path}: only {renders} renders");
    }
}
