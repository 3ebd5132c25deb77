//! AWS on loopback, for the tests of the scripts that talk to it: moto, one emulator per test.
//!
//! ```ignore
//! let Some(aws) = Aws::start() else { return };
//! aws.cli(&["s3api", "create-bucket", "--bucket", "state"]);
//! aws.fail_next("s3:GetObject", Failure::Status(503));
//! aws.lend(Script::new("wait-for-lock.sh")).run().exits(5);
//! assert!(aws.calls().iter().all(|call| call.action != "s3:PutObject"));
//! ```
//!
//! | file | what moto does not do |
//! |---|---|
//! | `emulator.py` | one process per test, the log of calls, faults, the refusals below |
//! | `actions.py` | the IAM actions and resources that a request asks for |
//! | `policies.py` | policy documents with their conditions |
//! | `authorisation.py` | what a session may do, and whose a bucket is |
//! | `tokens.py` | GitHub's OIDC tokens, and what AWS makes of them |
//! | `ecr.py` | digests of images |
//! | `ecs.py` | deployments of a service that take their course |
//! | `eks.py` | the API of a Kubernetes cluster: [`Kubernetes`] |
//!
//! The registry itself, to which images are pushed, is a real one: `tests/images/`.
//!
//! Where the machine permits it, emulators and scripts live in a network namespace in which nothing but loopback
//! exists: a script that asks anybody else fails. Not emulated: permission boundaries, session policies, policies of
//! keys, throttling; a batch of deletions is refused as a whole.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::executed::script::Script;
use crate::tool;

mod authorisation; // what IAM refuses is refused here
mod kubernetes; // a cluster that kubectl can talk to
mod harness; // what is promised here holds

pub(crate) use self::kubernetes::Kubernetes;

/// The account that everything belongs to.
pub(crate) const ACCOUNT: &str = "123456789012";

/// One emulator. It ends when the last of these is dropped.
#[derive(Clone)]
pub(crate) struct Aws {
    control: Rc<RefCell<Control>>,
    port: u64,
    nursery: &'static Nursery,
}

/// One action that IAM was asked for; a request that needs several is several calls.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Call {
    /// Which request it was, counted from 1.
    pub(crate) request: u64,
    /// `s3`, as IAM names it.
    pub(crate) service: String,
    /// What the API names it: `HeadObject`.
    pub(crate) operation: String,
    /// What IAM names it: `s3:GetObject`.
    pub(crate) action: String,
    /// The ARN, or `*`.
    pub(crate) resource: String,
    /// The HTTP status; 0 where the connection was dropped.
    pub(crate) status: u16,
    /// The ARN of the role's session, or `administrator`: the test itself, and scripts by default.
    pub(crate) principal: String,
}

/// How a call fails.
#[derive(Clone, Copy)]
pub(crate) enum Failure {
    /// An error in the service's own format.
    Status(u16),
    /// The connection ends without an answer.
    Drop,
}

/// How a deployment to ECS ends; `ecs.py` has the course that it takes.
#[derive(Clone, Copy)]
pub(crate) enum Rollout {
    /// Complete after so many looks at the service.
    Completes(u32),
    /// Failed after so many looks: the service's circuit breaker decides what follows.
    Fails(u32),
    /// In progress for ever.
    NeverEnds,
}

impl Aws {
    /// A new, empty AWS, or `None` after the calling test has been reported as not run.
    #[track_caller]
    pub(crate) fn start() -> Option<Self> {
        let (python, _) = (tool::find("python")?, tool::find("aws")?);
        let nursery = Nursery::of_this_run(&python);
        let stream = UnixStream::connect(&nursery.socket).unwrap();
        let mut control = Control { lines: BufReader::new(stream.try_clone().unwrap()), stream };
        let port = control.answer()["port"].as_u64().unwrap();
        Some(Self { control: Rc::new(RefCell::new(control)), port, nursery })
    }

    /// Gives a script this AWS, an administrator's keys, and the pinned `aws`.
    pub(crate) fn lend(&self, script: Script) -> Script {
        let control = Rc::clone(&self.control);
        let script =
            script.real_tool("aws", self.client()).inside(&self.nursery.inside).followed(move |group| {
                control.borrow_mut().ask(&json!({"do": "runs", "group": group}));
            });
        self.environment().into_iter().fold(script, |script, (name, value)| script.env(name, value))
    }

    /// What takes a command to where this AWS is.
    pub(crate) fn inside(&self) -> &[OsString] {
        &self.nursery.inside
    }

