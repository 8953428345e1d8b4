//! The sizes of checks that take long.

/// How much of the contract's sizes is done: all of it where `MILLPOND_SCALE` says `full`, as `cargo xtask scale` does;
/// elsewhere what a build without optimisation does in seconds.
pub(crate) fn sized(part: usize, whole: usize) -> usize {
    if std::env::var_os("MILLPOND_SCALE").is_some_and(|scale| scale == "full") { whole } else { part }
}
