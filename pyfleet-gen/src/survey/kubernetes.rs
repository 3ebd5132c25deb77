//! Kubernetes: plain manifests, and what writes manifests: Helm charts and Kustomize.
//!
//! Values of Secrets and ConfigMaps are not read.

use std::collections::{BTreeMap, BTreeSet};

use pyfleet_core::secret::secrets_in;
use pyfleet_core::source::Source;
use pyfleet_core::yaml::tree::{Document, Node, Value};

use super::Notes;
use super::tree::{Tree, directory_of, name_of};
use crate::report::count;

/// As many YAML files are looked into.
const FILES: usize = 2_000;
/// As many files of manifests are kept.
const KEPT: usize = 300;
/// As many documents of one file are read, and as many objects kept.
const OBJECTS: usize = 200;
/// As many documents with anchors are read, because an alias can stand for many times its length.
const ANCHORED: usize = 200;
/// As many containers, variables or rules of one object.
const PARTS: usize = 100;

/// Everything that is Kubernetes.
#[derive(Default)]
pub(crate) struct Kubernetes {
    /// Files of plain manifests, by path.
    pub(crate) files: Vec<File>,
    /// Directories of what writes manifests, and what that is.
    pub(crate) writers: Vec<(String, &'static str)>,
}

/// One file of manifests.
pub(crate) struct File {
    /// Its path.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) objects: Vec<Object>,
}

/// One object, as far as a deployment has to know it.
#[derive(Default)]
pub(crate) struct Object {
    /// `Deployment`, `Service`, …
    pub(crate) kind: String,
    /// Its name, where that is a DNS label.
    pub(crate) name: Option<String>,
    /// Its namespace, where that is named.
    pub(crate) namespace: Option<String>,
    /// A workload's containers.
    pub(crate) containers: Vec<Container>,
    /// A workload's labels of its pods, or a Service's selector.
    pub(crate) labels: BTreeMap<String, String>,
    /// A Service's first port, where a load balancer listens there.
    pub(crate) balanced_port: Option<u16>,
    /// The hosts of an Ingress, each with the Service behind it.
    pub(crate) hosts: Vec<(String, String)>,
    /// Whether an Ingress is encrypted.
    pub(crate) is_encrypted: bool,
}

/// One container of a workload.
#[derive(Default)]
pub(crate) struct Container {
    /// Its name, where that is a DNS label.
    pub(crate) name: Option<String>,
    /// The image's repository with its registry, without tag and digest.
    pub(crate) image: String,
    /// The path that its readiness probe asks for.
    pub(crate) readiness: Option<String>,
    /// Keys of Secrets that it reads, as `(secret, key)`.
    pub(crate) secret_keys: Vec<(String, String)>,
    /// Secrets that it reads as a whole.
    pub(crate) whole_secrets: Vec<String>,
}

pub(super) fn look(tree: &Tree<'_>, notes: &mut Notes) -> Kubernetes {
    let mut kubernetes = Kubernetes::default();
    for path in tree.files() {
        let writer = match name_of(path) {
            "Chart.yaml" => "a Helm chart",
            "kustomization.yaml" | "kustomization.yml" => "Kustomize",
            _ => continue,
        };
        kubernetes.writers.push((directory_of(path).to_owned(), writer));
    }
    // Templates of a chart are no YAML yet, and a chart's own directory has nothing else.
    let charts: BTreeSet<&str> =
        tree.files().filter(|path| name_of(path) == "Chart.yaml").map(directory_of).collect();
    let is_of_chart = |path: &str| {
        let mut above = directory_of(path);
        while !charts.contains(above) && above != "." {
            above = directory_of(above);
        }
        charts.contains(above)
    };
    let mut anchored = 0;
    let mut malformed = Vec::new();
    let mut files = Vec::new();
    let yaml = tree.files().filter(|path| {
        (path.ends_with(".yml") || path.ends_with(".yaml"))
            && !path.starts_with(".github/")
            && !matches!(name_of(path), "kustomization.yaml" | "kustomization.yml")
    });
    for (number, path) in yaml.enumerate() {
        if number == FILES {
            notes.add(format!("only the first {FILES} YAML files were looked into for Kubernetes"));
            break;
        }
        if is_of_chart(path) {
            continue;
        }
        let Some(text) = tree.read(path, notes) else { continue };
        let has = |key: &str| text.lines().any(|line| line.starts_with(key));
        if !has("apiVersion:") || !has("kind:") {
            continue;
        }
        if files.len() == KEPT {
            notes.add(format!("only the first {KEPT} files of Kubernetes manifests were read"));
            break;
        }
        if text.contains('&') && text.contains('*') {
            anchored += documents(&text).len();
            if anchored > ANCHORED {
                notes.add(format!("`{path}` has anchors, of which enough were read, and was left out"));
                continue;
            }
        }
        match objects(path, &text) {
            Some(objects) if objects.is_empty() => {}
            Some(objects) => files.push(File { path: path.to_owned(), objects }),
            None => malformed.push((path, text.contains("{{"))),
        }
    }
    if let Some((path, is_template)) = malformed.first() {
        let why = if *is_template { "is a template" } else { "cannot be read" };
        notes.add(format!(
            "{} left out that would be Kubernetes manifests and are not YAML, such as `{path}`, which {why}",
            count(malformed.len(), "file")
        ));
    }
    kubernetes.files = files;
    kubernetes
}

/// The objects of a file; nothing where a document of it is not YAML.
fn objects(path: &str, text: &str) -> Option<Vec<Object>> {
    let mut objects = Vec::new();
    for document in documents(text).into_iter().take(OBJECTS) {
        let document = Document::parse(Source::new(path, document)).ok()?;
        let items = document.root.get("items").map(Node::items).unwrap_or_default();
        let is_list = text_at(&document.root, &["kind"]).is_some_and(|kind| kind == "List");
        let own = if is_list { items } else { std::slice::from_ref(&document.root) };
        objects.extend(own.iter().filter_map(object).take(OBJECTS.saturating_sub(objects.len())));
    }
    Some(objects)
}

/// The documents of a stream: a line of three dashes begins the next.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.lines() {
        let is_mark = line == "---" || line.starts_with("--- ") || line.trim_end() == "---";
        if is_mark || line.trim_end() == "..." {
            documents.push(String::new());
        } else if let Some(last) = documents.last_mut() {
            last.push_str(line);
            last.push('\n');
        }
    }
    documents
}

