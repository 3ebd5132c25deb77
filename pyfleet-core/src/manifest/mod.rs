//! The manifest exactly as the user wrote it, one section a file.
//!
//! Types here are strict serde structures: an unknown key, a wrong type or a malformed name is found while
//! decoding, all of them in one run. What a value *means* (defaults, references, levels) is decided in
//! [`crate::project`].

mod aws;
mod cdktf;
mod consequence;
mod environment;
mod extend;
mod github;
mod image;
mod name;
mod not_built;
mod notify;
mod number;
mod one_or_many;
mod packer;
mod path;
mod registry;
mod security;
mod service;
mod smoke;
mod stage;
mod targets;
mod terraform;
mod test;
mod text;
mod value;
mod version;
mod waiver;
mod window;
mod workflow;

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;

pub use self::aws::{AccountId, Auth, Aws, AwsRole, AwsRoles, EnvironmentAws, Region, ServicePrefix};
pub use self::cdktf::{Cdktf, CdktfApply};
pub use self::environment::{Approval, Environment, Health};
pub use self::extend::{Anchor, Extension, ExtraJob};
pub use self::github::{BranchName, GitHub, Host, Plan, Repository, SubjectFormat, Visibility};
pub use self::image::{ByteSize, Image, ImageRepository, ImageRequirements, ImageScan, Platform, Tag};
pub use self::name::{GitHubName, Slug, VariableName};
pub use self::notify::{Channel, Occasion, Slack, Teams, Webhook};
pub use self::one_or_many::OneOrMany;
pub use self::packer::{Ansible, Packer, Sha256, SoftwareName};
pub use self::path::RelativePath;
pub use self::registry::{Credentials, NoOptions, Registry};
pub use self::security::{Bandit, DependencyAudit, DependencyTool, Eslint, Flake8, Security};
pub use self::service::{Ecs, Eks, KubernetesName, SecretKey, Service};
pub use self::smoke::{Scheme, Smoke, SmokeCheck};
pub use self::stage::{Only, Stage, StageKind, Stages, StartedBy};
pub use self::targets::Targets;
pub use self::terraform::{
    Backend, BlueGreen, ColorOutput, ColorValues, Cost, CostTool, EncryptedArtifact, Lock, OnFindings,
    PlanHandOff, PullRequestPlan, ResourceAddress, Scan, ScanTool, Severity, Stack, Terraform, Tool,
};
pub use self::test::{Codecov, Coverage, CoverageUpload, ImageByDigest, ServiceContainer, TestGroup};
pub use self::value::{Reference, Secret, Value};
pub use self::version::{NodeVersion, PythonVersion, ToolVersion};
pub use self::waiver::{Date, Waiver};
pub use self::window::{Day, TimeOfDay, TimeZone, Window};
pub use self::workflow::{
    Auto, Disposition, Kind, Label, OnDrift, Owner, Person, Phrase, Switch, Triggers, Workflow,
};

use self::name::checked_string;
use crate::diagnostic::Diagnostics;
use crate::source::Source;
use crate::yaml::decode;
use crate::yaml::tree::Document;

