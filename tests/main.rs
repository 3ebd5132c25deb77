//! One binary for every integration test. Where to look:
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod hook; // the pre-commit hook, installed into a repository by the real pre-commit
mod hostile; // hostile manifests: refused at the right place, and nothing happens
mod properties; // what holds for every manifest, over generated ones
mod tool; // outside tools and data: found, or reported as not run
mod validators; // rendered files, judged by tools that are not ours
