//! The command line of pyfleet: render, check and keep GitHub Actions workflows current.
#![forbid(unsafe_code)]
