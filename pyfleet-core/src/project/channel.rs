//! Who is told what becomes of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::defaults;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{self, GitHubName, Kind, Manifest, Occasion, Secret, Slug};

/// A channel that is told what becomes of a run.
#[derive(Debug, Clone)]
pub struct Channel {
    /// What it understands.
    pub format: Format,
    /// The secret that holds the webhook's address.
    pub webhook: GitHubName,
    /// What it is told.
    pub on: BTreeSet<Occasion>,
}

/// What a channel understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Slack's blocks.
    Slack,
    /// A card of Microsoft Teams.
    Teams,
    /// A plain object.
    Json,
}

impl Format {
    /// What notify.sh calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Json => "json",
        }
    }
}

pub(super) fn resolve(manifest: &Manifest, findings: &mut Diagnostics) -> BTreeMap<Slug, Channel> {
    for (name, _) in
        manifest.notify.iter().filter(|(_, written)| written.on.as_ref().is_some_and(Vec::is_empty))
    {
        let path = Path::of(["notify", name.as_str(), "on"]);
        findings.push(
            Diagnostic::error("invalid-value", path, "the channel would never be told anything")
                .with_help("name an occasion, or take `on` out: `failure` and `waiting`"),
        );
    }
    let tells = manifest.renders_changes() || manifest.renders(Kind::TfDrift);
    if let (Some((name, _)), false) = (manifest.notify.first(), tells) {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(Path::of(["notify", name.as_str()])),
                "no workflow of this manifest tells anybody anything",
            )
            .with_help("pipelines, `tf`, `tf-auto`, `tf-drift`, `deploy` and `rollback` do; take `notify` out until there is one"),
        );
    }
    let mut channels = BTreeMap::new();
    for (name, written) in &manifest.notify {
        let path = Path::of(["notify", name.as_str()]);
        let on: BTreeSet<Occasion> =
            written.on.as_deref().unwrap_or(defaults::NOTIFY_ON).iter().copied().collect();
        if on.contains(&Occasion::Slow) && manifest.targets.pipeline_minutes.is_none() {
            findings.push(
                Diagnostic::error("missing-key", path.key("on"), "nothing says from when on a run is slow")
                    .with_help("as in `targets: { pipeline-minutes: 30 }`"),
            );
        }
        match addresses(written).as_slice() {
            [(format, webhook)] => {
                let webhook = webhook.secret.clone();
                channels.insert(name.clone(), Channel { format: *format, webhook, on });
            }
            _ => findings.push(
                Diagnostic::error(
                    "invalid-value",
                    Place::key(path),
                    "a channel is one of `slack`, `teams` and `webhook`",
                )
                .with_help("name another channel for each"),
            ),
        }
    }
    channels
}

/// What the channel understands, and where it listens; one, where the manifest is right.
fn addresses(written: &manifest::Channel) -> Vec<(Format, &Secret)> {
    let slack = written.slack.as_ref().map(|slack| (Format::Slack, &slack.webhook));
    let teams = written.teams.as_ref().map(|teams| (Format::Teams, &teams.webhook));
    let other = written.webhook.as_ref().map(|other| (Format::Json, &other.url));
    [slack, teams, other].into_iter().flatten().collect()
}
