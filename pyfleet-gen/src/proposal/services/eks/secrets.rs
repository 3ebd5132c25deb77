//! Secrets of Kubernetes, and the secrets of GitHub that hold their values.

use std::collections::{BTreeMap, BTreeSet};

use pyfleet_core::manifest::{GitHubName, KubernetesName, SecretKey};
use pyfleet_core::secret::secrets_in;
use serde::Serialize;

use crate::survey::Notes;
use crate::survey::kubernetes::{File, Object};

/// As many keys of Secrets.
const KEYS: usize = 30;

/// Secrets of GitHub that are spoken for: each with the namespace, the Secret and the key that it is for.
pub(super) type Taken = BTreeMap<String, (String, String, String)>;

/// A Secret of Kubernetes, and the secrets of GitHub that hold its values.
#[derive(Serialize)]
pub(super) struct HeldSecret {
    name: String,
    keys: Vec<HeldKey>,
}

#[derive(Serialize)]
struct HeldKey {
    key: String,
    held: String,
}

/// Secrets of Kubernetes that containers read key by key, unless something else makes them.
pub(super) fn of(
    files: &[&File],
    namespace: Option<&str>,
    taken: &mut Taken,
    notes: &mut Notes,
) -> Vec<HeldSecret> {
    let objects = || files.iter().flat_map(|file| &file.objects);
    let is_made = |name: &str| {
        let makes = |object: &Object| {
            matches!(object.kind.as_str(), "SealedSecret" | "ExternalSecret" | "SecretProviderClass")
                && object.name.as_deref() == Some(name)
        };
        objects().any(makes)
    };
    let containers = || objects().flat_map(|object| &object.containers);
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, key) in containers().flat_map(|container| &container.secret_keys).take(KEYS) {
        let is_right = KubernetesName::try_from(name.clone()).is_ok()
            && SecretKey::try_from(key.clone()).is_ok()
            && secrets_in(name).is_empty()
            && secrets_in(key).is_empty();
        if is_right && !is_made(name) {
            keys.entry(name).or_default().insert(key);
        }
    }
    for name in containers().flat_map(|container| &container.whole_secrets).take(KEYS) {
        let is_plain = KubernetesName::try_from(name.clone()).is_ok() && secrets_in(name).is_empty();
        if is_plain && !is_made(name) && !keys.contains_key(name.as_str()) {
            notes.add(format!(
                "the Secret `{name}` of Kubernetes is read as a whole: which keys it has, `secrets` of the service has to say"
            ));
        }
    }
    let mut found = Vec::new();
    for (name, keys) in keys {
        let mut held = Vec::new();
        for key in keys {
            let own = (namespace.unwrap_or_default().to_owned(), name.to_owned(), key.to_owned());
            // One secret of GitHub holds one value, whichever service asks for it.
            let mut candidates =
                [key.to_owned(), format!("{name}_{key}")].into_iter().filter_map(|text| held_name(&text));
            let free = candidates.find(|held| taken.get(held).is_none_or(|other| *other == own));
            if let Some(held) = &free {
                taken.insert(held.clone(), own);
            }
            match free {
                Some(secret) => held.push(HeldKey { key: key.to_owned(), held: secret }),
                None => notes.add(format!("the key `{key}` of the Secret `{name}` was left out: no secret of GitHub can have its name")),
            }
        }
        if !held.is_empty() {
            found.push(HeldSecret { name: name.to_owned(), keys: held });
        }
    }
    found
}

/// The name of a secret of GitHub for a key.
fn held_name(key: &str) -> Option<String> {
    let name: String = key
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_uppercase() } else { '_' })
        .collect();
    GitHubName::try_from(name.clone()).ok().map(|_| name)
}
