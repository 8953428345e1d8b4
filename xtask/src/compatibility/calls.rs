//! What the suites noted: lines of client, method, outcome and test, with tabs between them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};

/// A suite that notes its calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Suite {
    /// `e2e/js`.
    Javascript,
    /// `e2e/python`.
    Python,
}

impl Suite {
    /// The name of its folder and of its step.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Javascript => "js",
            Self::Python => "python",
        }
    }
}

/// What was seen of one method of one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// The tests in which a call was answered.
    pub(super) answered: BTreeSet<String>,
    /// The tests in which a call was refused, by status.
    pub(super) refused: BTreeMap<u16, BTreeSet<String>>,
}

/// What was seen, by client and method. A method that no test calls is there and empty.
pub(super) type Calls = BTreeMap<(String, String), Seen>;

/// Reads what the last runs noted.
pub(super) fn read(folder: &Path) -> Result<Calls> {
    let mut calls = Calls::new();
    for suite in [Suite::Javascript, Suite::Python] {
        let notes = folder.join(suite.name());
        let step = format!("run the suite first: cargo xtask test --only e2e-{}", suite.name());
        let files: Vec<_> = std::fs::read_dir(&notes).with_context(|| step.clone())?.collect::<Result<_, _>>()?;
        if files.is_empty() {
            bail!("{step}");
        }
        for file in files {
            let text = std::fs::read_to_string(file.path())?;
            add(&mut calls, &text).with_context(|| format!("in {}", file.path().display()))?;
        }
    }
    Ok(calls)
}

fn add(calls: &mut Calls, text: &str) -> Result<()> {
    for line in text.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.split('\t').map(str::to_owned);
        let (Some(client), Some(method), Some(outcome), Some(test)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            bail!("no call: {line}");
        };
        let seen = calls.entry((client, method)).or_default();
        match outcome.split_once(' ') {
            Some(("refused", status)) => {
                seen.refused.entry(status.parse()?).or_default().insert(test);
            }
            None if outcome == "answered" => {
                seen.answered.insert(test);
            }
            // That a method is there, or that it failed without the server's doing, proves nothing.
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
pub(super) fn of(text: &str) -> Calls {
    let mut calls = Calls::new();
    add(&mut calls, text).unwrap();
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_and_refusals_are_kept_apart_and_nothing_else_counts() {
        let calls = of(
            "js\tfeed.get\texists\ta\njs\tfeed.get\tanswered\ta\njs\tfeed.get\trefused 403\tb\njs\tx.y\tfailed\ta\n",
        );
        let get = &calls[&("js".to_owned(), "feed.get".to_owned())];
        assert_eq!(get.answered, BTreeSet::from(["a".to_owned()]));
        assert_eq!(get.refused[&403], BTreeSet::from(["b".to_owned()]));
        assert_eq!(calls[&("js".to_owned(), "x.y".to_owned())], Seen::default());
    }

    #[test]
    fn a_line_that_is_no_call_is_an_error() {
        assert!(add(&mut Calls::new(), "js\tfeed.get\n").is_err());
    }
}
