use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use tempfile::TempDir;

use crate::aws::{ACCOUNT, Aws};
use crate::tool;

/// Who is let in, with bcrypt's digest of the password: what the emulated ECR gives out, the secret of stories, and the
/// token of a job.
const USERS: &str = "\
AWS:$2b$04$xwf/HQ0JFJ2b58nEMipuWOio.t7oX7bk6KuJjByYEQT51PAmoO9rC
acme-bot:$2b$04$MriCWjfDlfjsWIgLmyULeuRXZhFTOrXA5RBMpB.kDNkmJUVMJMGA.
octocat:$2b$04$2MQU/LdjCcQ/SFZRYt675uSt1wRhEVormtM5Yj9gH0zJvSr7z/kdG
";

/// An empty registry on loopback, where an emulated AWS is. It ends when this is dropped.
pub(crate) struct Registry {
    process: Child,
    directory: TempDir,
    skopeo: String,
}

impl Registry {
    /// One that skopeo finds under the name of this host, or `None` after the calling test has been reported as not run.
    #[track_caller]
    pub(crate) fn start(aws: &Aws, host: &str) -> Option<Self> {
        let (registry, skopeo) = (tool::find("docker-registry")?, tool::find("skopeo")?);
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("users"), USERS).unwrap();
        let settings = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n\
             auth: {{htpasswd: {{realm: test, path: {}}}}}\n",
            at("images").display(),
            at("users").display(),
        );
        fs::write(at("settings.yml"), settings).unwrap();
        let mut words = aws.inside().to_vec();
        words.extend([registry.path().into(), "serve".into(), at("settings.yml").into()]);
        let mut process = Command::new(&words[0])
            .args(&words[1..])
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok);
        let address = log.find_map(|line| {
            let (_, rest) = line.split_once("listening on ")?;
            Some(rest.split(['"', ' ']).next().unwrap().to_owned())
        });
        let address = address.expect("a registry says where it listens");
        // It goes on to write, and must not have to wait for a reader.
        thread::spawn(move || log.for_each(drop));
        let insecure = format!("[[registry]]\nlocation = \"{address}\"\ninsecure = true\n");
        fs::write(at("registries.conf"), insecure).unwrap();
        let skopeo = include_str!("skopeo.sh")
            .replace("@HOST@", host)
            .replace("@ADDRESS@", &address)
            .replace("@SETTINGS@", &at("registries.conf").display().to_string())
            .replace("@SKOPEO@", &skopeo.path().display().to_string());
        Some(Self { process, directory, skopeo })
    }

    /// The registry of the emulated AWS.
    #[track_caller]
    pub(crate) fn of_ecr(aws: &Aws) -> Option<Self> {
        Self::start(aws, &format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"))
    }

    /// The real skopeo, which finds this registry: for [`Script::tool`] and [`Run::around`].
    ///
    /// [`Script::tool`]: crate::executed::script::Script::tool
    /// [`Run::around`]: crate::runner::Run::around
    pub(crate) fn skopeo(&self) -> &str {
        &self.skopeo
    }

    /// What a tag names.
    pub(crate) fn tag(&self, repository: &str, tag: &str) -> Option<String> {
        let link =
            format!("images/docker/registry/v2/repositories/{repository}/_manifests/tags/{tag}/current/link");
        fs::read_to_string(self.directory.path().join(link)).ok()
    }
}

impl Registry {
    /// From now on nobody answers.
    pub(crate) fn end(&mut self) {
        // It may have ended by itself.
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.end();
    }
}
