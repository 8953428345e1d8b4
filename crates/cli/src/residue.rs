//! `check --residue`: what is left of somebody in the data directory.
//!
//! It prints where something was found, and never what: its output may go where the data must not.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use server::residue::{self, Found, InFile, LeftFile, Report, Row};

use crate::args::Check;
use crate::data::{self, Progress};
use crate::output;
use crate::serve::FILES;

/// The exit code when something was found.
const LEFT: u8 = 1;

/// Looks, and tells.
pub(crate) async fn run(args: Check) -> Result<ExitCode> {
    let user = args.residue.as_deref().unwrap_or_default();
    let wanted =
        residue::wanted(user, args.needle, args.app).with_context(|| format!("`{user}` is not the id of a user"))?;
    let store = data::open(&args.data)?;
    let progress = Progress::new("looked at");
    let folder = args.data.data_dir.join(FILES);
    let report = residue::find(&store, &folder, &wanted, &mut |rows| progress.rows(rows)).await?;
    progress.finish();
    if args.json {
        output::json(&as_json(&report))?
    } else {
        tell(&report)?
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(LEFT) })
}

fn tell(report: &Report) -> Result<()> {
    for row in &report.rows.residue {
        let Row { app, table, key, rows, .. } = row;
        output::line(&format!("app {app}, table {table} ({key}): {rows} rows, {}", by(row.found)))?;
    }
    for LeftFile { path, found } in &report.files {
        output::line(&format!("file {path}: {}", in_file(*found)))?;
    }
    let outcome = if report.is_clean() { "nothing is left" } else { "something is left" };
    let (rows, files, kept) = (report.rows.seen, report.files_seen, report.rows.kept);
    output::line(&format!("{outcome}: looked at {rows} rows and {files} files"))?;
    if kept > 0 {
        output::line(&format!("{kept} rows name the user for a while: tasks, and events that tell of the deletion"))?;
    }
    Ok(())
}

fn as_json(report: &Report) -> Value {
    let row = |row: &Row| json!({ "app": row.app, "table": row.table, "key": row.key, "found": by(row.found), "rows": row.rows });
    let file = |file: &LeftFile| json!({ "path": file.path, "found": in_file(file.found) });
    json!({
        "is_clean": report.is_clean(),
        "rows": report.rows.residue.iter().map(row).collect::<Vec<_>>(),
        "files": report.files.iter().map(file).collect::<Vec<_>>(),
        "rows_seen": report.rows.seen,
        "files_seen": report.files_seen,
        "rows_kept": report.rows.kept,
    })
}

fn by(found: Found) -> String {
    match found {
        Found::UserInKey => "the user in the key".to_owned(),
        Found::UserInRecord => "the user in the record".to_owned(),
        Found::Needle(number) => format!("needle {}", number + 1),
    }
}

fn in_file(found: InFile) -> String {
    match found {
        InFile::User => "the user".to_owned(),
        InFile::Needle(number) => format!("needle {}", number + 1),
        InFile::Forgotten => "no row knows it".to_owned(),
    }
}
