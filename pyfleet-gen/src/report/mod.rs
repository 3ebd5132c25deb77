//! One output format a file.

pub(crate) mod human;
