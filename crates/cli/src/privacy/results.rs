//! What came of requests: packages, certificates and links.

use std::path::Path;

use anyhow::{Context as _, Result};
use connector::{Secret, package::Recipient};
use serde_json::{Value, json};

use super::{
    Ended,
    args::{Certificate, Delivery, Packages},
    asking, checking,
    files::{self, Saved},
    here::{Here, in_path, secret},
};
use crate::output;

/// Who a package is encrypted for, checked before anything is asked: nobody, or the body of the call that fetches it.
pub(super) fn delivery(given: &Delivery) -> Result<Option<Value>> {
    if let Some(recipient) = &given.recipient {
        Recipient::parse(recipient)?;
        return Ok(Some(json!({"recipient": recipient})));
    }
    let Some(file) = &given.passphrase_file else { return Ok(None) };
    let passphrase = secret(file)?;
    Recipient::passphrase(Secret::new(passphrase.to_string()))?;
    Ok(Some(json!({"passphrase": passphrase.as_str()})))
}

/// Fetches a package into a file; nothing when there is none.
pub(super) async fn save_package(here: &Here, id: &str, out: &Path, delivery: Option<&Value>) -> Result<Option<Saved>> {
    let method = if delivery.is_some() { "POST" } else { "GET" };
    match here.download(method, &format!("/v1/requests/{}/package", in_path(id)), delivery).await? {
        Some(download) => Ok(Some(files::save(out, download).await?)),
        None => Ok(None),
    }
}

/// `packages`.
pub(super) async fn packages(here: &Here, command: Packages) -> Result<Ended> {
    let (path, body) = match command {
        Packages::Verify { file } => return checking::package(&file, here.output),
        Packages::Fetch { id, out, delivery: given } => {
            let delivery = delivery(&given)?;
            return match save_package(here, &id, &out, delivery.as_ref()).await? {
                Some(saved) => here.show(&saved.shown(), |_| output::line(&saved.to_string())),
                None => here.nothing(&format!(
                    "there is no package of `{id}`: an access has one when it is complete, and for a week after that"
                )),
            };
        }
        Packages::Manifest { id } => (format!("/v1/requests/{}/manifest", in_path(&id)), None),
        Packages::Link { id, expires_in, downloads } => {
            let expires_in = expires_in.as_deref().map(asking::secs).transpose()?;
            let body = json!({"expires_in_s": expires_in, "downloads": downloads});
            (format!("/v1/requests/{}/link", in_path(&id)), Some(body))
        }
    };
    let method = if body.is_some() { "POST" } else { "GET" };
    match here.call(method, &path, body.as_ref()).await? {
        Ok(shown) => here.show(&shown, |shown| match shown["url"].as_str() {
            Some(url) => {
                let until = shown["expires_at"].as_str().unwrap_or_default();
                output::line(&format!("{}{url} · until {until}", here.base()))
            }
            None => output::line(&serde_json::to_string_pretty(shown)?),
        }),
        Err(ended) => Ok(ended),
    }
}

/// `certificate fetch`.
pub(super) async fn certificate(here: &Here, command: Certificate) -> Result<Ended> {
    let (id, out, html) = match command {
        Certificate::Verify { file, signature } => {
            return checking::certificate(&file, signature.as_deref(), here.output);
        }
        Certificate::Fetch { id, out, html } => (id, out, html),
    };
    let form = if html { "html" } else { "json" };
    let Some(download) =
        here.download("GET", &format!("/v1/requests/{}/certificate?format={form}", in_path(&id)), None).await?
    else {
        return here
            .nothing(&format!("there is no certificate of `{id}`: it is signed when a deletion was seen to be done"));
    };
    let signed = if html { "html.sig" } else { "sig" };
    let signature =
        here.download("GET", &format!("/v1/requests/{}/certificate?format={signed}", in_path(&id)), None).await?;
    let signature = signature.context("the service hands out no signature")?;
    let beside = checking::beside(&out);
    files::save(&beside, signature).await?;
    let saved = files::save(&out, download).await?;
    here.show(&saved.shown(), |_| output::line(&format!("{saved} · signature in {}", beside.display())))
}
