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
#![forbid(unsafe_code)]

pub mod source;
pub mod secret;
pub mod diagnostic;
pub mod yaml;
pub mod expression;
pub mod workflow;
pub mod action;
pub mod manifest;
pub mod check;
pub mod project;
pub mod plan;
pub mod flowchart;
pub mod oidc;
pub mod guide;

#[cfg(test)]
mod dependency_order;
#[cfg(test)]
mod reference_data;
