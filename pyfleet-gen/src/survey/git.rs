//! What git knows of the repository, read from its files: no program is started, and no URL is shown, because one
//! may hold a password.

use pyfleet_core::manifest::{BranchName, Repository as Slug};

use super::{Notes, reason};
use crate::repository::Repository;

/// What git knows.
#[derive(Default)]
pub(crate) struct Git {
    /// Where the repository is hosted.
    pub(crate) remote: Option<Remote>,
    /// The default branch, and how that is known.
    pub(crate) branch: Option<(String, &'static str)>,
}

/// A remote repository.
pub(crate) struct Remote {
    /// Its name in git's configuration.
    pub(crate) name: String,
    /// The host, as it is written: one without a dot is a name of ssh's own configuration.
    pub(crate) host: String,
    /// `owner/name`.
    pub(crate) slug: String,
}

pub(super) fn look(repository: &Repository, notes: &mut Notes) -> Git {
    // In a worktree and in a submodule, `.git` is a file that names a place outside of this directory.
    if repository.read_text(".git").is_ok_and(|text| text.is_some()) {
        notes.add(
            "git's own files were not read: `.git` is a file, as in a worktree or a submodule, and they lie elsewhere"
                .to_owned(),
        );
        return Git::default();
    }
    let mut read = |path: &str| {
        repository.read_text(path).unwrap_or_else(|error| {
            notes.add(format!("git's own files were not read: {}", reason(&error)));
            None
        })
    };
    let Some(config) = read(".git/config") else { return Git::default() };
    let remotes = remotes(&config);
    let remote = remotes.iter().find(|(name, _)| name == "origin").or_else(|| remotes.first());
    let parsed = remote.and_then(|(name, url)| {
        let (host, slug) = parse(url)?;
        Some(Remote { name: name.clone(), host, slug })
    });
    let branch_of = |text: String, prefix: &str| {
        let name = text.trim().strip_prefix("ref: ")?.strip_prefix(prefix)?.to_owned();
        BranchName::try_from(name).ok().map(|name| name.to_string())
    };
    let mut branch = read(".git/refs/remotes/origin/HEAD")
        .and_then(|head| branch_of(head, "refs/remotes/origin/"))
        .map(|name| (name, "the default branch of the remote"));
    if branch.is_none() {
        let packed = read(".git/packed-refs").unwrap_or_default();
        let is_packed =
            |name: &str| packed.lines().any(|line| line.ends_with(&format!(" refs/heads/{name}")));
        let known = ["main", "master"]
            .into_iter()
            .find(|name| is_packed(name) || read(&format!(".git/refs/heads/{name}")).is_some());
        branch = match known {
            Some(name) => Some((name.to_owned(), "a branch of this name exists here")),
            None => read(".git/HEAD")
                .and_then(|head| branch_of(head, "refs/heads/"))
                .map(|name| (name, "the branch that is checked out")),
        };
    }
    if remote.is_some() && parsed.is_none() {
        notes.add("the remote's address names no owner and repository".to_owned());
    }
    Git { remote: parsed, branch }
}

/// Every remote's name and address, in order
/// ([git: configuration file](https://git-scm.com/docs/git-config#_configuration_file)).
fn remotes(config: &str) -> Vec<(String, String)> {
    let mut remotes: Vec<(String, String)> = Vec::new();
    let mut section: Option<String> = None;
    for line in config.lines().map(str::trim) {
        if let Some(head) = line.strip_prefix('[') {
            section = head
                .strip_prefix("remote \"")
                .and_then(|rest| rest.split_once('"'))
                .map(|(name, _)| name.to_owned());
        } else if let (Some(name), Some((key, value))) = (&section, line.split_once('='))
            && key.trim().eq_ignore_ascii_case("url")
            && !remotes.iter().any(|(known, _)| known == name)
        {
            remotes.push((name.clone(), value.trim().trim_matches('"').to_owned()));
        }
    }
    remotes
}

/// The host and `owner/name` of an address: `https://host/owner/name.git`, `ssh://git@host:22/owner/name`,
/// `git@host:owner/name.git`.
fn parse(url: &str) -> Option<(String, String)> {
    let (authority, path) = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?,
        None => url.split_once(':')?,
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host).to_ascii_lowercase();
    // Where port 22 is closed (GitHub: using SSH over the HTTPS port).
    let host = if host == "ssh.github.com" { "github.com".to_owned() } else { host };
    let is_host =
        !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let path = path.trim_matches('/');
    let slug = path.strip_suffix(".git").unwrap_or(path);
    let slug = Slug::try_from(slug.to_owned()).ok()?;
    is_host.then(|| (host, slug.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{parse, remotes};

    #[test]
    fn addresses_of_every_form() {
        for (url, host) in [
            ("https://github.com/acme/shop.git", "github.com"),
            ("https://user:hunter2@github.com/acme/shop", "github.com"),
            ("git@github.com:acme/shop.git", "github.com"),
            ("ssh://git@github.com:22/acme/shop.git/", "github.com"),
            ("ssh://git@ssh.github.com:443/acme/shop.git", "github.com"),
            ("git@work:acme/shop.git", "work"),
            ("ssh://git@GHE.example.com/acme/shop", "ghe.example.com"),
        ] {
            assert_eq!(parse(url), Some((host.to_owned(), "acme/shop".to_owned())), "{url}");
        }
        for url in
            ["", "/srv/git/shop.git", "../shop", "https://github.com/shop", "git@host:a/b/c", "x://${{/a/b"]
        {
            assert_eq!(parse(url), None, "{url}");
        }
    }

    #[test]
    fn the_first_address_of_a_remote_counts() {
        let config =
            "[core]\n\turl = no\n[remote \"origin\"]\n\turl = a\n\turl = b\n[branch \"x\"]\n\turl = c\n";
        assert_eq!(remotes(config), [("origin".to_owned(), "a".to_owned())]);
    }
}
