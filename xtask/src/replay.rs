//! `cargo xtask replay`: loads recorded commits through the public API, with follows in between, and compares
//! every timeline, row by row, with a naive model that really copies.
//!
//! Who posts and follows what is decided in `plan`; what that must lead to, in `model`. Neither knows the server.

mod check;
mod events;
mod ids;
mod load;
mod model;
mod plan;
mod progress;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;

use crate::api::{Api, App};
use crate::serve::{self, Data, Server};
use model::Model;
use plan::Plan;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many events to load, from the oldest; all by default
    #[arg(long)]
    events: Option<usize>,
    /// How many requests may be under way at once
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// The recorded commits: one JSON object a line, gzipped if the name ends in .gz
    #[arg(long)]
    data: Option<PathBuf>,
    /// A running server to load instead of starting one; its app must be empty
    #[arg(long, requires_all = ["key", "secret", "app_id"])]
    url: Option<String>,
    /// The running server's API key
    #[arg(long)]
    key: Option<String>,
    /// The running server's API secret
    #[arg(long)]
    secret: Option<String>,
    /// The running server's app id
    #[arg(long)]
    app_id: Option<String>,
}

/// Replays what the arguments name.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let path = match &arguments.data {
        Some(path) => path.clone(),
        None => events::default_path()?,
    };
    let events = events::read(&path, arguments.events)?;
    let target = match (arguments.url, arguments.key, arguments.secret, arguments.app_id) {
        (Some(url), Some(key), Some(secret), Some(id)) => Some((url, App { key, secret, id })),
        _ => None,
    };
    match target {
        Some((url, app)) => replay(&Api::new(&url, &app)?, &events, arguments.concurrency).await,
        None => on_a_fresh_server(&events, arguments.concurrency).await,
    }
}

/// Replays the small cut that lies in the repository: the same code on data that CI has.
pub(crate) async fn run_small() -> Result<()> {
    let events = events::read(&events::small_path(), None)?;
    on_a_fresh_server(&events, 16).await
}

async fn on_a_fresh_server(events: &[events::Event], concurrency: usize) -> Result<()> {
    let app = serve::test_app();
    let server = Server::start(serve::command(&app, &Data::Ephemeral)?).await?;
    let api = Api::new(server.url(), &app)?;
    replay(&api, events, concurrency).await.map_err(|failure| server.explain(&failure))?;
    server.stop().await
}

async fn replay(api: &Api, events: &[events::Event], concurrency: usize) -> Result<()> {
    let plan = Plan::new(events);
    println!("{plan}");
    let loading = Instant::now();
    load::load(api, events, &plan, concurrency).await?;
    progress::report("loaded", plan.requests(), "requests", loading.elapsed());

    let model = Model::of(events, &plan);
    println!("the model holds {} rows that came by follows, in {} timelines", model.copies(), model.timelines().len());
    let checking = Instant::now();
    let seen = check::check(api, events, &model, concurrency).await?;
    progress::report("read and compared", seen.rows, "rows", checking.elapsed());
    println!("all {} feeds are as the model has them ({} pages)", seen.feeds, seen.pages);
    Ok(())
}
