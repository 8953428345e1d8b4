//! `keys`: names of keys are printed, never keys.

use anyhow::{Context as _, Result};
use connector::{keys::Source, surroundings::Surroundings};
use serde_json::json;

use super::{
    Ended,
    args::{Keys, Output, Place},
    here,
};
use crate::output;

/// Runs `keys`.
pub(super) async fn run(place: &Place, command: Keys, form: Output) -> Result<Ended> {
    let (what, id, count) = match command {
        Keys::Init => {
            let path = place.kek_file.as_ref().context("name the file to make with --kek-file FILE")?;
            ("made", Source::init(path, &Surroundings::system())?.id().to_owned(), None)
        }
        Keys::Status => {
            let id = here::kek(place)?.id().to_owned();
            here::open(place).await?;
            ("opens the directory", id, None)
        }
        Keys::Rotate { new_kek_file } => {
            let connector = here::open(place).await?;
            let new = if new_kek_file.exists() {
                Source { file: Some(new_kek_file), ..Source::default() }.read()?
            } else {
                Source::init(&new_kek_file, &Surroundings::system())?
            };
            let id = new.id().to_owned();
            ("in use", id, Some(connector.rotate_keys(new).await?))
        }
    };
    match form {
        Output::Json => output::json(&json!({"kek_id": id, "state": what, "data_keys": count}))?,
        Output::Human => {
            let count = count.map(|count| format!(", {count} data keys were wrapped anew")).unwrap_or_default();
            output::line(&format!("key {id} {what}{count}"))?;
        }
    }
    Ok(Ended::Done)
}
