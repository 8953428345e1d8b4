//! The service that is asked: one in this process with its worker, or one elsewhere.

use std::{io::Read as _, path::Path, sync::Arc};

use anyhow::{Context as _, Result, bail};
use connector::{
    Connector, Secret, Setup,
    http::{Download, Reply, Service, Trust},
    keys::{Kek, Source},
    surroundings::Surroundings,
    upstream::{Dialect, Http, HttpOptions},
};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};
use zeroize::Zeroizing;

use super::{
    Ended,
    args::{Output, Place},
    print,
};

/// How much of a list is fetched at once.
const PAGE: &str = "200";

/// A file that is not handed out.
#[derive(Debug, thiserror::Error)]
#[error("the service refused")]
pub(super) struct Refused(pub(super) Reply);

/// A service to ask.
pub(super) struct Here {
    service: Service,
    base: String,
    worker: Option<Worker>,
    pub(super) output: Output,
    pub(super) is_local: bool,
}

/// What makes the steps of this process.
struct Worker {
    stop: oneshot::Sender<()>,
    working: JoinHandle<connector::Result<()>>,
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
    let webhook_hosts = place.webhook_host.clone();
    let options = HttpOptions { ca_file: place.ca_file.clone(), webhook_hosts, ..HttpOptions::default() };
    let kek = kek(place)?;
    std::fs::create_dir_all(&place.data_dir).with_context(|| format!("cannot make {}", place.data_dir.display()))?;
    let dialects = place.dialect_file.iter().map(|path| dialect(path)).collect::<Result<_>>()?;
    let setup = Setup { kek, surroundings: Surroundings::system(), http: Http::new(options)?, dialects };
    Connector::open(&place.data_dir, setup).await.with_context(|| {
        format!(
            "cannot open {}; if a service runs there, ask it with --server URL --token-file FILE",
            place.data_dir.display()
        )
    })
}

/// What is spoken, from a file.
fn dialect(path: &Path) -> Result<Dialect> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Dialect::parse(&text).with_context(|| format!("{} is no dialect", path.display()))
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

/// What somebody typed, as one segment of a path.
pub(super) fn in_path(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'~');
    let escaped = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escaped).collect()
}

impl Here {
    /// Opens the directory and starts its worker, or finds the service elsewhere.
    pub(super) async fn open(place: &Place, output: Output) -> Result<Self> {
        if let Some(server) = &place.server {
            let Some(file) = &place.token_file else { bail!("--server needs --token-file") };
            let token = Secret::new(secret(file)?.to_string());
            let shown = place.client_cert.as_deref().zip(place.client_key.as_deref());
            let service = Service::remote(server, token, Trust { ca_file: place.ca_file.as_deref(), shown })?;
            let base = server.trim_end_matches('/').to_owned();
            return Ok(Here { service, base, worker: None, output, is_local: false });
        }
        let connector = Arc::new(open(place).await?);
        let (stop, stopped) = oneshot::channel();
        let working = connector.clone();
        let working = tokio::spawn(async move {
            working
                .work(async {
                    // A sender that is gone says stop, too.
                    let _ = stopped.await;
                })
                .await
        });
        let (service, base) = (Service::local(connector), String::new());
        Ok(Here { service, base, worker: Some(Worker { stop, working }), output, is_local: true })
    }

    /// Does `work` for as long as the worker does its own: what waits for a worker that has failed would wait for ever.
    /// Then the worker finishes its step.
    pub(super) async fn beside_its_worker(mut self, work: impl AsyncFnOnce(&Here) -> Result<Ended>) -> Result<Ended> {
        let Some(Worker { stop, mut working }) = self.worker.take() else { return work(&self).await };
        let ended = tokio::select! {
            biased;
            ended = work(&self) => ended,
            failed = &mut working => {
                failed.context("the worker broke off")?.context("the worker failed")?;
                bail!("the worker ended by itself");
            }
        };
        let _ = stop.send(());
        working.await.context("the worker broke off")?.context("the worker failed")?;
        ended
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

    /// Opens a file; nothing when there is none. What is refused for another reason ends the command.
    pub(super) async fn download(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Option<Download>> {
        let bytes = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let (status, mut download) = self.service.open(method, path, bytes, None, None).await?;
        if status == 200 {
            return Ok(Some(download));
        }
        let mut body = Vec::new();
        while let Some(piece) = download.piece().await? {
            body.extend_from_slice(&piece);
        }
        if status == 404 { Ok(None) } else { Err(Refused(Reply { status, body }).into()) }
    }

    /// Fetches every page of a list with these filters.
    pub(super) async fn pages(&self, path: &str, filters: &[(&str, &Option<String>)]) -> Result<Result<Value, Ended>> {
        let mut all = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("limit", PAGE);
            let given = filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
            query.extend_pairs(given.chain(cursor.as_deref().map(|cursor| ("cursor", cursor))));
            let page = match self.call("GET", &format!("{path}?{}", query.finish()), None).await? {
                Ok(page) => page,
                Err(ended) => return Ok(Err(ended)),
            };
            all.extend(print::list(&page["data"]).to_vec());
            cursor = match &page["next_cursor"] {
                Value::Null => return Ok(Ok(json!({"data": all, "next_cursor": null}))),
                Value::String(text) => Some(text.clone()),
                other => Some(other.to_string()),
            };
        }
    }

    /// Says that there is no such thing.
    pub(super) fn nothing(&self, detail: &str) -> Result<Ended> {
        if self.output == Output::Json {
            crate::output::json(&json!({"code": "not_found", "detail": detail}))?;
        }
        eprintln!("error: {detail}");
        Ok(Ended::NotFound)
    }

    /// Where the service is, for links that it makes.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Prints what was refused, and says how the command ends.
    pub(super) fn refused(&self, reply: &Reply) -> Result<Ended> {
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
            400 | 422 => Ended::Usage,
            401 | 403 => Ended::NotAllowed,
            404 => Ended::NotFound,
            _ => Ended::Failed,
        })
    }

    /// Prints what was answered.
    pub(super) fn show(&self, value: &Value, human: impl FnOnce(&Value) -> Result<()>) -> Result<Ended> {
        match self.output {
            // What has no answer is done.
            Output::Json if value.is_null() => crate::output::json(&json!({"done": true}))?,
            Output::Json => crate::output::json(value)?,
            Output::Human => human(value)?,
        }
        Ok(Ended::Done)
    }
}
