//! What people read: made from copies, a record at a time, and inert whatever the data says.

use std::{
    fmt::{self, Write as _},
    io::{self, Read},
};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Value, value::RawValue};

/// The columns of the table of messages.
pub(super) const CSV_HEAD: &str = "id,channel,created_at,text\r\n";
/// What a page without scripts and without anything from elsewhere allows itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// Calls `each` with every element of the array `name` of the object in `input`, holding one at a time.
pub(crate) fn each(input: impl Read, name: &str, mut each: impl FnMut(&RawValue) -> io::Result<()>) -> io::Result<u64> {
    let mut count = 0;
    let mut trouble = None;
    let mut take = |raw: &RawValue| {
        count += 1;
        if trouble.is_none() {
            trouble = each(raw).err();
        }
    };
    let seed = Object { name, take: &mut take };
    let mut deserializer = serde_json::Deserializer::from_reader(io::BufReader::new(input));
    seed.deserialize(&mut deserializer).map_err(io::Error::other)?;
    trouble.map_or(Ok(count), Err)
}

struct Object<'a> {
    name: &'a str,
    take: &'a mut dyn FnMut(&RawValue),
}

struct Array<'a>(&'a mut dyn FnMut(&RawValue));

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == self.name {
                map.next_value_seed(Array(&mut *self.take))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Array<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Array<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array or null")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(raw) = seq.next_element::<Box<RawValue>>()? {
            (self.0)(&raw);
        }
        Ok(())
    }
}

/// A message as a row of the table.
pub(super) fn csv_row(fields: &Value) -> String {
    let cell = |name: &str| match &fields[name] {
        Value::String(text) => csv_cell(text),
        Value::Null => String::new(),
        other => csv_cell(&other.to_string()),
    };
    let channel = if fields["cid"].is_null() { cell("channel_cid") } else { cell("cid") };
    format!("{},{channel},{},{}\r\n", cell("id"), cell("created_at"), cell("text"))
}

/// A cell that no program takes for a formula.
pub(crate) fn csv_cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = format!("{}{text}", if is_formula { "'" } else { "" });
    if text.contains([',', '"', '\r', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A line of JSON: no line breaks outside of strings.
pub(super) fn json_line(raw: &RawValue) -> String {
    let line: String = raw.get().chars().map(|c| if matches!(c, '\n' | '\r') { ' ' } else { c }).collect();
    format!("{line}\n")
}

/// Whether a character does something instead of being shown: to a terminal, or to the direction of what follows.
fn acts(c: char) -> bool {
    let is_control = c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    let turns = matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_control || turns
}

/// Text that a browser shows and nothing else; what acts instead of being shown is named.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if acts(c) => {
                let _ = write!(out, "[U+{:04X}]", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A page with a title and facts in rows.
pub(super) fn page(title: &str, body: &str) -> String {
    let mut page = String::new();
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"><title>{title}</title>\
         <style>body{{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}\
         td,th{{text-align:left;vertical-align:top;padding:.2em .6em;border-bottom:1px solid #ccc}}\
         .gap{{border:2px solid #a00;padding:.5em 1em}}</style></head><body>\n{body}</body></html>\n",
        title = escaped(title),
    );
    page
}

/// A table of facts.
pub(super) fn table<'a>(rows: impl Iterator<Item = (&'a str, String)>) -> String {
    let row = |(name, value): (&str, String)| {
        format!("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", escaped(name), escaped(&value))
    };
    format!("<table>\n{}</table>\n", rows.map(row).collect::<String>())
}

/// A table of records.
pub(super) fn rows<const N: usize>(rows: &[[String; N]]) -> String {
    let cells = |row: &[String; N]| row.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect::<String>();
    format!("<table>\n{}</table>\n", rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a23_12_a_cell_is_never_a_formula() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            let cell = csv_cell(text);
            assert!(cell.trim_start_matches('"').starts_with('\''), "{cell:?}");
        }
        assert_eq!(csv_cell("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(csv_cell("plain"), "plain");
    }

    #[test]
    fn a23_12_text_stays_text() {
        let page = page("x", &table([("text", "<script>alert('1')</script>".to_owned())].into_iter()));
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
    }

    #[test]
    fn a23_12_what_turns_text_around_or_commands_a_terminal_is_named() {
        let text = escaped("amy\u{202e}piz.exe\0\u{1b}[2J \u{05d0}\n\u{1f600}");
        assert_eq!(text, "amy[U+202E]piz.exe[U+0000][U+001B][2J \u{05d0}\n\u{1f600}");
    }

    #[test]
    fn elements_are_read_one_at_a_time_and_as_they_are() {
        let body = r#"{"user":{"messages":[9]},"messages":[{"n":12345678901234567890.10},{"n":2}],"x":null}"#;
        let mut seen = Vec::new();
        let count = each(body.as_bytes(), "messages", |raw| {
            seen.push(raw.get().to_owned());
            Ok(())
        });
        assert_eq!(count.unwrap(), 2);
        assert_eq!(seen, [r#"{"n":12345678901234567890.10}"#, r#"{"n":2}"#]);
        assert_eq!(each(r#"{"messages":null}"#.as_bytes(), "messages", |_| Ok(())).unwrap(), 0);
    }
}
