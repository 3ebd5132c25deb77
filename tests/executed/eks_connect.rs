use super::kubernetes::{cluster, connecting};
use super::script::HOSTILE;
use crate::aws::Failure;

#[test]
fn kubectl_reaches_the_cluster() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let script = connecting(&aws, &kubernetes);
    script.run().exits(0).says("kubectl v1.35.2 is connected with shop in us-east-1");
    let kubeconfig = std::fs::read_to_string(script.state().join("eks/kubeconfig")).unwrap();
    assert!(kubeconfig.contains("get-token") && !kubeconfig.contains("testing"), "{kubeconfig}");
    // Again: nothing of the first time is in the way.
    script.run().exits(0);
}

#[test]
fn another_kubectl_of_the_runner_is_not_used() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let fetch = |from: &str| {
        format!(
            "while (($#)); do [[ $1 != --output ]] || file=$2; address=$1; shift; done\n\
             echo \"$address\" >\"$STATE/address\"\n{from}"
        )
    };
    let script = connecting(&aws, &kubernetes).tool("kubectl", "touch \"$STATE/ran\"");
    let pinned = kubernetes.kubectl().display().to_string();
    let fetched = script.clone().tool("curl", &fetch(&format!("cp '{pinned}' \"$file\"")));
    fetched.run().exits(0);
    let address = std::fs::read_to_string(script.state().join("address")).unwrap();
    assert_eq!(address, "https://dl.k8s.io/release/v1.35.2/bin/linux/amd64/kubectl\n");
    // What is fetched is not believed.
    let wrong = script.clone().tool("curl", &fetch("printf 'touch \"%s\"' \"$STATE/ran\" >\"$file\""));
    wrong.run().exits(4).says("is not what was pinned: it was not run");
    script.tool("curl", "echo 'no route' >&2; exit 6").run().exits(1).says("could not be fetched: no route");
    assert!(!wrong.state().join("ran").exists());
}

#[test]
fn a_cluster_that_cannot_be_reached_is_named() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let script = connecting(&aws, &kubernetes);
    script
        .clone()
        .env("EKS_CLUSTER", "other")
        .run()
        .exits(3)
        .says("::error::there is no cluster other in us-east-1");
    aws.fail_next("eks:DescribeCluster", Failure::Status(403));
    script.run().exits(1).says("::error::reading the cluster shop: ").says("AccessDenied");
}

#[test]
fn usage_is_checked_before_anything_is_asked() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let script = connecting(&aws, &kubernetes);
    aws.forget_calls();
    for name in ["EKS_CLUSTER", "KUBECTL_VERSION", "KUBECTL_SHA256", "EKS_DIRECTORY", "AWS_REGION"] {
        script.clone().without(name).run().exits(2).says(name);
        for text in HOSTILE {
            script.clone().env(name, text).run().exits(2).says(name);
        }
    }
    assert!(aws.calls().is_empty());
}
