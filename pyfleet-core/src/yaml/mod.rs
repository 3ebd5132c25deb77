//! YAML as GitHub reads it: one meaning, one writer.
//!
//! ```text
//! text ──tree──▶ Document (nodes with spans) ──decode──▶ any serde type ──write──▶ text
//! ```
//!
//! - [`tree`] reads text into spanned nodes, with GitHub's rules for scalars, keys, anchors and limits. Two readers do
//!   it: `usual` what people write, in one pass, and `builder` everything, with every finding.
//! - [`decode`] turns a node into a plain type and lists every structural mistake by path.
//! - [`write`](mod@write) is the only place that decides how a value is written, for the serialiser and for templates.
//!
//! Deliberately absent: comments as data (but see [`tree::Document::trailing_comment`]), merge keys,
//! custom tags, streams of several documents.

pub mod decode;
pub mod tree;
pub mod write;

mod builder;
mod scalar;
mod usual;
pub(crate) mod way;

#[cfg(test)]
mod tests;
