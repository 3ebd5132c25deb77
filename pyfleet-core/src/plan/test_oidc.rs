//! `test-oidc`.

use super::draft::Draft;
use crate::project::Project;

pub(super) fn plan(_: &Project, _: &mut Draft<'_>) {}
