//! The service that is asked: one in this process with its worker, or one elsewhere.

use std::{io::Read as _, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use connector::{
    Connector, Secret, Setup,
    http::{Reply, Service},
    keys::{Kek, Source},
    surroundings::Surroundings,
    upstream::{Http, HttpOptions},
};
use serde_json::Value;
use tokio::{sync::oneshot, task::JoinHandle};
use zeroize::Zeroizing;

use super::{
    Ended,
    args::{Output, Place},
    print,
};

/// A service to ask.
pub(super) struct Here {
    service: Service,
    worker: Option<(oneshot::Sender<()>, JoinHandle<connector::Result<()>>)>,
    pub(super) output: Output,
    pub(super) is_local: bool,
}

/// The key-encryption key, from wherever it is.
pub(super) fn kek(place: &Place) -> Result<Kek> {
    let source = Source {
        file: place.kek_file.clone(),
        env: std::env::var("MILLPOND_PRIVACY_KEK").ok().map(Zeroizing::new),
        credentials_dir: std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into),
        command: place.kek_command.clone(),
        passphrase: passphrase(place)?.map(|text| (text, place.data_dir.clone())),
    };
    Ok(source.read()?)
}

/// The passphrase that the key is made from, if there is one.
pub(super) fn passphrase(place: &Place) -> Result<Option<Zeroizing<String>>> {
    place.kek_passphrase_file.as_deref().map(secret).transpose()
}

/// Opens the directory.
pub(super) async fn open(place: &Place) -> Result<Connector> {
    let options = HttpOptions { ca_file: place.ca_file.clone(), ..HttpOptions::default() };
    let kek = kek(place)?;
    std::fs::create_dir_all(&place.data_dir).with_context(|| format!("cannot make {}", place.data_dir.display()))?;
    let setup = Setup { kek, surroundings: Surroundings::system(), http: Http::new(options)?, dialects: Vec::new() };
    Connector::open(&place.data_dir, setup).await.with_context(|| {
        format!(
            "cannot open {}; if a service runs there, ask it with --server URL --token-file FILE",
            place.data_dir.display()
        )
    })
}

/// The text of a secret file, without the one line break that editors leave at the end.
pub(super) fn secret(path: &Path) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    if path == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    } else {
        text =
            Zeroizing::new(std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    let end = text.strip_suffix('\n').map_or(text.len(), str::len);
    let end = text[..end].strip_suffix('\r').map_or(end, str::len);
    text.truncate(end);
    Ok(text)
}

impl Here {
    /// Opens the directory and starts its worker, or finds the service elsewhere.
    pub(super) async fn open(place: &Place, output: Output) -> Result<Self> {
        if let Some(server) = &place.server {
            let Some(file) = &place.token_file else { bail!("--server needs --token-file") };
            let token = Secret::new(secret(file)?.to_string());
            return Ok(Here { service: Service::remote(server, token)?, worker: None, output, is_local: false });
        }
        let connector = Arc::new(open(place).await?);
        let (stop, stopped) = oneshot::channel();
        let working = connector.clone();
        let worker = tokio::spawn(async move {
            working
                .work(async {
                    // A sender that is gone says stop, too.
                    let _ = stopped.await;
                })
                .await
        });
        Ok(Here { service: Service::local(connector), worker: Some((stop, worker)), output, is_local: true })
    }

    /// Lets the worker finish its step.
    pub(super) async fn close(self) {
        if let Some((stop, worker)) = self.worker {
            let _ = stop.send(());
            let _ = worker.await;
        }
    }

    /// Makes a call. What is refused is printed, and ends the command.
    pub(super) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Result<Value, Ended>> {
        self.waiting(method, path, body, None).await
    }

    pub(super) async fn waiting(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
        prefer: Option<&str>,
    ) -> Result<Result<Value, Ended>> {
        let reply = self.service.call(method, path, body, prefer).await?;
        if reply.status < 300 { Ok(Ok(reply.json())) } else { self.refused(&reply).map(Err) }
    }

    /// Makes a call with a body that is no JSON document. What is refused is printed, and ends the command.
    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        bytes: Vec<u8>,
        media_type: &str,
    ) -> Result<Result<Value, Ended>> {
        let reply = self.service.send(method, path, bytes, Some(media_type), None).await?;
        if reply.status < 300 { Ok(Ok(reply.json())) } else { self.refused(&reply).map(Err) }
    }

    /// Tells people how far something is, beside what is printed.
    pub(super) fn progress(&self, text: &str) {
        if self.output == Output::Human {
            eprintln!("{text}");
        }
    }

    /// Fetches a file; nothing when there is none.
    pub(super) async fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let reply = self.service.call("GET", path, None, None).await?;
        Ok((reply.status == 200).then_some(reply.body))
    }

    fn refused(&self, reply: &Reply) -> Result<Ended> {
        let body = reply.json();
        if self.output == Output::Json {
            crate::output::json(&body)?;
        }
        if body["report"].is_object() {
            if self.output == Output::Human {
                print::report(&body["report"])?;
            }
            eprintln!("error: {}", body["detail"].as_str().unwrap_or_default());
            return Ok(Ended::TestFailed);
        }
        eprintln!("error: {}", body["detail"].as_str().unwrap_or("the service refused"));
        Ok(match reply.status {
            401 | 403 => Ended::NotAllowed,
            404 => Ended::NotFound,
            _ => Ended::Failed,
        })
    }

    /// Prints what was answered.
    pub(super) fn show(&self, value: &Value, human: impl FnOnce(&Value) -> Result<()>) -> Result<Ended> {
        match self.output {
            Output::Json => crate::output::json(value)?,
            Output::Human => human(value)?,
        }
        Ok(Ended::Done)
    }
}
