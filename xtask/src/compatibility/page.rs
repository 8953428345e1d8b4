//! The page: a table for each client, a row for each method.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use super::calls::{Calls, Seen};
use super::methods::Method;

/// So many tests are named in a row; the rest are counted.
const TESTS_NAMED_MAX: usize = 3;

const HEAD: &str = "\
# Compatibility: every method of the official clients

This page is made by the tests. While they run (`cargo xtask test --only e2e-js --only e2e-python`), each method of the real client
that a test calls is noted, with how the call ended; the step `compatibility` compares that with this page and fails when it says
anything else. `cargo xtask compatibility --bless` writes it.

**works**: a test calls it and the server answers. **refused**: the refusal is the right answer, and a test asks for it.
**no proof**: no test has seen it work. Paths are below `/api/v1.0/`, unless they name another service.
";

/// Which clients were run.
pub(super) struct Versions {
    javascript: String,
    python: String,
}

impl Versions {
    /// Reads what the suites pin.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let package = std::fs::read_to_string(root.join("e2e/js/package.json")).context("e2e/js/package.json")?;
        let package: serde_json::Value = serde_json::from_str(&package).context("e2e/js/package.json")?;
        let javascript = package["dependencies"]["getstream"].as_str().context("package.json pins no getstream")?;
        let pins = std::fs::read_to_string(root.join("e2e/python/requirements.txt")).context("requirements.txt")?;
        let pin = pins.lines().find_map(|line| line.strip_prefix("stream-python=="));
        let python = pin.context("requirements.txt pins no stream-python")?;
        Ok(Self { javascript: javascript.to_owned(), python: python.to_owned() })
    }
}

/// The whole page.
pub(super) fn render(methods: &[Method], seen: &Calls, versions: &Versions) -> Result<String> {
    let mut page = HEAD.to_owned();
    let title = format!("`getstream` {} (npm)", versions.javascript);
    section(&mut page, &title, methods, "javascript", &[("state", "javascript")], seen)?;
    let title = format!("`stream-python` {} (PyPI)", versions.python);
    section(&mut page, &title, methods, "python", &[("sync", "python"), ("async", "python-async")], seen)?;
    Ok(page)
}

fn section(
    page: &mut String,
    title: &str,
    methods: &[Method],
    client: &str,
    columns: &[(&str, &str)],
    seen: &Calls,
) -> Result<()> {
    let (plumbing, methods): (Vec<&Method>, Vec<&Method>) =
        methods.iter().filter(|method| method.client == client).partition(|method| method.is_plumbing());
    let rows: Vec<Row> = methods.iter().map(|method| Row::of(method, columns, seen)).collect();
    let proved = rows.iter().filter(|row| row.is_proved).count();
    writeln!(page, "\n## {title}\n\n{proved} of {} methods are proved.\n", rows.len())?;
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    writeln!(
        page,
        "| method | call | {} | seen in |\n|---|---|{}---|",
        names.join(" | "),
        "---|".repeat(columns.len())
    )?;
    for row in rows {
        writeln!(page, "{}", row.text)?;
    }
    let plumbing: Vec<String> = plumbing.iter().map(|method| format!("`{}`", method.name)).collect();
    writeln!(page, "\nLeft out, since the others stand on them: {}.", plumbing.join(", "))?;
    Ok(())
}

struct Row {
    text: String,
    is_proved: bool,
}

impl Row {
    fn of(method: &Method, columns: &[(&str, &str)], seen: &Calls) -> Self {
        let nothing = Seen::default();
        let of = |client: &str| seen.get(&(client.to_owned(), method.name.clone())).unwrap_or(&nothing);
        let proofs: Vec<Proof> = columns.iter().map(|(_, client)| Proof::of(method, of(client))).collect();
        let states: Vec<&str> = proofs.iter().map(|proof| proof.state.as_str()).collect();
        let tests: BTreeSet<&str> = proofs.iter().flat_map(|proof| proof.tests.iter().map(|test| word(test))).collect();
        let text =
            format!("| `{}` | {} | {} | {} |", method.name, call(&method.call), states.join(" | "), named(&tests));
        Self { text, is_proved: proofs.iter().all(|proof| !proof.tests.is_empty()) }
    }
}

/// What was seen of a method by one client.
struct Proof {
    state: String,
    tests: BTreeSet<String>,
}

impl Proof {
    fn of(method: &Method, seen: &Seen) -> Self {
        let refusal = method.refused.as_ref().and_then(|(status, why)| Some((why, status, seen.refused.get(status)?)));
        match refusal {
            Some((why, status, tests)) => Self { state: format!("refused, {status}: {why}"), tests: tests.clone() },
            None if seen.answered.is_empty() => Self { state: "**no proof**".to_owned(), tests: BTreeSet::new() },
            None => Self { state: "works".to_owned(), tests: seen.answered.clone() },
        }
    }
}

fn call(call: &str) -> String {
    if call == "local" { "made by the client itself".to_owned() } else { format!("`{call}`") }
}

/// `reactions` of `reactions.test.js` or `test_reactions.py`.
fn word(test: &str) -> &str {
    let test = test.trim_end_matches(".py").trim_end_matches(".js").trim_end_matches(".test");
    test.trim_start_matches("test_")
}

fn named(tests: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = tests.iter().take(TESTS_NAMED_MAX).copied().collect();
    match tests.len().saturating_sub(TESTS_NAMED_MAX) {
        0 => names.join(", "),
        _ => format!("{} and more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatibility::{calls, methods};

    fn page(list: &str, notes: &str) -> String {
        let versions = Versions { javascript: "8".into(), python: "5".into() };
        render(&methods::parse(list).unwrap(), &calls::of(notes), &versions).unwrap()
    }

    #[test]
    fn what_was_answered_works_and_its_tests_are_named() {
        let notes =
            ["a", "b", "c", "d"].map(|test| format!("javascript\tfeed.get\tanswered\t{test}.test.js\n")).concat();
        let page = page("[javascript]\nfeed.get | GET feed/\n", &notes);
        assert!(page.contains("1 of 1 methods are proved"), "{page}");
        assert!(page.contains("| `feed.get` | `GET feed/` | works | a, b, c and more |"), "{page}");
    }

    #[test]
    fn what_was_only_refused_is_no_proof_unless_that_is_the_right_answer() {
        let list = "[javascript]\nog | GET og/\nmeta | GET meta/ | refused 404: nobody keeps any\n";
        let page = page(list, "javascript\tog\trefused 400\ta.test.js\njavascript\tmeta\trefused 404\ta.test.js\n");
        assert!(page.contains("| `og` | `GET og/` | **no proof** |  |"), "{page}");
        assert!(page.contains("| `meta` | `GET meta/` | refused, 404: nobody keeps any | a |"), "{page}");
        assert!(page.contains("1 of 2 methods are proved"), "{page}");
    }

    #[test]
    fn both_clients_of_python_have_a_column_and_both_must_be_seen() {
        let page = page("[python]\nusers.get | GET user/\n", "python\tusers.get\tanswered\ttest_users.py\n");
        assert!(page.contains("| `users.get` | `GET user/` | works | **no proof** | users |"), "{page}");
        assert!(page.contains("0 of 1 methods are proved"), "{page}");
    }

    #[test]
    fn what_the_client_does_alone_and_what_the_others_stand_on_is_said() {
        let page = page("[python]\ntoken | local\nget | plumbing\n", "");
        assert!(page.contains("| `token` | made by the client itself |"), "{page}");
        assert!(page.contains("Left out, since the others stand on them: `get`."), "{page}");
    }
}
