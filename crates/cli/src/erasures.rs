//! `erasures`: the list of who was erased, out of a data directory and against another.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use server::erasures::{self, Line};
use server::front::SystemClock;

use crate::args::ErasuresCommand;
use crate::{data, output};

pub(crate) async fn run(command: ErasuresCommand) -> Result<()> {
    match command {
        ErasuresCommand::List { data } => {
            for erased in erasures::all(&data::open(&data)?).await? {
                output::json(&Line::from(erased))?;
            }
            Ok(())
        }
        ErasuresCommand::Apply { file, data } => {
            let lines = read(&file)?;
            let count = erasures::apply(&data::open(&data)?, &lines, &SystemClock).await?;
            output::line(&format!("{count} users are erased again by the next server on this directory"))
        }
    }
}

fn read(file: &Path) -> Result<Vec<Line>> {
    let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut lines = Vec::new();
    for (number, line) in BufReader::new(opened).lines().enumerate() {
        let line = line.with_context(|| format!("cannot read {}", file.display()))?;
        if !line.trim().is_empty() {
            let broken = || format!("{}: line {} is not of a list of erasures", file.display(), number + 1);
            lines.push(serde_json::from_str(&line).with_context(broken)?);
        }
    }
    Ok(lines)
}