/// A manifest of format 1, as written.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(title = "pyfleet.yml"))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Manifest {
    /// The format of this file: 1.
    pub version: FormatVersion,
    /// The project's name: a lower-case slug, part of role and artifact names.
    pub project: Slug,
    /// How far automation may go, from 0 (nothing) to 5 (writing, automatically). Default: 1, tests and checks.
    pub safety_level: Option<SafetyLevel>,
    /// The repository on GitHub.
    pub github: GitHub,
    /// What every job gets unless it says otherwise.
    #[serde(default)]
    pub defaults: Defaults,
    /// Where the project runs, in promotion order.
    #[serde(default)]
    pub environments: IndexMap<Slug, Environment>,
    /// AWS facts that hold for every environment.
    pub aws: Option<Aws>,
    /// Infrastructure as code: tool, state, stacks.
    pub terraform: Option<Terraform>,
    /// A golden image that Packer builds.
    pub packer: Option<Packer>,
    /// What Ansible makes of the machines that Terraform made.
    pub ansible: Option<Ansible>,
    /// How the code is tested: one group a language and directory.
    #[serde(default)]
    pub tests: IndexMap<Slug, TestGroup>,
    /// Static analysis and dependency audit of the code.
    pub security: Option<Security>,
    /// Where images are pushed.
    #[serde(default)]
    pub registries: IndexMap<Slug, Registry>,
    /// What is built.
    #[serde(default)]
    pub images: IndexMap<Slug, Image>,
    /// What is deployed: each service runs one image.
    #[serde(default)]
    pub services: IndexMap<Slug, Service>,
    /// What is asked of the system once it is deployed, by the stage `smoke` of a pipeline.
    pub smoke: Option<Smoke>,
    /// Who is told what becomes of runs that change something.
    #[serde(default)]
    pub notify: IndexMap<Slug, Channel>,
    /// Whom to call, by what for: shown in the guide, where somebody looks who has a red run.
    #[serde(default)]
    pub contacts: IndexMap<Slug, Contact>,
    /// What deliveries are measured against.
    #[serde(default)]
    pub targets: Targets,
    /// Which workflows the project wants: file name to wish.
    #[serde(default)]
    pub workflows: IndexMap<Slug, Workflow>,
    /// Steps and jobs of your own in rendered workflows, by the workflow's name.
    #[serde(default)]
    pub extend: IndexMap<Slug, Extension>,
    /// Findings that are accepted, each with a reason and an end.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
    /// The versions of what `extend` uses, as the comments behind it say.
    #[serde(skip)]
    pub versions: BTreeMap<String, String>,
}

impl Manifest {
    /// Whether a workflow is wanted that changes something in the cloud.
    #[must_use]
    pub fn renders_changes(&self) -> bool {
        self.deploys()
            || self.renders(Kind::Rollback)
            || self.applies_stacks()
            || self.has_stage(StageKind::Image)
    }

    /// Whether a workflow is wanted that deploys services.
    #[must_use]
    pub fn deploys(&self) -> bool {
        self.renders(Kind::Deploy) || self.has_stage(StageKind::Deploy)
    }

    /// Whether services are waited for that stacks deploy.
    #[must_use]
    pub fn awaits(&self) -> bool {
        let mut stacks = self.terraform.iter().flat_map(|terraform| terraform.stacks.values());
        self.has_stage(StageKind::Terraform) && stacks.any(|stack| stack.awaits.is_some())
    }

    /// Whether a pipeline with such a stage is wanted.
    #[must_use]
    pub fn has_stage(&self, kind: StageKind) -> bool {
        self.workflows.iter().any(|(name, workflow)| {
            workflow.disposition() == Disposition::Rendered && workflow.has_stage(name, kind)
        })
    }

    /// Whether a workflow is wanted whose runs bring a commit to an environment.
    #[must_use]
    pub fn delivers(&self) -> bool {
        Kind::ALL.into_iter().any(|kind| kind.delivers() && self.renders(kind))
    }

    /// Whether a workflow is wanted that applies stacks.
    #[must_use]
    pub fn applies_stacks(&self) -> bool {
        self.has_stage(StageKind::Terraform)
            || Kind::ALL.into_iter().any(|kind| kind.applies() && self.renders(kind))
    }

    /// Whether a workflow of a kind is wanted.
    #[must_use]
    pub fn renders(&self, kind: Kind) -> bool {
        self.workflows.iter().any(|(name, workflow)| {
            workflow.kind_of(name) == Some(kind) && workflow.disposition() == Disposition::Rendered
        })
    }
}

checked_string! {
    /// Whom to call: a channel, an address, a number. One line.
    Contact, pattern: "^[^\\s`<>|].{0,199}$", max: 200,
    check: |text| !text.trim().is_empty() && text.trim() == text
        && !text.chars().any(|one| one.is_control() || matches!(one, '`' | '<' | '>' | '|')),
    says: "a contact is one line of at most 200 characters, without backquotes, angle brackets and pipes"
}

/// What every job gets unless it says otherwise.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Defaults {
    /// The runner's label or labels. Default: `ubuntu-24.04`.
    pub runner: Option<OneOrMany<String>>,
    /// Minutes a job may take, 1 to 360. Default: 30.
    pub timeout_minutes: Option<u16>,
    /// Days that artifacts are kept, 1 to 400. Default: 30.
    pub artifact_days: Option<u16>,
}

