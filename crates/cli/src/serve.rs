//! `serve`: from settings to a running server, and to its end.

use std::fs::OpenOptions;
use std::future::pending;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use client::admin::{FILE_NAME, File};
use serde_json::json;
use server::apps::NewApp;
use server::blobs::Blobs;
use server::front;
use server::seal::Seal;
use server::{Feeds, Options, Running, Translator, WebhookOptions};
use store::Store;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::{FirstApp, Limits, Network, Preset, Serve};
use crate::{block_on, feeds, logs, output};

/// The folder of files beside the store, in the data directory.
pub(crate) const FILES: &str = "files";

/// Runs the server until a signal, then drains.
pub(crate) fn run(serve: &Serve) -> Result<()> {
    logs::start(&serve.logs)?;
    let place = Place::of(serve)?;
    block_on(run_in(place.dir(), serve))?;
    // Not before the runtime is gone: a task that still holds the store keeps its engine writing files.
    place.close()
}

async fn run_in(dir: &Path, serve: &Serve) -> Result<()> {
    let signals = Signals::listen()?;
    let running = start(serve, dir).await?;
    let address = running.addresses().first().copied().context("no address to listen on; name one with --listen")?;
    let admin = AdminFile::write(dir, &running, address)?;
    let url = serve.network.public_url.clone().unwrap_or_else(|| base_url(address));
    announce(serve, &running, &url, address)?;
    // Nobody may be waiting for it: without a service manager this does nothing.
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    let drained = running.serve(signals.shutdown()).await;
    drop(admin);
    tracing::info!(finished = drained.finished, cut = drained.cut, "drained");
    Ok(())
}

async fn start(serve: &Serve, dir: &Path) -> Result<Running> {
    let cache_bytes = serve.storage.cache_bytes.0;
    let block_bytes = cache_bytes / 3;
    let store = Store::open(dir, &store::Options { cache_bytes: block_bytes, ..store::Options::default() })?;
    let options = Options {
        front: front_options(&serve.network, &serve.limits),
        outbound_allowed: serve.network.outbound_allow.clone(),
        webhooks: WebhookOptions { sns_endpoint: serve.network.sns_endpoint.clone(), ..WebhookOptions::default() },
        translator: translator(&serve.network, &serve.first_app),
        rate_limits: serve.limits.rate_limits,
        app: first_app(&serve.first_app),
        feeds: feeds_of(&serve.first_app)?,
        cache_bytes: cache_bytes - block_bytes,
        blobs: Blobs::folder(dir.join(FILES)),
        public_url: serve.network.public_url.clone(),
        compacts_after_erasure: serve.erasure.erasure_compact,
        ..Options::new(seal(serve.data.server_key.as_deref(), dir)?)
    };
    server::start(store, options).await
}

/// The key that seals secrets: the one in the settings, or the data directory's own.
pub(crate) fn seal(server_key: Option<&str>, dir: &Path) -> Result<Seal> {
    Ok(match server_key {
        Some(key) => Seal::from_base64(key)?,
        None => Seal::from_dir(dir)?,
    })
}

/// Who translates: a service, or for the test suites of client libraries some words that they say.
fn translator(network: &Network, app: &FirstApp) -> Option<Translator> {
    let service = network.translator.clone().filter(|url| !url.is_empty());
    let service = service
        .map(|url| Translator::Service { url, key: network.translator_key.clone().filter(|key| !key.is_empty()) });
    service.or_else(|| (app.preset == Some(Preset::SdkSuites)).then_some(Translator::Words))
}

/// The app to make, if the settings say anything about one.
fn first_app(app: &FirstApp) -> Option<NewApp> {
    let is_asked = app.app_key.is_some() || app.app_secret.is_some() || app.app_id.is_some() || app.preset.is_some();
    is_asked.then(|| NewApp {
        id: app.app_id,
        name: None,
        key: app.app_key.clone(),
        secret: app.app_secret.clone(),
        is_for_sdk_suites: app.preset == Some(Preset::SdkSuites),
    })
}

/// What the feeds of that app are, if a file says so.
fn feeds_of(app: &FirstApp) -> Result<Feeds> {
    match app.feeds.as_deref() {
        None | Some("") => Ok(Feeds::default()),
        Some(file) => feeds::read(Path::new(file)),
    }
}

