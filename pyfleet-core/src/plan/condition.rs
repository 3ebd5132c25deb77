//! Conditions that several kinds share, and how expressions are quoted.

/// A pull request of this repository: a fork's, and Dependabot's, get no secrets, no identity and a token
/// that only reads ([GitHub: events that trigger workflows](https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#pull_request)).
pub(super) const OWN_PULL_REQUEST: &str = "github.event_name == 'pull_request' \
     && github.event.pull_request.head.repo.full_name == github.repository \
     && github.event.pull_request.user.login != 'dependabot[bot]'";

/// Anything but a pull request that gets no secrets.
pub(super) const MAY_HOLD_SECRETS: &str = "github.event_name != 'pull_request' \
     || (github.event.pull_request.head.repo.full_name == github.repository \
     && github.event.pull_request.user.login != 'dependabot[bot]')";

/// An expression where YAML would take its first character for something else.
pub(super) fn expression(text: &str) -> String {
    format!("${{{{ {text} }}}}")
}
