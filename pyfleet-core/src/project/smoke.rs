//! Checks of a deployed system as they are meant.

use super::defaults;
use super::environment::{ADDRESS, Environment, is_address};
use super::placeholder;
use crate::diagnostic::{Diagnostic, Diagnostics, Path, Place};
use crate::manifest::{Manifest, Scheme, Slug, SmokeCheck, StageKind};

/// One check.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its name.
    pub name: Slug,
    /// What is asked.
    pub asks: Asks,
}

/// What a check asks.
#[derive(Debug, Clone)]
pub enum Asks {
    /// A service on Kubernetes, behind its load balancer.
    Service {
        /// The service.
        service: Slug,
        /// The object that has the load balancer; the Deployment's name where none is named.
        object: Option<String>,
        /// `https` or `http`.
        scheme: &'static str,
        /// The port.
        port: u16,
        /// The path, with its slash.
        path: String,
        /// What answers are right.
        expects: Expects,
    },
    /// An address, which may hold `{environment}`.
    Address {
        /// The address.
        url: String,
        /// What answers are right.
        expects: Expects,
    },
    /// A command.
    Command(String),
}

/// What answers are right, and how often is asked for one.
#[derive(Debug, Clone)]
pub struct Expects {
    /// The HTTP status.
    pub status: u16,
    /// A jq filter; nothing where any body will do.
    pub jq: Option<String>,
    /// How often to ask.
    pub attempts: u16,
}

pub(super) fn resolve(
    manifest: &Manifest,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> Vec<Check> {
    let Some(smoke) = &manifest.smoke else { return Vec::new() };
    let path = Path::of(["smoke"]);
    if !manifest.has_stage(StageKind::Smoke) {
        findings.push(
            Diagnostic::error("invalid-value", Place::key(path.clone()), "no pipeline has the stage `smoke`")
                .with_help("add `smoke` to the `stages` of a pipeline, or take it out"),
        );
    }
    if smoke.checks.is_empty() {
        findings.push(Diagnostic::error("missing-key", path.key("checks"), "there is nothing to check"));
    }
    let checks = smoke.checks.iter().filter_map(|(name, written)| {
        let path = path.key("checks").key(name.as_str());
        Some(Check { name: name.clone(), asks: asks(manifest, written, &path, environments, findings)? })
    });
    checks.collect()
}

fn asks(
    manifest: &Manifest,
    written: &SmokeCheck,
    path: &Path,
    environments: &[Environment],
    findings: &mut Diagnostics,
) -> Option<Asks> {
    let SmokeCheck {
        service,
        object,
        scheme,
        port,
        path: asked,
        url,
        expect_status,
        expect_jq,
        attempts,
        run,
    } = written;
    let kinds = [service.is_some(), url.is_some(), run.is_some()];
    if kinds.iter().filter(|given| **given).count() != 1 {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                Place::key(path.clone()),
                "a check is one of `service`, `url` and `run`",
            )
            .with_help("name another check for each"),
        );
        return None;
    }
    let of_service = [
        ("object", object.is_some()),
        ("scheme", scheme.is_some()),
        ("port", port.is_some()),
        ("path", asked.is_some()),
    ];
    let of_answer = [
        ("expect-status", expect_status.is_some()),
        ("expect-jq", expect_jq.is_some()),
        ("attempts", attempts.is_some()),
    ];
    let needless =
        of_service.iter().filter(|_| service.is_none()).chain(of_answer.iter().filter(|_| run.is_some()));
    for (key, _) in needless.filter(|(_, given)| *given) {
        let what = if run.is_some() { "a command" } else { "an address" };
        findings.push(
            Diagnostic::error("invalid-value", Place::key(path.key(key)), format!("{what} has no such key"))
                .with_help("take it out"),
        );
    }
    let mut refuse = |key: &str, message: &str| {
        findings.push(Diagnostic::error("invalid-value", path.key(key), message.to_owned()));
    };
    let expects = Expects {
        status: expect_status.unwrap_or(defaults::HEALTH_STATUS),
        jq: expect_jq.clone(),
        attempts: attempts.unwrap_or(defaults::HEALTH_ATTEMPTS),
    };
    if !(100..=599).contains(&expects.status) {
        refuse("expect-status", "an HTTP status is a number from 100 to 599");
    }
    if !(1..=100).contains(&expects.attempts) {
        refuse("attempts", "the number of attempts is from 1 to 100");
    }
    if *port == Some(0) {
        refuse("port", "a port is a number from 1 to 65535");
    }
    if let Some(command) = run {
        return Some(Asks::Command(command.clone()));
    }
    if let Some(url) = url {
        for environment in environments {
            match placeholder::fill(url, &[("environment", environment.name.as_str())]) {
                Err(reason) => {
                    findings.push_once(Diagnostic::error("unknown-placeholder", path.key("url"), reason));
                }
                Ok(filled) if is_address(&filled) => {}
                Ok(_) => findings.push_once(Diagnostic::error("invalid-value", path.key("url"), ADDRESS)),
            }
        }
        return Some(Asks::Address { url: url.clone(), expects });
    }
    let service = service.as_ref()?;
    let known = manifest.services.get(service);
    if known.is_none_or(|service| service.eks.is_none()) {
        findings.push(
            Diagnostic::error(
                "unknown-reference",
                path.key("service"),
                "there is no service of this name on Kubernetes",
            )
            .with_help("name one of `services` with `eks`; anything else is asked by its `url`"),
        );
    }
    let asked = asked.clone().unwrap_or_else(|| "/".to_owned());
    let is_path = asked.starts_with('/')
        && asked.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._~:?@!$&()*+,;=%-".contains(&byte));
    if !is_path {
        findings.push(
            Diagnostic::error(
                "invalid-value",
                path.key("path"),
                "a path begins with a slash, and holds no space",
            )
            .with_help("as in `/health`"),
        );
    }
    let is_object = |text: &String| {
        (1..=63).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && text.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
    };
    if object.as_ref().is_some_and(|object| !is_object(object)) {
        findings.push(Diagnostic::error(
            "invalid-value",
            path.key("object"),
            "a Service of Kubernetes is named with lower-case letters, digits and dashes",
        ));
    }
    let (scheme, usual) = match scheme {
        Some(Scheme::Http) => ("http", 80),
        Some(Scheme::Https) | None => ("https", 443),
    };
    Some(Asks::Service {
        service: service.clone(),
        object: object.clone(),
        scheme,
        port: port.unwrap_or(usual),
        path: asked,
        expects,
    })
}

impl Asks {
    /// The address in an environment, where it is known beforehand.
    #[must_use]
    pub fn url_in(&self, environment: &Environment) -> Option<String> {
        let Self::Address { url, .. } = self else { return None };
        placeholder::fill(url, &[("environment", environment.name.as_str())]).ok()
    }
}
