use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::script::{HOSTILE, Script};
use crate::tool;

/// An OCI layout as BuildKit writes it: an index with an image and what is attested of it.
pub(crate) struct Layout {
    blobs: Vec<(String, Vec<u8>)>,
    index: Value,
    /// What the image is known by.
    pub(crate) digest: String,
}

fn digest_of(content: &[u8]) -> String {
    let bytes: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{bytes}")
}

impl Layout {
    fn add(&mut self, media_type: &str, content: impl Into<Vec<u8>>) -> Value {
        let content = content.into();
        let digest = digest_of(&content);
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": content.len()});
        self.blobs.push((digest, content));
        descriptor
    }

    /// An image that runs and is well, and nothing beside it. Another text makes it another image.
    pub(crate) fn plain(text: &str) -> Self {
        let check = json!({"Test": ["CMD", "/busybox", "true"], "Interval": 50_000_000});
        Self::running(
            text,
            &json!({"User": "10001", "Cmd": ["/busybox", "sleep", "600"], "Healthcheck": check}),
        )
    }

    /// An image of BusyBox, where the tests have it, that is run as its configuration says.
    pub(crate) fn running(text: &str, config: &Value) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("text"), text).unwrap();
        if let Some(busybox) = tool::find("busybox") {
            fs::copy(busybox.path(), root.path().join("busybox")).unwrap();
        }
        let mut tar = Command::new("tar");
        tar.args(["-c", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--mode=755", "-C"]);
        let layer = tar.arg(root.path()).arg(".").output().unwrap();
        assert!(layer.status.success());
        Self::with(AMD64, false, layer.stdout, config)
    }

    /// An image that nobody runs.
    pub(crate) fn small(layer: &str) -> Self {
        Self::with(AMD64, false, layer.into(), &json!({"User": "10001"}))
    }

    /// The manifest that the digest is of.
    pub(crate) fn manifest(&self) -> &str {
        let (_, content) = self.blobs.iter().find(|(digest, _)| *digest == self.digest).unwrap();
        std::str::from_utf8(content).unwrap()
    }

    fn of(platform: (&str, &str), attested: bool) -> Self {
        Self::with(platform, attested, "a layer".into(), &json!({"User": "10001"}))
    }

    /// One image for a platform, which its configuration names, behind an index where it has attestations.
    fn with(platform: (&str, &str), attested: bool, layer: Vec<u8>, config: &Value) -> Self {
        let mut layout = Self { blobs: Vec::new(), index: json!(null), digest: String::new() };
        let (os, architecture) = platform;
        let layer = layout.add("application/vnd.oci.image.layer.v1.tar", layer);
        let rootfs = json!({"type": "layers", "diff_ids": [layer["digest"]]});
        let config =
            json!({"os": os, "architecture": architecture, "config": config, "rootfs": rootfs}).to_string();
        let config = layout.add("application/vnd.oci.image.config.v1+json", config);
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]}).to_string();
        let mut image = layout.add("application/vnd.oci.image.manifest.v1+json", manifest);
        if attested {
            image["platform"] = json!({"os": os, "architecture": architecture});
            let statement = layout.add("application/vnd.in-toto+json", "{}");
            let attestation =
                json!({"schemaVersion": 2, "config": statement, "layers": [statement]}).to_string();
            let mut attestation = layout.add("application/vnd.oci.image.manifest.v1+json", attestation);
            attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
            attestation["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
            let index = json!({"schemaVersion": 2, "manifests": [image, attestation]}).to_string();
            image = layout.add("application/vnd.oci.image.index.v1+json", index);
        }
        layout.digest = image["digest"].as_str().unwrap().to_owned();
        layout.index = json!({"schemaVersion": 2, "manifests": [image]});
        layout
    }

    /// Writes it as an archive, after something happened to its directory.
    pub(crate) fn archive(&self, to: &Path, change: impl FnOnce(&Path)) {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("layout");
        fs::create_dir_all(root.join("blobs/sha256")).unwrap();
        fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        fs::write(root.join("index.json"), self.index.to_string()).unwrap();
        for (digest, content) in &self.blobs {
            fs::write(root.join("blobs/sha256").join(digest.trim_start_matches("sha256:")), content).unwrap();
        }
        change(&root);
        // As BuildKit does, without a directory before the names.
        let mut tar = Command::new("tar");
        tar.arg("-cf")
            .arg(to)
            .arg("-C")
            .arg(&root)
            .args(fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().file_name()));
        assert!(tar.status().unwrap().success());
    }

    /// The script, with the layout as an archive.
    fn script(&self, change: impl FnOnce(&Path)) -> Script {
        let script = Script::new("image-layout.sh");
        self.archive(&script.directory().join("the image.tar"), change);
        script
            .env("IMAGE_ARCHIVE", "the image.tar")
            .env("DIGEST", &self.digest)
            .env("PLATFORM", "linux/amd64")
            .env("LAYOUT_DIR", "image")
    }
}

const AMD64: (&str, &str) = ("linux", "amd64");

