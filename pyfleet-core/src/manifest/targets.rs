//! What the project's deliveries are measured against.

/// What the project's deliveries are measured against. `metrics` compares them each week, and `notify` may tell of a run
/// that is slow. Default: nothing is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Targets {
    /// Minutes that the jobs of a delivery may take together, 1 to 1440; waiting for people does not count.
    pub pipeline_minutes: Option<u16>,
    /// How many of a hundred deliveries have to succeed, 1 to 100.
    pub success_rate: Option<u8>,
    /// Minutes that a rollback may take, 1 to 1440.
    pub rollback_minutes: Option<u16>,
    /// Minutes from a commit to its delivery, 1 to 43200.
    pub lead_time_minutes: Option<u16>,
    /// How many of a hundred deliveries may be followed by a rollback, 0 to 100.
    pub change_failure_rate: Option<u8>,
    /// Minutes from a failed delivery to the next good one, 1 to 43200.
    pub recovery_minutes: Option<u16>,
}
