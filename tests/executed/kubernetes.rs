//! A service on a Kubernetes cluster of the emulated EKS, for the tests of the scripts that deploy it.

use pyfleet_core::project::defaults;

use super::script::Script;
use crate::aws::{Aws, Kubernetes};

pub(crate) const CLUSTER: &str = "shop";
pub(crate) const RUN: &str = "https://github.com/octo-org/octo-repo/actions/runs/77";

pub(crate) const CONFIG: &str = "\
apiVersion: v1
kind: Namespace
metadata: { name: shop, labels: { team: web } }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { MODE: production }
";
pub(crate) const REDIS: &str = "\
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: redis }
spec:
  serviceName: redis
  selector: { matchLabels: { app: redis } }
  template:
    metadata: { labels: { app: redis } }
    spec: { containers: [{ name: redis, image: redis:7 }] }
";
pub(crate) const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: app, image: acme/web:latest, env: [{ name: A, value: b }] }
        - { name: proxy, image: envoy:1 }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ port: 80 }] }
";
pub(crate) const INGRESS: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: web }
spec: { defaultBackend: { service: { name: web, port: { number: 80 } } } }
";

/// An AWS with a cluster, in which there is no namespace.
#[track_caller]
pub(super) fn cluster() -> Option<(Aws, Kubernetes)> {
    let aws = Aws::start()?;
    let kubernetes = Kubernetes::start(&aws, CLUSTER)?;
    Some((aws, kubernetes))
}

/// An image, by a digest of its own.
pub(super) fn image(letter: char) -> String {
    format!("docker.io/acme/web@sha256:{}", letter.to_string().repeat(64))
}

/// The script that connects kubectl, with the pinned one at hand.
pub(super) fn connecting(aws: &Aws, kubernetes: &Kubernetes) -> Script {
    let script = aws.lend(Script::new("eks-connect.sh")).real_tool("kubectl", kubernetes.kubectl());
    let directory = script.state().join("eks");
    script
        .env("EKS_CLUSTER", CLUSTER)
        .env("KUBECTL_VERSION", defaults::KUBECTL_VERSION)
        .env("KUBECTL_SHA256", defaults::KUBECTL_SHA256)
        .env("EKS_DIRECTORY", directory)
}

/// Another script behind it, about the service.
pub(super) fn about(aws: &Aws, connected: &Script, name: &str) -> Script {
    aws.lend(connected.then(name))
        .env("EKS_DIRECTORY", connected.state().join("eks"))
        .env("NAMESPACE", "shop")
        .env("DEPLOYMENT", "web")
}

/// The deployment of an image, with everything beside it.
pub(super) fn deploying(aws: &Aws, connected: &Script, image: &str) -> Script {
    about(aws, connected, "eks-deploy.sh")
        .file("k8s/config.yml", CONFIG)
        .file("k8s/redis.yml", REDIS)
        .file("k8s/web.yml", WEB)
        .file("k8s/ingress.yml", INGRESS)
        .env("CONTAINER", "app")
        .env("IMAGE", image)
        .env("CONFIGS", "k8s/config.yml")
        .env("SECRETS", r#"{"app": {"DB_PASSWORD": "SECRET_DB_PASSWORD"}}"#)
        .env("SECRET_DB_PASSWORD", "hush-hush")
        .env("DATABASES", "k8s/redis.yml")
        .env("MANIFESTS", "k8s/web.yml")
        .env("INGRESS", "k8s/ingress.yml")
        .env("RUN_URL", RUN)
}
