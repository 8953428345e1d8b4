//! The sizes of checks that take long.

/// How much of the contract's sizes is done, as `MILLPOND_SCALE` says: all of it for `full`, as `cargo xtask scale` does; as
/// much as takes minutes for `step`, as `cargo xtask test` does; elsewhere what a build without optimisation does in seconds.
pub(crate) fn sized(part: usize, step: usize, whole: usize) -> usize {
    let scale = std::env::var("MILLPOND_SCALE").unwrap_or_default();
    match scale.as_str() {
        "full" => whole,
        "step" => step,
        "" => part,
        other => panic!("MILLPOND_SCALE is `{other}`; it may be `step` or `full`"),
    }
}
