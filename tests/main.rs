//! One binary for every integration test. Where to look:
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stderr, clippy::print_stdout)] // tests report their figures

mod anchors; // docs/anchors.md, written from what is rendered: the ids that people anchor on
mod aws; // AWS on loopback: what a script asks of it, and what happens when it fails
mod bodies; // every `run:` body of the examples: who has executed it, and what no tool here can run
mod browser; // the charts and the page of `graph`, as headless Chromium shows them without a network
mod cli; // each command as a user runs it, one file a command; repositories that are hostile, or cut short
mod examples; // the rendered trees under examples/, as committed
mod examples_table; // examples/README.md: every key, job, file and command that it names exists
mod executed; // the scripts of templates/scripts, run as GitHub runs them
mod expressions; // generated expressions, parsed and evaluated as GitHub does
mod extend; // steps and jobs of one's own: where they land, and what is said of them
mod fuzz; // arbitrary input for everything that reads: no panic, no hang, no growth; `tests/fuzz` goes on for longer
mod golden_image; // jobs of a golden image and of what configures machines, rendered one at a time
mod guide; // .github/cicd/README.md: complete, formatted, true to the scripts; its charts as Mermaid reads them
mod hook; // the pre-commit hook, installed into a repository by the real pre-commit
mod hostile; // hostile manifests: refused at the right place, and nothing happens
mod images; // a registry and a Docker of the tests' own, with real images
mod init; // repositories of every make: looked at, and what is written renders at every level
mod language; // the workflow language: of one opinion with GitHub's own parser, on files that people run and on mutants
mod manifest_documentation; // docs/manifest.md, written from the schema
mod manifest_reference; // manifests that together use every key
mod oidc; // the roles that jobs assume: tokens, trust, rights, the guide
mod properties; // what holds for every manifest, over generated ones
mod random; // numbers for tests that make their own inputs: the same seed, the same inputs
mod readme; // what the README shows is what is printed
mod repo; // a repository in a temporary directory, as one sentence
mod rules; // docs/rules.md, written from the rules
mod runner; // a rendered workflow, executed as GitHub executes it
mod schemas; // the JSON Schemas: pinned to the types, and of one opinion with the reader
mod tool; // outside tools and data: found, or reported as not run
mod validators; // rendered files, judged by tools that are not ours