/// An object of a kind that a cluster knows: what only looks like one is settings of some tool.
fn object(node: &Node) -> Option<Object> {
    let (kind, version) = (text_at(node, &["kind"])?, text_at(node, &["apiVersion"])?);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let is_known = matches!(group, "" | "apps" | "batch" | "policy" | "autoscaling") || group.contains('.');
    let is_word = (1..=63).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_known || !is_word || (group.is_empty() && version != "v1") || kind == "Config" {
        return None;
    }
    let label = |path: &[&str]| text_at(node, path).filter(|text| is_label(text)).map(str::to_owned);
    let mut object = Object {
        kind: kind.to_owned(),
        name: label(&["metadata", "name"]),
        namespace: label(&["metadata", "namespace"]),
        ..Object::default()
    };
    match kind {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => {
            workload(node.get("spec").and_then(|spec| spec.get("template")), &mut object);
        }
        "Job" => workload(node.get("spec").and_then(|spec| spec.get("template")), &mut object),
        "CronJob" => {
            let job = node.get("spec").and_then(|spec| spec.get("jobTemplate")?.get("spec")?.get("template"));
            workload(job, &mut object);
        }
        "Service" => {
            object.labels = labels(node.get("spec").and_then(|spec| spec.get("selector")));
            if text_at(node, &["spec", "type"]) == Some("LoadBalancer") {
                let ports = node.get("spec").and_then(|spec| spec.get("ports"));
                let first = ports.and_then(|ports| ports.items().first()).and_then(|port| port.get("port"));
                object.balanced_port = first.and_then(port);
            }
        }
        "Ingress" => {
            let spec = node.get("spec");
            let rules = spec.and_then(|spec| spec.get("rules")).map(Node::items).unwrap_or_default();
            for rule in rules.iter().take(PARTS) {
                let Some(host) = text_at(rule, &["host"]).filter(|host| is_host(host)) else { continue };
                let paths = rule.get("http").and_then(|http| http.get("paths"));
                for path in paths.map(Node::items).unwrap_or_default().iter().take(PARTS) {
                    let service = text_at(path, &["backend", "service", "name"]);
                    object.hosts.extend(service.map(|service| (host.to_owned(), service.to_owned())));
                }
            }
            object.is_encrypted = spec.is_some_and(|spec| spec.get("tls").is_some());
        }
        _ => {}
    }
    Some(object)
}