    pub(crate) fn environment(&self) -> [(&'static str, String); 8] {
        let url = self.url();
        [
            ("AWS_ACCESS_KEY_ID", "testing".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testing".to_owned()),
            ("AWS_ENDPOINT_URL", url.clone()),
            // Terraform does not take it from the one above for web identities.
            ("AWS_ENDPOINT_URL_STS", url),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_PAGER", String::new()),
            ("AWS_MAX_ATTEMPTS", "1".to_owned()),
        ]
    }

    /// The pinned `aws`, as scripts call it.
    pub(crate) fn client(&self) -> &Path {
        &self.nursery.client
    }

    /// Calls AWS as the administrator, to prepare or to look.
    #[track_caller]
    pub(crate) fn cli(&self, arguments: &[&str]) -> Value {
        let output = Command::new(self.client())
            .args(arguments)
            .args(["--output", "json"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("LANG", "C.UTF-8")
            .envs(self.environment())
            .output()
            .unwrap();
        assert!(output.status.success(), "aws {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// What was asked so far, in the order of the answers.
    pub(crate) fn calls(&self) -> Vec<Call> {
        serde_json::from_value(self.ask(&json!({"do": "calls"}))).unwrap()
    }

    pub(crate) fn forget_calls(&self) {
        self.ask(&json!({"do": "forget_calls"}));
    }

    /// Lets the next request that asks for this action fail, or the next one of all (`*`). Nothing of it takes effect.
    pub(crate) fn fail_next(&self, action: &str, failure: Failure) {
        let how = match failure {
            Failure::Status(status) => json!(status),
            Failure::Drop => json!("drop"),
        };
        self.ask(&json!({"do": "fail_next", "action": action, "how": how}));
    }

    /// Kills the script that runs next, and all it has started, at its n-th request: the request has taken effect, and
    /// nobody sees the answer. Only until that script has ended.
    pub(crate) fn kill_at(&self, request: u64) {
        assert!(request > 0, "requests are counted from 1");
        self.ask(&json!({"do": "kill_at", "request": request}));
    }

    /// How the next deployment to ECS ends, reversals included; asked several times, the next ones.
    pub(crate) fn next_rollout(&self, rollout: Rollout) {
        let (end, looks) = match rollout {
            Rollout::Completes(looks) => ("completes", looks),
            Rollout::Fails(looks) => ("fails", looks),
            Rollout::NeverEnds => ("never", 0),
        };
        self.ask(&json!({"do": "next_rollout", "end": end, "looks": looks}));
    }

    /// From now on a role's session may do only what the role's policies allow, as `authorisation.py` reads them. The
    /// administrator is never refused.
    pub(crate) fn enforce(&self) {
        self.ask(&json!({"do": "enforce"}));
    }

    /// A bucket of another account.
    pub(crate) fn foreign_bucket(&self, name: &str) {
        self.ask(&json!({"do": "foreign_bucket", "name": name}));
    }

    /// Registers GitHub's OIDC provider.
    #[track_caller]
    pub(crate) fn trust_github(&self) {
        self.iam(&json!({
            "Action": "CreateOpenIDConnectProvider",
            "Url": "https://token.actions.githubusercontent.com",
            "ClientIDList.member.1": "sts.amazonaws.com",
        }));
    }

    /// Creates a role that GitHub's provider may assume under this condition, with one inline policy; the ARN.
    #[track_caller]
    pub(crate) fn role(&self, name: &str, condition: &Value, statements: &Value) -> String {
        let provider = format!("arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com");
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Federated": provider},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": condition,
        }]});
        self.iam(&json!({
            "Action": "CreateRole",
            "RoleName": name,
            "AssumeRolePolicyDocument": trust.to_string(),
        }));
        if *statements != json!([]) {
            self.iam(&json!({
                "Action": "PutRolePolicy",
                "RoleName": name,
                "PolicyName": "all",
                "PolicyDocument": json!({"Version": "2012-10-17", "Statement": statements}).to_string(),
            }));
        }
        format!("arn:aws:iam::{ACCOUNT}:role/{name}")
    }

    /// Creates a role of these documents.
    #[track_caller]
    pub(crate) fn role_of_documents(&self, name: &str, trust: &Value, permissions: &Value) {
        self.iam(&json!({
            "Action": "CreateRole", "RoleName": name, "AssumeRolePolicyDocument": trust.to_string(),
            "MaxSessionDuration": "7200",
        }));
        self.iam(&json!({
            "Action": "PutRolePolicy", "RoleName": name, "PolicyName": "all",
            "PolicyDocument": permissions.to_string(),
        }));
    }

    #[track_caller]
    fn iam(&self, form: &Value) {
        let (status, body) = self.request(&json!({"service": "iam", "key": "testing", "form": form}));
        assert_eq!(status, 200, "{form}: {body}");
    }

    /// A request without a client, which takes a millisecond instead of half a second: `service`, `key` (of the caller,
    /// empty for nobody), `form`, or else `method` and `path`, or `target` with JSON as `form`. Answers status and body.
    pub(crate) fn request(&self, request: &Value) -> (u16, String) {
        let mut request = request.clone();
        request["do"] = json!("request");
        let answer = self.ask(&request);
        (answer["status"].as_u64().unwrap().try_into().unwrap(), answer["body"].as_str().unwrap().to_owned())
    }

    /// A token as GitHub issues it for AWS, with these claims; `tokens.py` has the others.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.ask(&json!({"do": "token", "claims": claims})).as_str().unwrap().to_owned()
    }

    /// Lets a script run in a job with `id-token: write`, whose tokens carry these claims.
    pub(crate) fn job(&self, script: Script, claims: &Value) -> Script {
        self.token_request(claims).into_iter().fold(script, |script, (name, value)| script.env(name, value))
    }

    /// What such a job finds in its environment.
    pub(crate) fn token_request(&self, claims: &Value) -> [(&'static str, String); 2] {
        let bearer = self.ask(&json!({"do": "job", "claims": claims}));
        [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{}/_actions/token?api-version=2.0", self.url())),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", bearer.as_str().unwrap().to_owned()),
        ]
    }

    /// Gives a script the session of a role, assumed with a token with these claims, instead of the administrator's keys.
    #[track_caller]
    pub(crate) fn assume(&self, script: Script, role: &str, claims: &Value) -> Script {
        let keys = self.session(role, claims, 3600).unwrap_or_else(|refusal| panic!("{claims}: {refusal}"));
        keys.into_iter().fold(script, |script, (name, value)| script.env(name, value))
    }

    /// The keys of a role's session, assumed with a token with these claims, or what AWS says instead.
    pub(crate) fn session(
        &self,
        role: &str,
        claims: &Value,
        seconds: u32,
    ) -> Result<Vec<(&'static str, String)>, String> {
        let (status, body) = self.present(&self.token(claims), role, seconds);
        if status != 200 {
            return Err(body);
        }
        let keys = ["AccessKeyId", "SecretAccessKey", "SessionToken"].into_iter();
        let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
        Ok(names.into_iter().zip(keys.map(|key| element_of(&body, key).to_owned())).collect())
    }

    /// Presents a token to AWS for a role, as a job does.
    fn present(&self, token: &str, role: &str, seconds: u32) -> (u16, String) {
        self.request(&json!({"service": "sts", "key": "", "form": {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": role,
            "RoleSessionName": "test",
            "DurationSeconds": seconds,
            "WebIdentityToken": token,
        }}))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn ask(&self, command: &Value) -> Value {
        self.control.borrow_mut().ask(command)
    }
}

/// What stands in the first element of this name.
fn element_of<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap();
    rest.split_once(&format!("</{name}>")).unwrap().0
}

/// The line to one emulator.
struct Control {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Control {
    fn ask(&mut self, command: &Value) -> Value {
        self.stream.write_all(format!("{command}\n").as_bytes()).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the emulator answers")
    }
}

/// The processes that have moto and the AWS CLI in memory, one each for all tests.
struct Nursery {
    socket: PathBuf,
    client: PathBuf,
    /// What takes a command to where the emulators are.
    inside: Vec<OsString>,
    /// Their standard input ends with this process, and they end with their standard input.
    _processes: [Child; 2],
}

impl Nursery {
    fn of_this_run(python: &tool::Tool) -> &'static Self {
        static NURSERY: OnceLock<Nursery> = OnceLock::new();
        NURSERY.get_or_init(|| {
            let isolated = Command::new("unshare")
                .args(["--net", "true"])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
            let unshare = ["unshare", "--net", "--"].map(OsString::from);
            let (emulator, socket) =
                Self::started(python, if isolated { &unshare } else { &[] }, "emulator.py");
            let inside = if isolated {
                println!("AWS is emulated in a network namespace of its own");
                let namespace = format!("--net=/proc/{}/ns/net", emulator.id());
                vec!["nsenter".into(), namespace.into(), "--".into()]
            } else {
                println!("AWS is emulated on this machine's network: no namespace is permitted here");
                Vec::new()
            };
            let (cli, client) = Self::started(python, &inside, "cli.py");
            Self { socket, client, inside, _processes: [emulator, cli] }
        })
    }

    /// Starts one of the two where they belong; it says by which path it is reached.
    fn started(python: &tool::Tool, inside: &[OsString], program: &str) -> (Child, PathBuf) {
        let mut words = inside.to_vec();
        words.extend([python.path().into(), "-B".into()]);
        let mut process = Command::new(&words[0])
            .args(&words[1..])
            .arg(tool::repository().join("tests/aws").join(program))
            .env("PYTHONUTF8", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut path = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut path).unwrap();
        assert!(!path.is_empty(), "{program} does not start");
        (process, path.trim_end().into())
    }
}
