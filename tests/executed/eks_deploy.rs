use serde_json::json;

use super::kubernetes::{WEB, about, cluster, connecting, deploying, image};
use super::script::{HOSTILE, assert_inert};

#[test]
fn what_is_needed_comes_first_and_who_is_let_in_last() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    let ran = deploying(&aws, &connected, &image('a')).run().exits(0);
    let ran = ran.outputs("previous", "").outputs("revision", "1").outputs("state", "completed");
    let ran = ran.outputs("applied", "true").shows("### ✅ Deployed").never_says("hush-hush");
    assert_inert(&ran.summary, &[]);
    assert_eq!(
        kubernetes.changed(),
        [
            "namespaces/shop",
            "configmaps/settings",
            "secrets/app",
            "statefulsets/redis",
            "deployments/web",
            "services/web",
            "ingresses/web"
        ]
    );
    // The namespace as its file says it, the secret whole, and no image but this one, from the first moment on.
    assert_eq!(kubernetes.object("Namespace", "shop")["metadata"]["labels"]["team"], "web");
    assert_eq!(kubernetes.object("Secret", "app")["data"], json!({"DB_PASSWORD": "aHVzaC1odXNo"}));
    let asked = kubernetes.journal();
    let sent: Vec<_> =
        asked.iter().filter(|own| own.what == "deployments/web" && !own.body.is_null()).collect();
    assert!(!sent.is_empty());
    for own in &sent {
        let containers = &own.body["spec"]["template"]["spec"]["containers"];
        assert_eq!(
            (&containers[0]["image"], &containers[1]["image"]),
            (&image('a').into(), &"envoy:1".into())
        );
    }
    assert!(
        asked.iter().all(|own| own.what == "secrets/app" || !own.body.to_string().contains("aHVzaC1odXNo"))
    );

    // The same again changes nothing; another image says what it replaces, and shows the difference.
    deploying(&aws, &connected, &image('a'))
        .run()
        .exits(0)
        .outputs("state", "unchanged")
        .outputs("revision", "1");
    let ran = deploying(&aws, &connected, &image('b')).run().exits(0);
    let ran = ran.outputs("previous", "1").outputs("previous_image", &image('a')).outputs("revision", "2");
    let ran = ran.shows(&format!("+        image: {}", image('b'))).never_says("aHVzaC1odXNo");
    assert_inert(&ran.summary, &["<details><summary>", "<code>", "</code></summary>", "</details>"]);
    deploying(&aws, &connected, &image('b')).run().exits(0).outputs("previous", "1");
}

#[test]
fn what_does_not_start_is_red_and_stays_to_be_looked_at() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    deploying(&aws, &connected, &image('a')).run().exits(0);
    kubernetes.breaks(&["bbbb", "cccc"]);
    let broken = deploying(&aws, &connected, &image('b')).env("ROLLOUT_TIMEOUT", "2");
    kubernetes.forget();
    let ran = broken.run().exits(6).says("deployment/web is not ready, its rollout is timeout: ");
    ran.outputs("previous", "1")
        .outputs("revision", "2")
        .outputs("state", "timeout")
        .shows("### ❌ Not deployed");
    assert!(!kubernetes.changed().contains(&"ingresses/web".to_owned()));
    assert_eq!(kubernetes.live("web"), (2, image('b')));
    // What never was live is not what is gone back to.
    let broken = deploying(&aws, &connected, &image('c')).env("ROLLOUT_TIMEOUT", "1");
    broken
        .run()
        .exits(6)
        .says("to go back to there is revision 1")
        .outputs("previous", "1")
        .outputs("revision", "3");

    let ran = about(&aws, &connected, "eks-diagnose.sh").env("LOG_LINES", "2").run().exits(0);
    let ran = ran.says("BackOff").says("[pod/web-0/app] line 300 of app").never_says("line 298 of app");
    ran.says("CrashLoopBackOff").never_says("hush-hush");
}

#[test]
fn a_database_that_is_not_ready_keeps_the_service_as_it_is() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    kubernetes.breaks(&["redis:7"]);
    let script = deploying(&aws, &connected, &image('a')).env("DATABASE_TIMEOUT", "2");
    script
        .run()
        .exits(5)
        .says("::error::statefulset/redis is not ready after 2 s, and the service was not deployed");
    assert!(!kubernetes.changed().contains(&"deployments/web".to_owned()));
}

#[test]
fn files_that_do_not_fit_change_nothing() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    let moved = WEB.replace(
        "metadata: { name: web }\nspec: { type",
        "metadata: { name: web, namespace: kube-system }\nspec: { type",
    );
    for (web, (name, value), says) in [
        (WEB, ("CONFIGS", "k8s/gone.yml"), "the file k8s/gone.yml is missing"),
        ("a: [\n", ("A", ""), "the file k8s/web.yml is not understood"),
        (&WEB.replacen("name: web", "name: other", 1), ("A", ""), "hold 0 Deployments of the name web"),
        (&format!("{WEB}---\n{WEB}"), ("A", ""), "hold 2 Deployments of the name web"),
        (&WEB.replace("name: app,", "name: else,"), ("A", ""), "the Deployment web has no container app"),
        (&moved, ("A", ""), "everything lies in the namespace shop, and not what k8s/web.yml says"),
        (WEB, ("SECRET_DB_PASSWORD", ""), "the secret DB_PASSWORD is empty here"),
    ] {
        let script = deploying(&aws, &connected, &image('a')).file("k8s/web.yml", web).env(name, value);
        script.run().exits(3).says("::error::nothing was applied: ").says(says).never_says("hush-hush");
    }
    assert!(kubernetes.changed().is_empty());
}

#[test]
fn a_role_that_may_not_changes_nothing() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    // Who may do everything in a namespace may not make one.
    let deploying = deploying(&aws, &connected, &image('a'));
    kubernetes.administrator("edit");
    deploying.run().exits(4).says("there is no namespace shop, and this role may not make one");
    kubernetes.namespace("shop");
    kubernetes.administrator("view");
    deploying.run().exits(4).says("this role may not create configmap in the namespace shop");
    kubernetes.administrator("none");
    deploying.run().exits(4).says("it needs an access entry of the cluster");
    kubernetes.forget();
    kubernetes.administrator("edit");
    deploying.run().exits(0);
    assert!(!kubernetes.changed().contains(&"namespaces/shop".to_owned()));
}

#[test]
fn usage_is_checked_before_anything_is_asked() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    let script = deploying(&aws, &connected, &image('a'));
    for name in ["EKS_DIRECTORY", "NAMESPACE", "DEPLOYMENT", "CONTAINER", "IMAGE", "RUN_URL"] {
        script.clone().without(name).run().exits(2).says(name);
        for text in HOSTILE {
            script.clone().env(name, text).run().exits(2).says(name);
        }
    }
    for text in ["[]", r#"{"app": {}}"#, r#"{"app": {"KEY": "PATH"}}"#, r#"{"a b": {"KEY": "SECRET_X"}}"#] {
        script.clone().env("SECRETS", text).run().exits(2).says("SECRETS");
    }
    for text in ["../k8s/web.yml", "/etc/passwd", "-x", "$(id)"] {
        script.clone().env("MANIFESTS", text).run().exits(2).says("MANIFESTS");
    }
    assert!(kubernetes.journal().is_empty());
}