fn front_options(network: &Network, limits: &Limits) -> front::Options {
    front::Options {
        listen: network.listen.clone(),
        drain_deadline: Duration::from_secs(network.drain_seconds),
        lame_duck: Duration::from_secs(network.lame_duck_seconds),
        connections_max: limits.connections_max as usize,
        connections_per_peer_max: limits.connections_per_peer_max as usize,
        first_byte_deadline: Duration::from_secs(limits.first_byte_seconds),
        header_deadline: Duration::from_secs(limits.header_seconds),
        idle_deadline: Duration::from_secs(limits.idle_seconds),
        body_progress_deadline: Duration::from_secs(limits.body_progress_seconds),
        write_stall_deadline: Duration::from_secs(limits.write_stall_seconds),
        body_max_bytes: limits.body_max_bytes.0,
        header_max_bytes: usize::try_from(limits.header_max_bytes.0).unwrap_or(usize::MAX),
        compress_min_bytes: limits.compress_min_bytes.0,
        ..front::Options::default()
    }
}

/// The URL at which this machine reaches `address`.
fn base_url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
}

/// Says how the server is used, and that it is ready.
fn announce(serve: &Serve, running: &Running, url: &str, address: SocketAddr) -> Result<()> {
    let app = running.app().to_wire();
    let token = running.app().token(None, None);
    let ready = base_url(address);
    if serve.json {
        let (key, secret, id) = (&app.key, &app.secret, app.id);
        output::json(&json!({
            "event": "app", "url": url, "key": key, "secret": secret, "app_id": id, "token": token
        }))?;
        return output::json(&json!({ "event": "ready", "url": ready }));
    }
    output::line(&format!(
        "Millpond {}\n\n  url     {url}\n  key     {}\n  secret  {}\n  app id  {}\n  token   {token}\n\nready {ready}",
        env!("CARGO_PKG_VERSION"),
        app.key,
        app.secret,
        app.id,
    ))
}

/// Where the data is, and whether it stays.
enum Place {
    Kept(PathBuf),
    Ephemeral(TempDir),
}

impl Place {
    fn of(serve: &Serve) -> Result<Self> {
        if serve.storage.ephemeral {
            let dir = tempfile::Builder::new().prefix("millpond-").tempdir();
            return Ok(Self::Ephemeral(dir.context("cannot make a fresh data directory")?));
        }
        Ok(Self::Kept(serve.data.data_dir.clone()))
    }

    fn dir(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Ephemeral(dir) => dir.path(),
        }
    }

    fn close(self) -> Result<()> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Ephemeral(dir) => dir.close().context("cannot remove the ephemeral data directory"),
        }
    }
}

/// The file by which the command line finds a running server; removed at its end.
struct AdminFile(PathBuf);

impl AdminFile {
    fn write(dir: &Path, running: &Running, address: SocketAddr) -> Result<Self> {
        let path = dir.join(FILE_NAME);
        let content = File { url: base_url(address), token: running.admin_token().to_owned() };
        let failed = || format!("cannot write {}", path.display());
        // A file left behind may have other permissions: these are only set on a new one.
        let _ = std::fs::remove_file(&path);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).with_context(failed)?;
        file.write_all(&serde_json::to_vec(&content)?).with_context(failed)?;
        Ok(Self(path))
    }
}

impl Drop for AdminFile {
    fn drop(&mut self) {
        // If it stays, the next server replaces it.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The signals that end a server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    /// Resolves at the first signal; the second ends the process at once.
    async fn shutdown(mut self) {
        self.next().await;
        tracing::info!("draining; a second signal ends it at once");
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(1);
        });
    }

    async fn next(&mut self) {
        let came = tokio::select! {
            came = self.terminate.recv() => came,
            came = self.interrupt.recv() => came,
        };
        if came.is_none() {
            // The runtime delivers no more signals: it is ending.
            pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_for_all_is_reached_on_loopback() {
        for (address, url) in [
            ("0.0.0.0:1", "http://127.0.0.1:1"),
            ("[::]:2", "http://[::1]:2"),
            ("127.0.0.1:3", "http://127.0.0.1:3"),
            ("10.0.0.1:4", "http://10.0.0.1:4"),
        ] {
            assert_eq!(base_url(address.parse().unwrap()), url);
        }
    }
}
