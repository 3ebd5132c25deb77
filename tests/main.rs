//! One binary for every integration test. Where to look:
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

// The scripts of templates/scripts, run as GitHub runs them.
mod executed;
