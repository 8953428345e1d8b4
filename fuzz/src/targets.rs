//! The targets, a file for each.

pub mod bayeux;
pub mod edits;
pub mod filters;
mod pond;
pub mod ranking;
pub mod requests;
pub mod templates;

/// The input as a text, and what comes after each of its first `N - 1` lines that are empty.
fn parts<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let mut parts = std::str::from_utf8(input).ok()?.splitn(N, "\n\n");
    Some(std::array::from_fn(|_| parts.next().unwrap_or_default().trim_end_matches('\n')))
}
