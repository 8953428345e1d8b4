//! What several suites of tests share: a clock that is moved by hand, and a fake of the API that we call.

#![expect(clippy::unwrap_used, reason = "in what serves tests, a failure is a panic")]

pub mod clock;
pub mod upstream;
