//! Reads the code blocks out of a quickstart document.

use anyhow::{Context, Result, bail};

/// How the block that starts the server begins.
const SERVE: &str = "cargo run --release -- serve";

/// What a quickstart asks its reader to do.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// The options of the server that it starts.
    pub(super) serve: Vec<String>,
    /// Files to save, by name.
    pub(super) files: Vec<(String, String)>,
    /// Shell blocks, in order.
    pub(super) steps: Vec<Step>,
}

/// One shell block, and what the document says that it prints.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) script: String,
    pub(super) prints: Option<String>,
}

impl Document {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut document = Self::default();
        let mut starts = 0;
        for Block { fence, code } in blocks(text)? {
            match fence.split_once(' ').map_or((fence.as_str(), None), |(language, name)| (language, Some(name))) {
                ("sh", None) if code.trim_start().starts_with(SERVE) => {
                    document.serve = serve_options(&code);
                    starts += 1;
                }
                ("sh", None) => document.steps.push(Step { script: code, prints: None }),
                ("text", None) => {
                    let step = document.steps.last_mut().context("a `text` block stands before any `sh` block")?;
                    step.prints = Some(code);
                }
                (_, Some(name)) => document.files.push((name.trim().to_owned(), code)),
                (language, None) => bail!("a `{language}` block has no file name: write, say, ```{language} feed.x"),
            }
        }
        if starts != 1 {
            bail!("it must start the server once, with a `sh` block `{SERVE} …`; it has {starts} such blocks");
        }
        Ok(document)
    }
}

struct Block {
    fence: String,
    code: String,
}

fn blocks(text: &str) -> Result<Vec<Block>> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(fence)) => open = Some(Block { fence: fence.trim().to_owned(), code: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.code.push_str(line);
                block.code.push('\n');
            }
            (None, None) => {}
        }
    }
    match open {
        Some(block) => bail!("the block ```{} is not closed", block.fence),
        None => Ok(blocks),
    }
}

fn serve_options(code: &str) -> Vec<String> {
    let line = code.trim().replace("\\\n", " ");
    line.strip_prefix(SERVE).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

/// Whether `printed` is what was `promised`, where `…` stands for anything.
pub(super) fn matches(promised: &str, printed: &str) -> bool {
    let mut pieces = promised.split('…');
    let Some(mut rest) = pieces.next().and_then(|first| printed.strip_prefix(first)) else { return false };
    let mut ends_open = false;
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        let is_last = pieces.peek().is_none();
        let found = if is_last && !piece.is_empty() { rest.rfind(piece) } else { rest.find(piece) };
        let Some(position) = found else { return false };
        rest = &rest[position + piece.len()..];
        ends_open = is_last && piece.is_empty();
    }
    ends_open || rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Start it:\n```sh\ncargo run --release -- serve --app-key k \\\n  --app-id 1\n```\nSave:\n\
        ```js feed.mjs\nlet x;\n```\n```sh\nnode feed.mjs\n```\n```text\nhello\n```\n";

    #[test]
    fn a_document_starts_the_server_saves_files_and_runs_the_shell() {
        let document = Document::parse(TEXT).unwrap();
        assert_eq!(document.serve, ["--app-key", "k", "--app-id", "1"]);
        assert_eq!(document.files, [("feed.mjs".to_owned(), "let x;\n".to_owned())]);
        assert_eq!(document.steps.len(), 1);
        assert_eq!(document.steps[0].prints.as_deref(), Some("hello\n"));
    }

    #[test]
    fn a_document_that_starts_no_server_is_refused() {
        assert!(Document::parse("```sh\nls\n```\n").is_err());
    }

    #[test]
    fn an_ellipsis_stands_for_anything() {
        assert!(matches("a…c", "abc") && matches("a…", "a") && matches("…c…", "abcd") && matches("same", "same"));
        assert!(!matches("a…c", "abd") && !matches("a", "ab") && !matches("a…b", "xab"));
    }
}
