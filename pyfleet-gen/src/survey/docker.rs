//! Dockerfiles: where they build from, their stages, user and health check.

use super::Notes;
use super::tree::{Tree, directory_of, join, name_of};

/// One Dockerfile.
#[derive(Default)]
pub(crate) struct Dockerfile {
    /// Its path.
    pub(crate) path: String,
    /// The directory that it takes files from, as far as its own `COPY` lines tell.
    pub(crate) context: String,
    /// How many stages it has.
    pub(crate) stages: usize,
    /// The user of the last stage, where one is set.
    pub(crate) user: Option<String>,
    /// Whether the last stage says how to see that it works.
    pub(crate) has_health_check: bool,
    /// A platform that a stage is pinned to.
    pub(crate) platform: Option<String>,
    /// The version of Python that it is based on.
    pub(crate) python: Option<String>,
    /// The version of Node that it is based on.
    pub(crate) node: Option<String>,
}

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Vec<Dockerfile> {
    let mut found = Vec::new();
    for path in tree.files().filter(|path| is_dockerfile(name_of(path))) {
        if path.starts_with(".devcontainer/") {
            notes.add(format!("`{path}` is a development container, and was left out"));
            continue;
        }
        let Some(text) = tree.read(path, notes) else { continue };
        let file = read(tree, path, &text);
        if file.stages == 0 {
            notes.add(format!("`{path}` has no `FROM`, and was left out"));
        } else {
            found.push(file);
        }
    }
    found
}

fn is_dockerfile(name: &str) -> bool {
    matches!(name, "Dockerfile" | "Containerfile")
        || name.ends_with(".Dockerfile")
        || name.strip_prefix("Dockerfile.").is_some_and(|rest| rest != "dockerignore")
}

/// Reads what can be told line by line ([Dockerfile reference](https://docs.docker.com/reference/dockerfile/)).
fn read(tree: &Tree<'_>, path: &str, text: &str) -> Dockerfile {
    let own = directory_of(path);
    let mut file = Dockerfile { path: path.to_owned(), context: own.to_owned(), ..Dockerfile::default() };
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let instruction = words.next().unwrap_or_default().to_ascii_uppercase();
        let (flags, words): (Vec<&str>, Vec<&str>) = words.partition(|word| word.starts_with("--"));
        match (instruction.as_str(), words.as_slice()) {
            ("FROM", [image, ..]) => {
                file.stages += 1;
                file.user = None;
                file.has_health_check = false;
                let platform = flags.iter().find_map(|flag| flag.strip_prefix("--platform="));
                file.platform =
                    platform.filter(|platform| !platform.contains('$')).map(str::to_owned).or(file.platform);
                file.python = base_version(image, "python").or(file.python);
                file.node = base_version(image, "node").or(file.node);
            }
            ("USER", [user, ..]) => file.user = Some((*user).to_owned()),
            ("HEALTHCHECK", [first, ..]) => file.has_health_check = *first != "NONE",
            ("COPY" | "ADD", [sources @ .., _]) if !flags.iter().any(|flag| flag.starts_with("--from")) => {
                let lies_above = |source: &&str| {
                    let plain = source.trim_start_matches("./").trim_end_matches('/');
                    !plain.is_empty()
                        && !plain.contains(['*', '?', '[', '$', ':', '<', '"'])
                        && !tree.has_below(&join(own, plain))
                        && tree.has_below(plain)
                };
                if sources.iter().any(lies_above) {
                    ".".clone_into(&mut file.context);
                }
            }
            _ => {}
        }
    }
    file
}

/// The version in `python:3.12.1-slim`, also behind a registry.
fn base_version(image: &str, name: &str) -> Option<String> {
    let (repository, tag) = image.split_once('@').map_or(image, |(image, _)| image).rsplit_once(':')?;
    if name_of(repository) != name {
        return None;
    }
    let version = tag.split('-').next()?;
    let is_version = version
        .split('.')
        .all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_version.then(|| version.split('.').take(2).collect::<Vec<_>>().join("."))
}

impl Dockerfile {
    /// Whether its last stage runs as root, as far as it says itself.
    pub(crate) fn is_root(&self) -> bool {
        self.user.as_deref().is_none_or(|user| matches!(user.split(':').next(), Some("root" | "0")))
    }
}

#[cfg(test)]
mod tests {
    use super::base_version;

    #[test]
    fn versions_of_base_images() {
        assert_eq!(base_version("python:3.11.14-slim-bookworm", "python").as_deref(), Some("3.11"));
        assert_eq!(
            base_version("public.ecr.aws/docker/library/node:22@sha256:0", "node").as_deref(),
            Some("22")
        );
        for (image, version) in [
            ("python:3", Some("3")),
            ("python", None),
            ("python:latest", None),
            ("node:22", None),
            ("ubuntu:24.04", None),
        ] {
            assert_eq!(base_version(image, "python").as_deref(), version, "{image}");
        }
    }
}
