//! Cutting a file into its rows: JSON objects, one after the other or in a list, read in pieces of bounded size.

use std::io;

use bytes::BytesMut;

use crate::blobs::Blobs;

/// How much is read at a time.
const CHUNK_BYTES: u64 = 256 << 10;
/// The longest row.
const ROW_BYTES_MAX: usize = 1 << 20;
/// What some programs write at the beginning of a file.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// A place in a file: behind so many bytes, and so many rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Place {
    /// Bytes before it.
    offset: u64,
    /// Rows before it.
    rows: u64,
}

impl Place {
    /// As a task keeps it.
    pub(super) fn encode(self) -> Vec<u8> {
        [self.offset.to_be_bytes(), self.rows.to_be_bytes()].concat()
    }

    /// The place that a task kept; the beginning, if it kept none.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let number = |part: Option<&[u8]>| part.and_then(|part| part.try_into().ok()).map_or(0, u64::from_be_bytes);
        Place { offset: number(bytes.get(..8)), rows: number(bytes.get(8..16)) }
    }
}

/// A row as it stands in the file.
#[derive(Debug)]
pub(super) struct Raw {
    /// Its number, from 1 on.
    pub(super) number: u64,
    /// Where it begins.
    pub(super) start: Place,
    /// The object.
    pub(super) text: Vec<u8>,
}

/// That the file cannot be read from this row on.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Broken {
    /// Its number.
    pub(super) row: u64,
    /// What is wrong.
    pub(super) reason: String,
}

/// The rows of a file, one after the other.
pub(super) struct Items<'b> {
    blobs: &'b Blobs,
    file: String,
    /// What was read and is no row yet.
    buffer: BytesMut,
    /// Where `buffer` begins.
    at: Place,
    is_end: bool,
}

impl<'b> Items<'b> {
    /// The rows of `file` from `place` on.
    pub(super) fn new(blobs: &'b Blobs, file: &str, place: Place) -> Self {
        Items { blobs, file: file.to_owned(), buffer: BytesMut::new(), at: place, is_end: false }
    }

    /// Where the next row is looked for.
    pub(super) fn place(&self) -> Place {
        self.at
    }

    /// The next row, if there is one.
    ///
    /// # Errors
    /// When the disk fails; [`Broken`] inside when what follows is no row.
    pub(super) async fn next(&mut self) -> io::Result<Result<Option<Raw>, Broken>> {
        let too_long = || format!("a row has at most {ROW_BYTES_MAX} bytes");
        loop {
            match split(&self.buffer) {
                Split::Nothing(blank) => self.pass(blank),
                Split::Begun(blank) => {
                    self.pass(blank);
                    if self.buffer.len() > ROW_BYTES_MAX {
                        return Ok(self.broken(too_long()));
                    }
                }
                Split::Row(blank, length) => {
                    self.pass(blank);
                    if length > ROW_BYTES_MAX {
                        return Ok(self.broken(too_long()));
                    }
                    let (start, text) = (self.at, self.buffer[..length].to_vec());
                    self.pass(length);
                    self.at.rows += 1;
                    return Ok(Ok(Some(Raw { number: self.at.rows, start, text })));
                }
                Split::Wrong(blank) => {
                    self.pass(blank);
                    return Ok(self.broken("a row is a JSON object with type and item".to_owned()));
                }
            }
            if self.is_end {
                return Ok(match self.buffer.is_empty() {
                    true => Ok(None),
                    false => self.broken("the file ends inside a row".to_owned()),
                });
            }
            self.read_on().await?;
        }
    }

    fn broken<T>(&self, reason: String) -> Result<T, Broken> {
        Err(Broken { row: self.at.rows + 1, reason })
    }

    fn pass(&mut self, bytes: usize) {
        drop(self.buffer.split_to(bytes));
        self.at.offset += bytes as u64;
    }

