//! Who is told what becomes of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::defaults;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{GitHubName, Kind, Manifest, Occasion, Slug};

/// A Slack channel that is told what becomes of a run.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The secret that holds the webhook's address.
    pub webhook: GitHubName,
    /// What it is told.
    pub on: BTreeSet<Occasion>,
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
            .with_help("`tf`, `tf-auto`, `tf-drift`, `deploy` and `rollback` do; take `notify` out until there is one"),
        );
    }
    let channels = manifest.notify.iter().map(|(name, written)| {
        let on = written.on.as_deref().unwrap_or(defaults::NOTIFY_ON);
        let channel =
            Channel { webhook: written.slack.webhook.secret.clone(), on: on.iter().copied().collect() };
        (name.clone(), channel)
    });
    channels.collect()
}
