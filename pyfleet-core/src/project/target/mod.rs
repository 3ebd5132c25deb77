//! What services run on: one target a file.

pub(super) mod ecs;

pub use self::ecs::{EcsTarget, ecr_host};
