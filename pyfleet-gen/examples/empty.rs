//! The least that a Rust program can be: what `benches/check.rs` measures the start of `pyfleet-gen` against.

const fn main() {}
