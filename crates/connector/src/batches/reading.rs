//! The forms in which a batch comes: lines of JSON, or a table as CSV (RFC 4180).

use serde_json::{Map, Value, json};

use crate::{Error, Result};

/// The columns of a table.
const COLUMNS: &[&str] =
    &["type", "email", "user_id", "external_id", "integration", "regulation", "received_at", "days", "dry_run"];

/// The lines of a file of JSON; each is an object, or what is wrong with it.
pub(crate) fn lines(text: &str) -> Vec<Result<Value, String>> {
    let full = text.lines().filter(|line| !line.trim().is_empty());
    full.map(|line| {
        let value: Value = serde_json::from_str(line).map_err(|_| "the line is not JSON".to_owned())?;
        if value.is_object() { Ok(value) } else { Err("the line is no JSON object".to_owned()) }
    })
    .collect()
}

/// The rows of a table, each as the object that a line of JSON would be.
///
/// # Errors
/// [`Error::Invalid`] when the first row does not name columns that are known.
pub(crate) fn columns(text: &str) -> Result<Vec<Result<Value, String>>> {
    let mut rows = cells(text).into_iter();
    let head = rows.next().unwrap_or_default();
    let head: Vec<String> = head.into_iter().map(|name| name.trim().to_lowercase()).collect();
    if let Some(unknown) = head.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        let message =
            format!("`{}` is no column; there are {}", crate::redact::scrub(unknown, &[]), COLUMNS.join(", "));
        return Err(Error::invalid("columns", message));
    }
    let full = rows.filter(|row| row.iter().any(|cell| !cell.is_empty()));
    Ok(full.map(|row| object(&head, &row)).collect())
}

fn object(head: &[String], row: &[String]) -> Result<Value, String> {
    if row.len() != head.len() {
        return Err(format!("the row has {} cells, and the first row {}", row.len(), head.len()));
    }
    let mut fields = Map::new();
    let mut identifiers = Vec::new();
    for (name, cell) in head.iter().zip(row).filter(|(_, cell)| !cell.is_empty()) {
        match name.as_str() {
            "email" | "user_id" => identifiers.push(json!({"category": name, "value": cell})),
            "integration" => drop(fields.insert("integrations".to_owned(), json!([cell]))),
            "days" => {
                let days: i64 = cell.parse().map_err(|_| "`days` must be a whole number".to_owned())?;
                fields.insert(name.clone(), days.into());
            }
            "dry_run" => {
                let dry_run: bool = cell.parse().map_err(|_| "`dry_run` must be true or false".to_owned())?;
                fields.insert(name.clone(), dry_run.into());
            }
            _ => drop(fields.insert(name.clone(), cell.as_str().into())),
        }
    }
    fields.insert("identifiers".to_owned(), identifiers.into());
    Ok(Value::Object(fields))
}

/// The cells of a table, row by row.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let (mut row, mut cell, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if is_quoted || cell.is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_may_hold_commas_quotes_and_lines() {
        let table = "a,\"b,\"\"c\"\"\nd\",\r\n,,x\n";
        assert_eq!(cells(table), [vec!["a", "b,\"c\"\nd", ""], vec!["", "", "x"]]);
        assert_eq!(cells("a,b"), [["a", "b"]]);
    }

    #[test]
    fn a_row_of_a_table_is_what_a_line_of_json_would_be() {
        let rows = columns("type,email,user_id,days\ndeletion,amy@example.com,,\naccess,,bob,9\n\n").unwrap();
        let amy = json!({"type": "deletion", "identifiers": [{"category": "email", "value": "amy@example.com"}]});
        assert_eq!(rows[0].as_ref().unwrap(), &amy);
        assert_eq!(rows[1].as_ref().unwrap()["days"], 9);
        assert_eq!(rows.len(), 2);
    }

    #[test]
    fn an_unknown_column_refuses_the_table_and_a_short_row_only_itself() {
        assert!(columns("type,colour\n").is_err());
        let rows = columns("type,email\ndeletion\ndeletion,amy@example.com\n").unwrap();
        assert!(rows[0].is_err() && rows[1].is_ok());
    }

    #[test]
    fn a_line_that_is_no_object_is_told_without_being_repeated() {
        let rows = lines("{\"type\":\"access\"}\ncanary\n\n[1]\n");
        assert!(rows[0].is_ok());
        assert_eq!(rows[1], Err("the line is not JSON".to_owned()));
        assert_eq!(rows[2], Err("the line is no JSON object".to_owned()));
        assert_eq!(rows.len(), 3);
    }
}
