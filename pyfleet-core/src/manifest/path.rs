//! Paths inside the repository.

use super::name::checked_string;

checked_string! {
    /// A path relative to the repository's root, with `/` between its parts: no `..`, not absolute, no
    /// backslash, no empty part, nothing of git's own. `.` is the root itself.
    RelativePath, pattern: "^(?!/)(?!.*(^|/)\\.\\.(/|$))[^\\\\]+$", max: 255,
    check: is_inside,
    says: "a path is relative to the repository's root, stays inside it, and has no `..`, backslash, colon or control character"
}

fn is_inside(text: &str) -> bool {
    let clean = !text.is_empty()
        && !text.starts_with(['/', '-', '~', ':'])
        && !text
            .chars()
            .any(|c| c.is_control() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|'));
    let is_part = |part: &str| {
        !matches!(part, "" | "." | "..")
            && !part.starts_with(' ')
            && !part.ends_with(' ')
            && !part.eq_ignore_ascii_case(".git")
    };
    clean && (text == "." || text.strip_suffix('/').unwrap_or(text).split('/').all(is_part))
}

impl RelativePath {
    /// The repository's root.
    #[must_use]
    pub fn root() -> Self {
        Self(".".to_owned())
    }

    /// The path without a trailing slash.
    #[must_use]
    pub fn normal(&self) -> &str {
        self.as_str().strip_suffix('/').unwrap_or(self.as_str())
    }

    /// `path` below this directory, relative to the root.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        if self.as_str() == "." { path.to_owned() } else { format!("{}/{path}", self.normal()) }
    }
}
