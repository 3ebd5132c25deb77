use super::repository;
use crate::repo::Repo;

const STACK: (&str, &str) = ("main.tf", "resource \"terraform_data\" \"x\" {}\n");

fn with(files: &[(&str, &str)]) -> Repo {
    let repo = Repo::new();
    for (path, text) in files.iter().chain(&[STACK]) {
        repo.write(path, text);
    }
    repo
}

fn remote(url: &str) -> String {
    format!("[remote \"origin\"]\n\turl = {url}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n")
}

#[test]
fn a_remote_of_any_form_names_the_repository_and_no_password_is_shown() {
    for url in [
        "https://github.com/acme/shop.git",
        "https://user:hunter2@github.com/acme/shop",
        "git@github.com:acme/shop.git",
        "ssh://git@github.com:22/acme/shop.git",
    ] {
        let repo = with(&[(".git/config", &remote(url))]);
        repo.run(["init"]).exits(0).says("acme/shop on github.com").says_not("hunter2");
        assert!(repo.read("pyfleet.yml").contains("repository: acme/shop # the remote `origin`"), "{url}");
        assert!(!repo.read("pyfleet.yml").contains("hunter2"));
    }
}

#[test]
fn another_host_is_said_to_be_one() {
    let repo = with(&[(".git/config", &remote("git@ghe.example.com:acme/shop.git"))]);
    repo.run(["init"])
        .exits(0)
        .says("the remote is on ghe.example.com")
        .says("GitHub Enterprise Server is not served yet");
    repo.run(["render"]).exits(0);
}

#[test]
fn a_name_of_ssh_s_own_is_no_enterprise_server() {
    for (url, note) in [
        ("git@work:acme/shop.git", "the remote's host `work` is a name of ssh's own configuration"),
        ("ssh://git@ssh.github.com:443/acme/shop.git", "acme/shop on github.com"),
    ] {
        let repo = with(&[(".git/config", &remote(url))]);
        repo.run(["init"]).exits(0).says(note).says_not("Enterprise");
    }
}

#[test]
fn without_git_the_repository_is_left_to_be_filled_in() {
    for files in [
        &[][..],
        &[(".git/config", "[core]\n")],
        &[(".git/config", "[remote \"origin\"]\nurl = /srv/x.git\n")],
    ] {
        let repo = with(files);
        repo.run(["init"])
            .exits(0)
            .says("github.repository: OWNER/repo (git names no remote")
            .says("next:\n  # put the repository's owner into pyfleet.yml: git does not name it\n  pyfleet-gen render");
        repo.run(["render"]).exits(0);
        repo.run(["check"]).exits(0);
    }
}

#[test]
fn a_directory_that_git_names_elsewhere_is_not_followed() {
    let repo = with(&[(".git", "gitdir: /somewhere/else\n")]);
    repo.run(["init"])
        .exits(0)
        .says("OWNER/repo")
        .says("git's own files were not read: `.git` is a file, as in a worktree or a submodule")
        .says_not("help:");
}

#[test]
fn the_default_branch_is_the_remote_s_then_a_usual_one_then_what_is_checked_out() {
    let config = remote("git@github.com:acme/shop.git");
    let head = (".git/HEAD", "ref: refs/heads/feature/x\n");
    for (files, branch) in [
        (&[(".git/refs/remotes/origin/HEAD", "ref: refs/remotes/origin/trunk\n"), head][..], Some("trunk")),
        (&[head], Some("feature/x")),
        (&[head, (".git/packed-refs", "# pack-refs\n0123 refs/heads/master\n")], Some("master")),
        (&[head, (".git/refs/heads/main", "0123\n")], None),
        (&[(".git/HEAD", "0123456789012345678901234567890123456789\n")], None),
        (&[(".git/HEAD", "ref: refs/heads/a${{b\n")], None),
    ] {
        let repo = with(files);
        repo.write(".git/config", &config).run(["init"]).exits(0);
        let manifest = repo.read("pyfleet.yml");
        let line = manifest.lines().find_map(|line| line.trim().strip_prefix("default-branch: "));
        assert_eq!(line.and_then(|line| line.split(" #").next()), branch, "{manifest}");
        repo.run(["render"]).exits(0);
    }
}

#[test]
fn a_hostile_configuration_of_git_says_nothing() {
    let long = "x".repeat(1_000_000);
    for config in [
        "[remote \"",
        "[remote \"a\u{202e}b\"]\nurl = git@github.com:acme/shop.git\n",
        "url = x",
        &long,
        "\0\0",
    ] {
        let repo = with(&[(".git/config", config)]);
        repo.run(["init"]).exits(0).says_not("\u{202e}");
        assert!(!repo.read("pyfleet.yml").contains('\u{202e}'));
        repo.run(["render"]).exits(0);
    }
    repository(&[STACK]).run(["init"]).exits(0);
}
