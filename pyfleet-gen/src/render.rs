//! Plan to text: the only template environment.
//!
//! Templates lay out what the plan decided. Three rules hold here, once for all of them: a value becomes YAML
//! through the same writer that serves everything else; an undefined value is an error; nothing but strings,
//! whole numbers and booleans can be printed.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::value::{Serde, ValueKind};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value, context,
};
use pyfleet_core::diagnostic::Diagnostics;
use pyfleet_core::flowchart::Flowchart;
use pyfleet_core::plan::{self, Body, Plan};
use pyfleet_core::project::Project;
use pyfleet_core::source::is_deceptive;
use pyfleet_core::{action, guide, oidc, yaml};

use crate::extension::Layout;
use crate::json_layout::{Dialect, lay_out};
use crate::lock::Lock;
use crate::page::Page;
use crate::proposal::{self, Proposal};
use crate::{drawing, mermaid};

/// Rendered files by their path from the repository's root, `pyfleet.lock` among them.
pub type Files = BTreeMap<String, String>;

/// The guide to the roles that the plan's jobs assume.
pub const GUIDE: &str = ".github/cicd/oidc-setup.md";

/// The guide to the workflows.
pub const README: &str = ".github/cicd/README.md";

/// The roles that jobs assume, as a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleDocument {
    /// For people, without the policies.
    Text,
    /// Terraform.
    Terraform,
    /// The guide that sets them up.
    Guide,
}

/// Renders a document about the roles that jobs assume.
///
/// # Errors
/// Only where a template and the types disagree, which tests rule out.
pub fn roles(document: RoleDocument, setup: &oidc::Setup, manifest: &str) -> Result<String, Error> {
    let template = match document {
        RoleDocument::Text => "docs/oidc-roles.txt.j2",
        RoleDocument::Terraform => "docs/oidc-roles.tf.j2",
        RoleDocument::Guide => "docs/oidc-setup.md.j2",
    };
    let context = context! { manifest, setup => Value::from(Serde(setup)) };
    environment()?.get_template(template)?.render(context)
}

/// Renders the manifest that `init` proposes.
///
/// # Errors
/// Only where the template and the types disagree, which tests rule out.
pub(crate) fn manifest(proposal: &Proposal) -> Result<String, Error> {
    environment()?.get_template("docs/pyfleet.yml.j2")?.render(Value::from(Serde(proposal)))
}

/// Renders the page that shows workflows to people.
///
/// # Errors
/// Only where the template and the types disagree, which tests rule out.
pub(crate) fn page(page: &Page) -> Result<String, Error> {
    let context = context! { page => Value::from(Serde(page)), style => drawing::style() };
    environment()?.get_template("docs/chart.html.j2")?.render(context)
}

/// Renders everything that a plan holds.
///
/// # Errors
/// Only where a template and the plan's types disagree, which tests rule out.
pub fn render(project: &Project, plan: &Plan, manifest: &str) -> Result<Files, Error> {
    let environment = environment()?;
    let mut files = Files::new();
    let mut scripts = BTreeSet::new();
    let mut actions = BTreeSet::new();
    for workflow in &plan.workflows {
        let text = render_workflow(&environment, workflow, manifest)?;
        let layout = Layout { manifest, versions: &project.versions };
        let text = layout
            .extend(workflow, text)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
        for line in text.lines() {
            actions.extend(
                line.trim_start()
                    .trim_start_matches("- ")
                    .strip_prefix("uses: ")
                    .and_then(|uses| uses.split('@').next())
                    .map(str::to_owned),
            );
        }
        scripts.extend(workflow.jobs.values().flat_map(|job| job.body.scripts()));
        files.insert(workflow.file.clone(), text);
    }
    let setup = oidc::setup(project, plan);
    if !setup.roles.is_empty() {
        files.insert(GUIDE.to_owned(), roles(RoleDocument::Guide, &setup, manifest)?);
    }
    files.insert(README.to_owned(), render_readme(&environment, project, plan, &setup, manifest)?);
    for script in scripts {
        files.insert(format!(".github/scripts/{script}"), script_text(script)?.to_owned());
    }
    let lock = Lock::of(project, &actions, &files);
    files.insert(crate::lock::PATH.to_owned(), lock.to_text());
    Ok(files)
}

/// The findings of every workflow of a plan in its rendered text: see [`plan::read_back`].
#[must_use]
pub fn read_back(plan: &Plan, files: &Files) -> Vec<(String, Diagnostics)> {
    plan.workflows
        .iter()
        .filter_map(|workflow| {
            let text = files.get(&workflow.file)?;
            Some((workflow.file.clone(), plan::read_back(workflow, text)))
        })
        .collect()
}

fn render_workflow(
    environment: &Environment<'_>,
    workflow: &plan::Workflow,
    manifest: &str,
) -> Result<String, Error> {
    let mut jobs = Vec::with_capacity(workflow.jobs.len());
    for (id, job) in &workflow.jobs {
        jobs.push(context! {
            id,
            head => Value::from(Serde(workflow.model.jobs.get(id))),
            permissions => Value::from(Serde(&job.permissions)),
            because => job.because,
            template => job.body.template(),
            body => Value::from(Serde(&job.body)),
        });
    }
    let template = environment.get_template(&format!("workflows/{}.yml.j2", workflow.kind.name()))?;
    template.render(context! {
        manifest,
        jobs,
        workflow => context! {
            auto => workflow.auto.as_ref().map(|auto| context! { reason => auto.reason.as_str(), owner => auto.owner.as_str() }),
            gate => workflow.gate.as_deref(),
            direct => Value::from(Serde(&direct(workflow))),
            synthesised => workflow.jobs.values().any(|job| matches!(job.body, Body::CdktfSynth(_))),
            name => workflow.model.name.as_deref(),
            on => Value::from(Serde(&workflow.model.on)),
            concurrency => Value::from(Serde(&workflow.model.concurrency)),
            env => Value::from(Serde(&workflow.model.env)),
        },
    })
}

