use super::kubernetes::{about, cluster, connecting, deploying, image};
use super::script::{HOSTILE, assert_inert};

#[test]
fn a_deployment_goes_back_to_what_was_live() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    let deploy = |letter| deploying(&aws, &connected, &image(letter)).env("ROLLOUT_TIMEOUT", "1").run();
    deploy('a').exits(0);
    deploy('b').exits(0);
    kubernetes.breaks(&["cccc", "dddd"]);
    deploy('c').exits(6);
    deploy('d').exits(6);
    let script = about(&aws, &connected, "eks-rollback.sh").env("WAIT_TIMEOUT", "2");
    kubernetes.forget();
    let ran =
        script.clone().env("TARGET_REVISION", "list").run().exits(0).says("web has 4 revision(s), live is 4");
    let ran = ran.shows("| 4 | **live** |").shows(&format!("`app: {}`", image('a')));
    assert_inert(&ran.summary, &["<br>"]);
    assert!(ran.outputs.is_empty());

    // The one before was never live. What is asked twice is answered alike, and changes nothing.
    let resolve = script.clone().env("TARGET_REVISION", "previous").env("DRY_RUN", "true");
    for _ in 0..2 {
        resolve.run().exits(0).outputs("previous", "4").outputs("revision", "2").says("from revision 4 to 2");
    }
    assert!(kubernetes.changed().is_empty());

    let back = script.clone().env("TARGET_REVISION", "2").env("FROM", "4");
    let ran =
        back.run().exits(0).outputs("state", "completed").outputs("live", "5").shows("### ✅ Gone back");
    assert_inert(&ran.summary, &[]);
    assert_eq!(kubernetes.live("web"), (5, image('b')));
    // Again: it is there already, under another number, and goes back no further.
    back.run().exits(0).outputs("state", "unchanged").says("was gone back to before, as 5: nothing to do");
    assert_eq!(kubernetes.live("web"), (5, image('b')));

    // Somebody else's deployment stays.
    deploy('e').exits(0);
    back.run().exits(3).says("web is at revision 6, and not at 4 any more");
    for (target, says) in [("17", "web has no revision 17"), ("6", "revision 6 is the one of web already")] {
        script.clone().env("TARGET_REVISION", target).run().exits(3).says(says);
    }
    assert_eq!(kubernetes.live("web"), (6, image('e')));
    // What does not become ready any more is no success.
    script
        .clone()
        .env("TARGET_REVISION", "4")
        .run()
        .exits(5)
        .says("did not end well, its rollout is timeout");
}

#[test]
fn there_may_be_nothing_to_go_back_to() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    let script = about(&aws, &connected, "eks-rollback.sh").env("TARGET_REVISION", "previous");
    script.run().exits(3).says("the namespace shop has no Deployment web");
    deploying(&aws, &connected, &image('a')).run().exits(0);
    script.run().exits(3).says("revision 1 is the only one of web");
    deploying(&aws, &connected, &image('b')).run().exits(0);
    kubernetes.administrator("view");
    script.clone().env("DRY_RUN", "true").run().exits(0).outputs("revision", "1");
    script.run().exits(4).says("this role may not change the Deployment web");
    kubernetes.administrator("none");
    script.run().exits(4).says("it needs an access entry of the cluster");
}

#[test]
fn usage_is_checked_before_anything_is_asked() {
    let Some((aws, kubernetes)) = cluster() else { return };
    let connected = connecting(&aws, &kubernetes);
    connected.run().exits(0);
    let script = about(&aws, &connected, "eks-rollback.sh").env("TARGET_REVISION", "list");
    for name in ["EKS_DIRECTORY", "NAMESPACE", "DEPLOYMENT", "TARGET_REVISION"] {
        for text in HOSTILE {
            script.clone().env(name, text).run().exits(2).says(name);
        }
    }
    for (name, text) in [("FROM", "x"), ("DRY_RUN", "yes"), ("WAIT_TIMEOUT", "-1"), ("TARGET_REVISION", "0")]
    {
        script.clone().env(name, text).run().exits(2).says(name);
    }
    assert!(kubernetes.journal().is_empty());
}
