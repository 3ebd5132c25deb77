//! Images as they are in earnest: a registry, skopeo, and Docker, of the tests' own.

mod docker;
mod registry;

pub(crate) use docker::{Docker, STAND_IN};
pub(crate) use registry::Registry;