fn workload(template: Option<&Node>, object: &mut Object) {
    let Some(template) = template else { return };
    object.labels = labels(template.get("metadata").and_then(|metadata| metadata.get("labels")));
    let containers = template.get("spec").and_then(|spec| spec.get("containers"));
    for node in containers.map(Node::items).unwrap_or_default().iter().take(PARTS) {
        let mut container = Container {
            name: text_at(node, &["name"]).filter(|name| is_label(name)).map(str::to_owned),
            image: text_at(node, &["image"]).and_then(repository).unwrap_or_default(),
            readiness: text_at(node, &["readinessProbe", "httpGet", "path"])
                .filter(|path| is_path(path))
                .map(str::to_owned),
            ..Container::default()
        };
        for variable in node.get("env").map(Node::items).unwrap_or_default().iter().take(PARTS) {
            let of = |part: &str| text_at(variable, &["valueFrom", "secretKeyRef", part]);
            if let (Some(name), Some(key)) = (of("name"), of("key")) {
                container.secret_keys.push((name.to_owned(), key.to_owned()));
            }
        }
        for source in node.get("envFrom").map(Node::items).unwrap_or_default().iter().take(PARTS) {
            container.whole_secrets.extend(text_at(source, &["secretRef", "name"]).map(str::to_owned));
        }
        object.containers.push(container);
    }
}

fn labels(node: Option<&Node>) -> BTreeMap<String, String> {
    let entries = node.map(Node::entries).unwrap_or_default().iter().take(PARTS);
    entries.filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.as_str()?.to_owned()))).collect()
}

fn text_at<'n>(node: &'n Node, path: &[&str]) -> Option<&'n str> {
    path.iter().try_fold(node, |node, key| node.get(key))?.as_str()
}

fn port(node: &Node) -> Option<u16> {
    let Value::Number(number) = &node.value else { return None };
    number.as_integer().and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0)
}

/// `acme/shop` in `acme/shop:1.2@sha256:…`, with its registry; nothing where a template has yet to fill it in.
fn repository(image: &str) -> Option<String> {
    let image = image.split('@').next()?;
    let end = image.rsplit_once('/').map_or(0, |(above, _)| above.len() + 1);
    let (place, last) = image.split_at(end);
    let repository = format!("{place}{}", last.split(':').next()?);
    let is_plain = (1..=255).contains(&repository.len())
        && repository.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte))
        && secrets_in(&repository).is_empty();
    is_plain.then_some(repository)
}

/// A name as Kubernetes and the manifest take it.
fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        && secrets_in(text).is_empty()
}

/// A path that a smoke check can ask for.
fn is_path(text: &str) -> bool {
    text.starts_with('/')
        && text.len() <= 200
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte))
        && secrets_in(text).is_empty()
}

fn is_host(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(is_label)
        && text.contains('.')
        && text.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{objects, repository};

    #[test]
    fn an_image_s_repository_stands_before_its_tag() {
        for (image, found) in [
            ("acme/shop:1.2", Some("acme/shop")),
            ("registry.example.com:5000/acme/shop:1@sha256:00", Some("registry.example.com:5000/acme/shop")),
            ("redis", Some("redis")),
            ("${IMAGE}", None),
            ("{{ .Values.image }}", None),
            ("", None),
        ] {
            assert_eq!(repository(image).as_deref(), found, "{image}");
        }
    }

    #[test]
    fn only_what_a_cluster_knows_is_an_object() {
        let kinds = |text: &str| {
            objects("x.yml", text)
                .map(|found| found.into_iter().map(|object| object.kind).collect::<Vec<_>>().join(" "))
        };
        for (text, found) in [
            (
                "apiVersion: v1\nkind: Service\n---\napiVersion: apps/v1\nkind: Deployment\n",
                Some("Service Deployment"),
            ),
            (
                "---\n# only a comment\n---\napiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ConfigMap\n",
                Some("ConfigMap"),
            ),
            ("apiVersion: cert-manager.io/v1\nkind: Certificate\n", Some("Certificate")),
            ("apiVersion: skaffold/v4beta1\nkind: Config\n", Some("")),
            ("apiVersion: v1\nkind: Config\nclusters: []\n", Some("")),
            ("apiVersion: v2\nkind: Thing\n", Some("")),
            ("apiVersion: [v1]\nkind: {}\n", Some("")),
            ("apiVersion: v1\nkind: {{ .Values.kind }}\n", None),
            ("apiVersion: v1\nkind: Service\n---\n\t- [\n", None),
        ] {
            assert_eq!(kinds(text).as_deref(), found, "{text}");
        }
    }
}
