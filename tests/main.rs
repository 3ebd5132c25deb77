//! One binary for every integration test. Where to look:
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod tool; // outside tools and data: found, or reported as not run
mod validators; // rendered files, judged by tools that are not ours