/// The only format there is: 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u64")]
pub struct FormatVersion;

impl TryFrom<u64> for FormatVersion {
    type Error = &'static str;

    fn try_from(version: u64) -> Result<Self, Self::Error> {
        if version == 1 { Ok(Self) } else { Err("this pyfleet reads format 1") }
    }
}

/// How far automation may go: 0 nothing, 1 tests and checks, 2 image builds, 3 reading the cloud, 4 writing
/// by hand, 5 writing automatically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "u64")]
pub struct SafetyLevel(u8);

impl SafetyLevel {
    /// Tests and checks: no cloud, no writes.
    pub const TESTS: Self = Self(1);
    /// Image builds without a push.
    pub const BUILDS: Self = Self(2);
    /// Reading the cloud.
    pub const READS: Self = Self(3);
    /// Writing, by hand.
    pub const WRITES: Self = Self(4);
    /// Writing, without a person who starts it.
    pub const AUTOMATES: Self = Self(5);

    /// The level's number, 0 to 5.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u64> for SafetyLevel {
    type Error = &'static str;

    fn try_from(level: u64) -> Result<Self, Self::Error> {
        match u8::try_from(level) {
            Ok(level @ 0..=5) => Ok(Self(level)),
            _ => Err("a safety level is a whole number from 0 to 5"),
        }
    }
}

/// Reads a manifest: all mistakes of the file at once, each with its place.
///
/// ```
/// use pyfleet_core::{manifest, source::Source};
///
/// let text = "version: 1\nproject: shop\ngithub: { repository: acme/shop }\nworkflow: {}\n";
/// let (manifest, _, findings) = manifest::parse(Source::new("pyfleet.yml", text));
/// assert!(manifest.is_none());
/// let finding = findings.iter().next().unwrap();
/// assert_eq!(finding.code, "unknown-key");
/// assert!(finding.help.iter().any(|help| help.contains("did you mean `workflows`")));
/// ```
#[must_use]
pub fn parse(source: Source) -> (Option<Manifest>, Option<Document>, Diagnostics) {
    let Reading { manifest, document, mistakes, mut findings } = read(source);
    let manifest = manifest.filter(|_| !mistakes.iter().any(|mistake| mistake.code != not_built::CODE));
    findings.extend(mistakes);
    (manifest, document, findings)
}

/// A manifest as far as it can be understood.
#[derive(Debug)]
pub struct Reading {
    /// What it says. Beside mistakes it serves only to look for further ones: what is wrong is left out of it,
    /// and what is missing is made up.
    pub manifest: Option<Manifest>,
    /// The text as a tree; nothing where it is not YAML.
    pub document: Option<Document>,
    /// What kept parts of it from being understood, with places.
    pub mistakes: Diagnostics,
    /// What else is wrong with its text, with places.
    pub findings: Diagnostics,
}

/// Reads a manifest as far as it can be understood, so that mistakes in what it means can be reported in the
/// same run as those in its form: see [`Reading::explains`].
#[must_use]
pub fn read(source: Source) -> Reading {
    let document = match Document::parse(source) {
        Ok(document) => document,
        Err(mistakes) => {
            return Reading { manifest: None, document: None, mistakes, findings: Diagnostics::new() };
        }
    };
    let mut findings = text::check(&document);
    number::check(&document.root, &mut findings);
    let (built, mut mistakes) = not_built::strip(&document.root);
    let (mut manifest, wrong) = decode::decode_partly::<Manifest>(&built);
    if let Some(manifest) = &mut manifest {
        manifest.versions = extend::versions(&document);
    }
    mistakes.extend(wrong);
    document.locate(&mut findings);
    document.locate(&mut mistakes);
    Reading { manifest, document: Some(document), mistakes, findings }
}

#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

    impl JsonSchema for super::FormatVersion {
        fn schema_name() -> Cow<'static, str> {
            "FormatVersion".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "const": 1 })
        }

        fn inline_schema() -> bool {
            true
        }
    }

    impl JsonSchema for super::SafetyLevel {
        fn schema_name() -> Cow<'static, str> {
            "SafetyLevel".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "integer", "minimum": 0, "maximum": 5 })
        }
    }
}