    async fn read_on(&mut self) -> io::Result<()> {
        let from = self.at.offset + self.buffer.len() as u64;
        let chunk = self.blobs.read_from(&self.file, from, CHUNK_BYTES).await?;
        let chunk = chunk.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the file of an import is gone"))?;
        self.is_end = (chunk.len() as u64) < CHUNK_BYTES;
        self.buffer.extend_from_slice(&chunk);
        if from == 0 && self.buffer.starts_with(MARK) {
            self.pass(MARK.len());
        }
        Ok(())
    }
}

/// What stands at the beginning of a piece.
enum Split {
    /// So many bytes between rows, and nothing else.
    Nothing(usize),
    /// A row behind so many bytes, whose end is not there yet.
    Begun(usize),
    /// A row behind so many bytes, and its length.
    Row(usize, usize),
    /// Something else behind so many bytes.
    Wrong(usize),
}

fn split(bytes: &[u8]) -> Split {
    let is_between = |byte: &u8| byte.is_ascii_whitespace() || b",[]".contains(byte);
    let blank = bytes.iter().take_while(|byte| is_between(byte)).count();
    let Some(first) = bytes.get(blank) else { return Split::Nothing(blank) };
    if *first != b'{' {
        return Split::Wrong(blank);
    }
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (n, byte) in bytes[blank..].iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' if !is_text => depth += 1,
            b'}' if !is_text => {
                depth -= 1;
                if depth == 0 {
                    return Split::Row(blank, n + 1);
                }
            }
            _ => {}
        }
    }
    Split::Begun(blank)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn rows(text: &[u8]) -> (Vec<(u64, String)>, Option<Broken>) {
        let blobs = Blobs::memory();
        blobs.write("f", text).await.unwrap();
        let (mut items, mut found) = (Items::new(&blobs, "f", Place::default()), Vec::new());
        loop {
            match items.next().await.unwrap() {
                Ok(Some(raw)) => {
                    let mut again = Items::new(&blobs, "f", Place::decode(&raw.start.encode()));
                    assert_eq!(again.next().await.unwrap().unwrap().unwrap().text, raw.text, "a row is found again");
                    found.push((raw.number, String::from_utf8(raw.text).unwrap()));
                }
                Ok(None) => return (found, None),
                Err(broken) => return (found, Some(broken)),
            }
        }
    }

    #[tokio::test]
    async fn a_file_is_a_list_or_a_row_a_line() {
        let expected = vec![(1, r#"{"a":"}\"{"}"#.to_owned()), (2, r#"{"b":{"c":[1]}}"#.to_owned())];
        for text in [
            "[{\"a\":\"}\\\"{\"},\n {\"b\":{\"c\":[1]}}]\n",
            "{\"a\":\"}\\\"{\"}\n{\"b\":{\"c\":[1]}}",
            "\u{feff}[ {\"a\":\"}\\\"{\"} , {\"b\":{\"c\":[1]}} ]",
        ] {
            assert_eq!(rows(text.as_bytes()).await, (expected.clone(), None), "{text}");
        }
        assert_eq!(rows(b"").await, (Vec::new(), None));
        assert_eq!(rows(b"[]").await, (Vec::new(), None));
    }

    #[tokio::test]
    async fn what_is_no_row_is_told_with_its_number() {
        let (found, broken) = rows(b"{}\n7\n{}").await;
        assert_eq!((found.len(), broken.map(|broken| broken.row)), (1, Some(2)));
        let (_, broken) = rows(b"{}\n{\"a\":").await;
        assert_eq!(broken, Some(Broken { row: 2, reason: "the file ends inside a row".to_owned() }));
    }

    #[tokio::test]
    async fn rows_stand_across_the_pieces_that_are_read_and_a_longer_one_than_any_is_none() {
        let row = format!("{{\"text\":\"{}\"}}\n", "x".repeat(100_000));
        let (found, broken) = rows(row.repeat(12).as_bytes()).await;
        assert_eq!((found.len(), broken), (12, None));
        let (found, broken) = rows(format!("{{\"text\":\"{}\"}}", "x".repeat(ROW_BYTES_MAX)).as_bytes()).await;
        assert_eq!((found.len(), broken.map(|broken| broken.row)), (0, Some(1)));
    }
}
