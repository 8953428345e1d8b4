//! The list of the methods that the clients have: `e2e/methods.txt`.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};

use super::calls::Calls;

/// A method of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// The client: `javascript` or `python`; `python-async` has the methods of `python`.
    pub(super) client: String,
    /// Its name, after what has it.
    pub(super) name: String,
    /// What it asks of the server.
    pub(super) call: String,
    /// The refusal that is the right answer, and why.
    pub(super) refused: Option<(u16, String)>,
}

impl Method {
    /// Whether the other methods stand on it.
    pub(super) fn is_plumbing(&self) -> bool {
        self.call == "plumbing"
    }
}

/// Reads the list.
pub(super) fn parse(text: &str) -> Result<Vec<Method>> {
    let (mut client, mut methods) = (String::new(), Vec::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut client);
            continue;
        }
        methods.push(method(&client, line).with_context(|| format!("e2e/methods.txt: `{line}`"))?);
    }
    Ok(methods)
}

fn method(client: &str, line: &str) -> Result<Method> {
    let mut parts = line.split(" | ").map(str::to_owned);
    let (Some(name), Some(call)) = (parts.next(), parts.next()) else { bail!("no call") };
    let refused = parts.next().map(|refusal| refused(&refusal)).transpose()?;
    Ok(Method { client: client.to_owned(), name, call, refused })
}

fn refused(text: &str) -> Result<(u16, String)> {
    let refusal = text.strip_prefix("refused ").and_then(|rest| rest.split_once(": "));
    let (status, reason) = refusal.context("no `refused STATUS: why`")?;
    Ok((status.parse()?, reason.to_owned()))
}

/// Fails unless the clients have the methods that are listed, and no others.
pub(super) fn compare(listed: &[Method], seen: &Calls) -> Result<()> {
    let listed: BTreeSet<(&str, &str)> =
        listed.iter().map(|method| (method.client.as_str(), method.name.as_str())).collect();
    let there: BTreeSet<(&str, &str)> =
        seen.keys().map(|(client, name)| (client.trim_end_matches("-async"), name.as_str())).collect();
    let name = |(client, name): &(&str, &str)| format!("{client} {name}");
    let new: Vec<String> = there.difference(&listed).map(name).collect();
    let gone: Vec<String> = listed.difference(&there).map(name).collect();
    if !new.is_empty() {
        bail!("e2e/methods.txt lacks methods of the clients: {}", new.join(", "));
    }
    if !gone.is_empty() {
        bail!("e2e/methods.txt lists what the clients do not have: {}", gone.join(", "));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compatibility::calls;

    const LIST: &str = "# list\n[js]\nfeed.get | GET feed/\nog | GET og/ | refused 501: not built\n";

    #[test]
    fn a_line_is_a_method_with_its_call_and_perhaps_a_refusal() {
        let methods = parse(LIST).unwrap();
        assert_eq!((methods[0].client.as_str(), methods[0].name.as_str()), ("js", "feed.get"));
        assert_eq!(methods[1].refused, Some((501, "not built".to_owned())));
    }

    #[test]
    fn a_line_without_a_call_is_an_error() {
        assert!(parse("[js]\nfeed.get\n").is_err());
        assert!(parse("[js]\nfeed.get | GET feed/ | no\n").is_err());
    }

    #[test]
    fn new_and_vanished_methods_are_named() {
        let listed = parse(LIST).unwrap();
        let complain = |text: &str| compare(&listed, &calls::of(text)).unwrap_err().to_string();
        assert!(compare(&listed, &calls::of("js\tfeed.get\texists\t\njs-async\tog\texists\t\n")).is_ok());
        assert!(complain("js\tfeed.get\texists\t\n").contains("do not have: js og"));
        assert!(
            complain("js\tfeed.get\texists\t\njs\tog\texists\t\njs\tnew\texists\t\n")
                .contains("lacks methods of the clients: js new")
        );
    }
}
