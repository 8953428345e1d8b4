//! A stand-in for `millpond`, for the bench's own tests: `serve` answers as much of the feeds API as the bench asks for,
//! from a naive model that really copies; `bench` and `bench-peer` are the library's.
//!
//! It checks no token, keeps everything in memory, and writes what it was told to a log that it reads again when started.

mod model;

use std::convert::Infallible;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use clap::{Parser, Subcommand};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use model::Model;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the model.
    Serve(Serve),
    /// The bench.
    Bench(bench::Args),
    /// A peer of the bench.
    #[command(hide = true)]
    BenchPeer(bench::PeerArgs),
}

#[derive(clap::Args)]
struct Serve {
    #[arg(long)]
    data_dir: PathBuf,
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    preset: String,
    #[arg(long)]
    rate_limits: String,
    #[arg(long)]
    app_key: String,
    #[arg(long)]
    app_secret: String,
    #[arg(long)]
    app_id: u64,
    /// Answers one read of a timeline in a hundred with a word changed, to see that someone notices.
    #[arg(long, env = "FAKE_POND_IS_WRONG")]
    is_wrong: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Arguments::parse().command {
        Command::Serve(serve) => Pond::open(&serve)?.serve(serve.listen).await,
        Command::Bench(args) => bench::run(args).await,
        Command::BenchPeer(args) => bench::peer(args).await,
    }
}

/// The model and its log.
struct Pond {
    state: Mutex<(Model, File)>,
    reads: AtomicU64,
    is_wrong: bool,
}

impl Pond {
    fn open(serve: &Serve) -> Result<Self> {
        std::fs::create_dir_all(&serve.data_dir)?;
        let path = serve.data_dir.join("log");
        let model = if path.exists() { replay(&path)? } else { Model::default() };
        let log = File::options().create(true).append(true).open(&path)?;
        Ok(Self { state: Mutex::new((model, log)), reads: AtomicU64::new(0), is_wrong: serve.is_wrong })
    }

    async fn serve(self, listen: SocketAddr) -> Result<()> {
        let listener = TcpListener::bind(listen).await?;
        writeln!(std::io::stdout(), "ready http://{}", listener.local_addr()?)?;
        let pond = Arc::new(self);
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let pond = Arc::clone(&pond);
            let service = service_fn(move |request| answer(Arc::clone(&pond), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Model, File)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, path: &str, query: &str) -> Result<String> {
        let page = self.lock().0.read(path, query)?;
        let number = self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(if self.is_wrong && number % 100 == 99 { page.replacen("dawn", "dusk", 1) } else { page })
    }

    fn write(&self, path: &str, query: &str, body: &str) -> Result<String> {
        let mut state = self.lock();
        let answer = state.0.write(path, query, body)?;
        writeln!(state.1, "{path}\t{query}\t{body}")?;
        Ok(answer)
    }
}

fn replay(path: &Path) -> Result<Model> {
    let mut model = Model::default();
    for line in BufReader::new(File::open(path)?).lines() {
        let line = line?;
        let mut parts = line.splitn(3, '\t');
        let mut part = || parts.next().unwrap_or_default();
        model.write(part(), part(), part())?;
    }
    Ok(model)
}

async fn answer(pond: Arc<Pond>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let (good, result) = match head.method {
        _ if path == "/readyz" => (200, Ok("ok".to_owned())),
        Method::GET => (200, pond.read(path, query)),
        _ => (201, pond.write(path, query, &String::from_utf8_lossy(&body))),
    };
    let (status, text) = result.map_or_else(|error| (400, error.to_string()), |text| (good, text));
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}
