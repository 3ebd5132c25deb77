//! Who is told what becomes of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::defaults;
use crate::manifest::{GitHubName, Manifest, Occasion, Slug};

/// A Slack channel that is told what becomes of a run.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The secret that holds the webhook's address.
    pub webhook: GitHubName,
    /// What it is told.
    pub on: BTreeSet<Occasion>,
}

pub(super) fn resolve(manifest: &Manifest) -> BTreeMap<Slug, Channel> {
    let channels = manifest.notify.iter().map(|(name, written)| {
        let on = written.on.as_deref().unwrap_or(defaults::NOTIFY_ON);
        let channel =
            Channel { webhook: written.slack.webhook.secret.clone(), on: on.iter().copied().collect() };
        (name.clone(), channel)
    });
    channels.collect()
}
