//! Tests of the store through its public interface, on every engine.

#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod conformance;
mod directory;
mod dump;
mod keys;
mod limits;
mod model;
mod power_cut;
mod serial;
mod support;
mod tables;
