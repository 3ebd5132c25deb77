//! GitHub Actions workflows, AWS OIDC and delivery policy as types.
//!
//! ```text
//! pyfleet.yml ──parse──▶ Manifest ──resolve──▶ Project ──plan──▶ Plan ──render──▶ text
//!               as written          as meant           which jobs               │
//!                                                                               ▼
//! exit code ◀── report ◀── Diagnostics ◀──── check ◀──── Workflow ◀──parse── the same text
//! ```
//!
//! The library takes every decision and touches nothing outside memory: no files, clock,
//! environment, network or processes. Rendering to text and keeping files current is the
//! work of `pyfleet-gen`.
//!
//! Modules stand in dependency order: each uses only those above it.
//!
//! # From a manifest to its jobs
//!
//! Every step gives back what it could understand, and all that is wrong with the rest.
//!
//! ```
//! use pyfleet_core::{manifest, plan, project, source::Source};
//!
//! let text = "
//! version: 1
//! project: shop
//! github: { repository: acme/shop, visibility: private }
//! tests:
//!   api: { python: '3.12', suites: { unit: pytest } }
//! workflows:
//!   test: {}
//! ";
//! let (manifest, _, findings) = manifest::parse(Source::new("pyfleet.yml", text));
//! assert!(findings.is_empty());
//! let (project, findings) = project::resolve(&manifest.unwrap());
//! assert!(findings.is_empty());
//! let (plan, findings) = plan::plan(&project.unwrap());
//! assert!(findings.is_empty());
//!
//! let workflow = &plan.workflows[0];
//! assert_eq!(workflow.file, ".github/workflows/test.yml");
//! assert_eq!(workflow.gate.as_deref(), Some("test gate"));
//! let jobs: Vec<&str> = workflow.jobs.keys().map(String::as_str).collect();
//! assert_eq!(jobs, ["test-api-unit", "gate"]);
//! // Each right of a job's token has its reason.
//! let rights = &workflow.jobs["test-api-unit"].permissions;
//! assert_eq!(format!("{}: {} ({})", rights[0].scope, rights[0].level, rights[0].because), "contents: read (check out the commit)");
//! ```
//!
//! A mistake is data: it has a code, a place and a remedy.
//!
//! ```
//! use pyfleet_core::{manifest, source::Source};
//!
//! let source = Source::new("pyfleet.yml", "version: 1\nproject: shop\nverison: 2\n");
//! let (_, _, findings) = manifest::parse(source.clone());
//! let finding = findings.iter().find(|finding| finding.code == "unknown-key").unwrap();
//! assert_eq!(finding.help[0], "did you mean `version`?");
//! let place = source.position(finding.place.span.clone().unwrap().start);
//! assert_eq!((place.line, place.column), (3, 1));
//! ```
//!
//! # Somebody else's workflow
//!
//! ```
//! use pyfleet_core::check::{self, Subject, rules::RULES};
//! use pyfleet_core::{source::Source, workflow};
//!
//! let text = "
//! on: pull_request_target
//! permissions: {}
//! jobs:
//!   label:
//!     permissions: { pull-requests: write }
//!     runs-on: ubuntu-24.04
//!     timeout-minutes: 5
//!     steps:
//!       - run: echo ${{ github.event.pull_request.title }}
//!         shell: bash
//! ";
//! let (read, mut findings) = workflow::parse(Source::new("label.yml", text));
//! let (workflow, document) = read.unwrap();
//! assert_eq!(workflow.jobs["label"].steps.len(), 1);
//! findings.extend(check::run(&Subject::workflow(&workflow, &document), RULES));
//! let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
//! assert!(codes.contains(&"run-no-expression") && codes.contains(&"dangerous-trigger"), "{codes:?}");
//! ```
//!
//! [`workflow::Workflow::to_yaml`] goes the other way, from a workflow that is built in code to its file.
#![forbid(unsafe_code)]

pub mod source;
pub mod spelling;
pub mod secret;
pub mod diagnostic;
pub mod yaml;
pub mod expression;
pub mod workflow;
pub mod simulate;
pub mod action;
pub mod manifest;
pub mod check;
pub mod explanation;
pub mod project;
pub mod plan;
pub mod flowchart;
pub mod oidc;
pub mod difference;
pub mod guide;
pub mod prove;

#[cfg(test)]
mod dependency_order;
#[cfg(test)]
mod reference_data;