/// Why stacks are applied by a plan that nobody has looked at.
fn direct(workflow: &plan::Workflow) -> BTreeMap<&str, &str> {
    let reasons = workflow.jobs.values().filter_map(|job| match &job.body {
        Body::TfApply(apply) => Some(&apply.direct.as_ref()?.reasons),
        _ => None,
    });
    reasons.flatten().map(|(stack, reason)| (stack.as_str(), reason.as_str())).collect()
}

fn render_readme(
    environment: &Environment<'_>,
    project: &Project,
    plan: &Plan,
    setup: &oidc::Setup,
    manifest: &str,
) -> Result<String, Error> {
    let guide = guide::guide(project, plan, setup);
    let graphs: Vec<String> =
        plan.workflows.iter().map(|workflow| mermaid::lay_out(&Flowchart::of(workflow))).collect();
    let context = context! { manifest, graphs, guide => Value::from(Serde(&guide)) };
    environment.get_template("docs/cicd-readme.md.j2")?.render(context)
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(
        minijinja::syntax::SyntaxConfig::builder()
            .block_delimiters("{%", "%}")
            .variable_delimiters("{=", "=}")
            .comment_delimiters("{!", "!}")
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_formatter(write_scalar);
    environment.set_loader(|name| Ok(pyfleet_templates::template(name).map(str::to_owned)));
    environment.add_function("uses", uses);
    environment.add_function("script", |name: &str| script_text(name).map(str::to_owned));
    environment.add_filter("yaml", |value: &Value, indent: usize| written(value, indent));
    environment.add_filter("block", |text: &str, indent: usize| {
        Value::from_safe_string(yaml::write::block(text, indent))
    });
    environment.add_filter("code", |text: &str| Value::from_safe_string(code_span(text)));
    environment.add_filter("html", |text: &str| Value::from_safe_string(drawing::escaped(text)));
    environment.add_filter("prose", |text: &str| Value::from_safe_string(prose(text)));
    environment.add_filter("text", |text: &str| Value::from_safe_string(text.to_owned()));
    environment
        .add_filter("because", |text: &str| Value::from_safe_string(format!(" # {}", proposal::plain(text))));
    environment.add_filter("json", |value: &Value| json(value).map(|json| json.to_string()));
    environment.add_filter("document", |value: &Value| laid_out(value, Dialect::Json, 0));
    environment
        .add_filter("terraform", |value: &Value, indent: usize| laid_out(value, Dialect::Terraform, indent));
    environment.add_filter("json_lines", |value: &Value, indent: usize| {
        json(value).map(|json| {
            Value::from_safe_string(yaml::write::block(&(lay_out(&json, Dialect::Json, 0) + "\n"), indent))
        })
    });
    Ok(environment)
}

/// Prints a value as a YAML scalar; what a filter has laid out already goes through as it is.
fn write_scalar(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match value.kind() {
        ValueKind::String if value.is_safe() => value.to_string(),
        ValueKind::String => yaml::write::scalar(value.as_str().unwrap_or_default()).into_owned(),
        ValueKind::Number if value.is_integer() => value.to_string(),
        ValueKind::Bool => if value.is_true() { "true" } else { "false" }.to_owned(),
        kind => return Err(Error::new(ErrorKind::InvalidOperation, format!("a template prints a {kind}"))),
    };
    out.write_str(&text).map_err(Error::from)
}

/// A text as Markdown's code, whatever it holds.
fn code_span(text: &str) -> String {
    let text: String =
        text.chars().map(|own| if own.is_control() || is_deceptive(own) { ' ' } else { own }).collect();
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence of the guide's Markdown as HTML: what stands in backticks is code, and nothing else is more than itself.
fn prose(text: &str) -> String {
    let mut shown = String::new();
    for (position, part) in drawing::escaped(text).split('`').enumerate() {
        if position % 2 == 1 {
            shown.push_str(&format!("<code>{part}</code>"));
        } else {
            shown.push_str(part);
        }
    }
    shown
}

fn script_text(name: &str) -> Result<&'static str, Error> {
    pyfleet_templates::script(name)
        .ok_or_else(|| Error::new(ErrorKind::TemplateNotFound, format!("there is no script `{name}`")))
}

/// `owner/name@commit # version`, as both bots that update pins read it.
fn uses(slug: &str) -> Result<Value, Error> {
    let pin = action::pin(slug).ok_or_else(|| {
        Error::new(ErrorKind::InvalidOperation, format!("`{slug}` is not in the catalogue"))
    })?;
    Ok(Value::from_safe_string(format!("{slug}@{} # {}", pin.commit, pin.version)))
}

fn json(value: &Value) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

fn laid_out(value: &Value, dialect: Dialect, indent: usize) -> Result<Value, Error> {
    Ok(Value::from_safe_string(lay_out(&json(value)?, dialect, indent)))
}

/// What follows `key:` for any value: ` scalar` on the same line, or a block below it.
fn written(value: &Value, indent: usize) -> Result<Value, Error> {
    let text = yaml::write::after_key(&json(value)?, indent);
    Ok(Value::from_safe_string(text))
}
