//! Tests of the store through its public interface, on every engine.

mod conformance;
mod support;
