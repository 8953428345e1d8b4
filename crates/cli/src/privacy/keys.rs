//! `keys`: names of keys are printed, never keys.

use anyhow::{Result, bail};
use connector::{
    keys::{Source, passphrase},
    surroundings::Surroundings,
};
use serde_json::json;

use super::{
    Ended,
    args::{Keys, Output, Place},
    here::{self, Here},
};
use crate::output;

/// Runs `keys`.
pub(super) async fn run(place: &Place, command: Keys, form: Output) -> Result<Ended> {
    let (what, id, count) = match command {
        Keys::Init => {
            let made = match (&place.kek_file, here::passphrase(place)?) {
                (Some(path), _) => Source::init(path, &Surroundings::system())?,
                (None, Some(text)) => passphrase::init(&place.data_dir, &text, &Surroundings::system())?,
                (None, None) => bail!("name the file to make with --kek-file FILE, or give --kek-passphrase-file FILE"),
            };
            ("made", made.id().to_owned(), None)
        }
        Keys::Verify => return verify(place, form).await,
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

/// `keys verify`.
pub(super) async fn verify(place: &Place, form: Output) -> Result<Ended> {
    let here = Here::open(place, form).await?;
    here.beside_its_worker(async |here| {
        let shown = match here.call("POST", "/v1/keys/verify", None).await? {
            Ok(shown) => shown,
            Err(ended) => return Ok(ended),
        };
        let id = shown["kek_id"].as_str().unwrap_or_default();
        here.show(&shown, |shown| match shown["detail"].as_str() {
            Some(detail) => output::line(detail),
            None => output::line(&format!("key {id} opens all {} data keys", shown["data_keys"])),
        })?;
        Ok(if shown["ok"] == true { Ended::Done } else { Ended::NotIntact })
    })
    .await
}
