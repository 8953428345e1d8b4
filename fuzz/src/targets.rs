//! The targets, a file for each.

pub mod bayeux;
pub mod edits;
pub mod filters;
pub mod images;
pub mod og;
mod pond;
pub mod ranking;
pub mod requests;
pub mod templates;

/// The first line of the input, and what follows it.
fn line_and_rest(input: &[u8]) -> Option<(&str, &[u8])> {
    let end = input.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&input[..end]).ok()?, &input[end + 1..]))
}

/// The input as a text, and what comes after each of its first `N - 1` lines that are empty.
fn parts<const N: usize>(input: &[u8]) -> Option<[&str; N]> {
    let mut parts = std::str::from_utf8(input).ok()?.splitn(N, "\n\n");
    Some(std::array::from_fn(|_| parts.next().unwrap_or_default().trim_end_matches('\n')))
}
