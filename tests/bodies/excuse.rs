//! What no tool here can run, and what no body can do. A line here is a promise that was not kept: it has its reason.

use super::ledger::End;

/// Programs that stories stand in for where a body succeeds, and why it is not the real one.
pub(super) const STOOD_IN: &[(&str, &str)] = &[];

/// Bodies that can end in one way only.
pub(super) const ENDS_ONE_WAY: &[(&str, End, &str)] = &[];
