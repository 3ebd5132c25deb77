use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use crate::executed::image_layout::Layout;
use crate::tool;

/// What stands in for it on a machine that runs no containers: every image is there, and well.
pub(crate) const STAND_IN: &str = r#"
case "$1 $2" in
  'load --quiet') ;;
  'image inspect') echo '[{"Size": 104857600, "Config": {"User": "10001", "Healthcheck": {"Test": ["CMD", "true"]}}}]' ;;
  'run --detach') echo 0123abc ;;
  'container inspect') echo '[{"State": {"Status": "running", "Health": {"Status": "healthy"}}}]' ;;
  'container rm') ;;
  save\ *) : >"${*: -1}" ;;
  *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"#;

/// Debian's Docker: a daemon of this run's own, without a network and with no process, mount or image that outlives it.
pub(crate) struct Docker {
    client: PathBuf,
    skopeo: PathBuf,
    directory: PathBuf,
    /// Its standard input ends with this process, and the daemon with its standard input.
    process: Child,
}

impl Docker {
    /// The daemon, or `None` after the calling test has been told to do without: containers take root, and a kernel that
    /// permits them.
    #[track_caller]
    pub(crate) fn of_this_run() -> Option<&'static Self> {
        static DOCKER: OnceLock<Result<Docker, String>> = OnceLock::new();
        let (busybox, client) = (tool::find("busybox")?, tool::find("docker")?);
        let (daemon, skopeo) = (tool::find("dockerd")?, tool::find("skopeo")?);
        let started = DOCKER.get_or_init(|| {
            Self::start(daemon.path(), client.path(), skopeo.path())
                .and_then(|docker| docker.runs(busybox.path()).map(|()| docker))
        });
        match started {
            Ok(docker) => Some(docker),
            Err(why) => {
                tool::not_run(
                    &format!("containers ({why})"),
                    "run the tests as root, where that may start containers",
                );
                None
            }
        }
    }

    fn start(daemon: &Path, client: &Path, skopeo: &Path) -> Result<Self, String> {
        let mut process = Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c"])
            .arg(include_str!("dockerd.sh"))
            .arg(daemon)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut directory = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut directory).unwrap();
        if directory.is_empty() {
            let output = process.wait_with_output().unwrap();
            return Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " "));
        }
        let directory = directory.trim_end().into();
        Ok(Self { client: client.to_owned(), skopeo: skopeo.to_owned(), directory, process })
    }

    /// Whether a container starts.
    fn runs(&self, busybox: &Path) -> Result<(), String> {
        let image = self.directory.join("probe.tar");
        let (folder, program) = (busybox.parent().unwrap(), busybox.file_name().unwrap());
        let tar = Command::new("tar").arg("-cf").arg(&image).arg("-C").arg(folder).arg(program).status();
        assert!(tar.unwrap().success());
        let steps: [&[&str]; 2] =
            [&["import", image.to_str().unwrap(), "probe"], &["run", "--rm", "probe", "/busybox", "true"]];
        for arguments in steps {
            let output = self.command().args(arguments).output().unwrap();
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).trim().replace('\n', " "));
            }
        }
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.client);
        command.args(self.arguments());
        command
    }

    fn arguments(&self) -> [String; 4] {
        let at = self.directory.display();
        ["--config".to_owned(), format!("{at}/client"), "--host".to_owned(), format!("unix://{at}/socket")]
    }

    /// The real client, for [`Script::tool`] and [`Run::around`].
    ///
    /// [`Script::tool`]: crate::executed::script::Script::tool
    /// [`Run::around`]: crate::runner::Run::around
    pub(crate) fn program(&self) -> String {
        format!("exec '{}' {} \"$@\"\n", self.client.display(), self.arguments().join(" "))
    }

    /// Asks the daemon.
    #[track_caller]
    pub(crate) fn ask(&self, arguments: &[&str]) -> String {
        said(&self.command().args(arguments).output().unwrap())
    }

    /// Puts an image there, under a name.
    #[track_caller]
    pub(crate) fn load(&self, layout: &Layout, reference: &str) {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        layout.archive(&at("image.tar"), |_| ());
        let copied = Command::new(&self.skopeo)
            .args(["--insecure-policy", "copy", "--quiet"])
            .arg(format!("oci-archive:{}", at("image.tar").display()))
            .arg(format!("docker-archive:{}:{reference}", at("loaded.tar").display()))
            .output();
        said(&copied.unwrap());
        self.ask(&["load", "--quiet", "--input", at("loaded.tar").to_str().unwrap()]);
    }
}

#[track_caller]
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn nothing_outlives_a_daemon() {
    let Some(first) = Docker::of_this_run() else { return };
    let daemon = tool::find("dockerd").unwrap();
    let mut docker = Docker::start(daemon.path(), &first.client, &first.skopeo).unwrap();
    docker.load(&Layout::plain("left behind"), "left:behind");
    docker.ask(&["run", "--detach", "--stop-timeout", "1", "left:behind"]);
    assert!(docker.directory.join("socket").exists());
    drop(docker.process.stdin.take());
    // The first process of the namespaces: no other is left when it has ended.
    docker.process.wait().unwrap();
    assert!(!docker.directory.exists());
}
