//! What several suites of tests share: tokens and answers, a clock that is moved by hand, a fake of the API that we
//! call, a whole server.

#![expect(clippy::unwrap_used, reason = "in what serves tests, a failure is a panic")]

pub mod answer;
pub mod clock;
pub mod pond;
pub mod schema;
pub mod token;
pub mod upstream;
