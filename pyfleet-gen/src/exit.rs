//! The exit codes, once.

use std::process::ExitCode;

/// How a run ended. Nothing is written on [`Exit::CouldNotRun`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: everything is as it should be.
    Clean,
    /// 1: findings, or files that are not current.
    Findings,
    /// 2: bad usage, an unreadable file, an invalid manifest, a file that is not pyfleet's to write.
    CouldNotRun,
}

impl Exit {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::CouldNotRun => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