#[test]
fn an_image_that_is_whole_is_unpacked() {
    for attested in [true, false] {
        let layout = Layout::of(AMD64, attested);
        let script = layout.script(|_| ());
        script.run().exits(0).says(&format!("unpacked {}", layout.digest)).never_says("::error::");
        // What is scanned is the image, and no attestation of it.
        let index = fs::read_to_string(script.directory().join("image/index.json")).unwrap();
        let index: Value = serde_json::from_str(&index).unwrap();
        let [image] = index["manifests"].as_array().unwrap().as_slice() else { panic!("{index}") };
        let name = image["digest"].as_str().unwrap().trim_start_matches("sha256:");
        let manifest = fs::read(script.directory().join("image/blobs/sha256").join(name)).unwrap();
        assert_eq!(image["size"], manifest.len());
        assert!(serde_json::from_slice::<Value>(&manifest).unwrap()["layers"].is_array());
        // It is not unpacked over what is there.
        script.run().exits(2).says("LAYOUT_DIR must be");
    }
}

#[test]
fn a_blob_that_is_not_what_its_name_says_is_refused() {
    let layout = Layout::of(AMD64, true);
    for (digest, _) in &layout.blobs {
        let script = layout.script(|root| {
            let blob = root.join("blobs/sha256").join(digest.trim_start_matches("sha256:"));
            fs::write(blob, "something else").unwrap();
        });
        script.run().exits(4).says("::error::the archive is damaged: a blob is not what its name says");
    }
    let stranger = layout.script(|root| fs::write(root.join("blobs/sha256/stranger"), "x").unwrap());
    stranger.run().exits(4).says("damaged");
}

#[test]
fn a_part_that_is_missing_is_noticed() {
    let layout = Layout::of(AMD64, true);
    // The layer, the configuration, the manifest, and the index itself; attestations are not scanned.
    for at in [0, 1, 2, 5] {
        let digest = &layout.blobs[at].0;
        let script = layout.script(|root| {
            fs::remove_file(root.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))).unwrap();
        });
        script.run().exits(4).says("::error::the archive");
    }
}

#[test]
fn another_image_is_refused() {
    let layout = Layout::of(AMD64, true);
    let other = digest_of(b"another image");
    layout
        .script(|_| ())
        .env("DIGEST", &other)
        .run()
        .exits(4)
        .says(&format!("does not hold the image that was built, {other}"));
    // Two images in one archive: which one would be pushed?
    let twice = layout.script(|root| {
        let entry = &layout.index["manifests"][0];
        let index = json!({"schemaVersion": 2, "manifests": [entry, entry]});
        fs::write(root.join("index.json"), index.to_string()).unwrap();
    });
    twice.run().exits(4).says("does not hold the image that was built");
    for attested in [true, false] {
        let arm = Layout::of(("linux", "arm64"), attested);
        arm.script(|_| ()).run().exits(4).says("does not hold one image for linux/amd64");
    }
    // The attestation alone, or an image behind the first: what a scanner would take is not what would run.
    let mut hidden = Layout::of(AMD64, true);
    let index: Value = serde_json::from_slice(&hidden.blobs[5].1).unwrap();
    for manifests in
        [json!([index["manifests"][1]]), json!([index["manifests"][0], index["manifests"][0]]), json!([])]
    {
        let text = json!({"schemaVersion": 2, "manifests": manifests}).to_string();
        let entry = hidden.add("application/vnd.oci.image.index.v1+json", text);
        hidden.digest = entry["digest"].as_str().unwrap().to_owned();
        hidden.index = json!({"schemaVersion": 2, "manifests": [entry]});
        hidden.script(|_| ()).run().exits(4).says("does not hold one image for linux/amd64");
    }
}

#[test]
fn what_is_no_layout_is_refused() {
    let layout = Layout::of(AMD64, true);
    let link =
        layout.script(|root| std::os::unix::fs::symlink("/etc/passwd", root.join("blobs/link")).unwrap());
    link.run().exits(4).says("neither a file nor a directory");
    let bare = layout.script(|root| fs::remove_dir_all(root.join("blobs")).unwrap());
    bare.run().exits(4).says("is not an OCI layout");
    let text = layout.script(|_| ()).file("the image.tar", "no archive");
    text.run().exits(4).says("is not a readable tar file");
    for text in ["", "{", "[]", "null", r#"{"manifests": 1}"#] {
        layout.script(|root| fs::write(root.join("index.json"), text).unwrap()).run().exits(4);
    }
}

#[test]
fn usage_is_checked_first() {
    let layout = Layout::of(AMD64, false);
    for (name, values) in [
        ("IMAGE_ARCHIVE", &["", "nothing.tar", "."][..]),
        ("DIGEST", &["", "sha256:", "sha256:0123", "latest"]),
        ("PLATFORM", &["", "linux", "linux/amd64/v2", "Linux/amd64"]),
        ("LAYOUT_DIR", &["", ".", "the image.tar"]),
    ] {
        for value in values.iter().chain(HOSTILE.iter().filter(|_| name != "LAYOUT_DIR")) {
            layout.script(|_| ()).env(name, value).run().exits(2).says(&format!("::error::{name} must be"));
        }
    }
}
