//! Row 1: a page of 25 activities of a timeline that follows 20 feeds, with a signed request, as fast as it goes.
//!
//! Each connection reads a timeline of its own, again and again; every byte of every page is compared. The limit returns
//! one of these pages to everybody; the peer keeps the same timelines in Redis.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Row;
use crate::api::{SECRET, path};
use crate::bench::{Bench, Server};
use crate::bound::Bound;
use crate::data::{self, Shape};
use crate::http::{self, Connection};
use crate::load::Repeated;
use crate::redis;
use crate::report::Line;
use crate::token::Scope;
use crate::verify::Expected;

/// Activities on a page: the API's own default.
pub(super) const PAGE: usize = 25;

pub(crate) const ROW: Row = Row {
    number: 1,
    name: "feed page, 25 activities, signed request",
    must: "≥ 0.5× bare hyper, same bytes",
    goal: "≥ 0.75×; ≥ 4× the same front on Redis",
    wants_redis: true,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let pages = Pages::load(bench).await?;
    let hyper = bench.hyper(200, pages.body()).await?;
    let front = Front::start(bench, &pages).await?;
    let (mut subject, mut limit, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 1: round {round} of {}", bench.sizes.rounds));
        let found = bench.calmest("row 1", async |bench| {
            let ours = bench.throughput("feed page", pages.server.address, pages.scripts()?).await?;
            let bare = bench.throughput("feed page, hyper", hyper.address, pages.scripts_for_hyper()).await?;
            let Ok(front) = &front else { return Ok((ours, bare, None)) };
            let scripts = front.scripts.clone();
            Ok((ours, bare, Some(bench.throughput("feed page, Redis", front.server.address, scripts).await?)))
        });
        let (ours, bare, theirs) = found.await?;
        subject.push(ours);
        limit.push(bare);
        peer.extend(theirs);
    }
    let what = format!("feed page of {} bytes, {} connections", pages.body().len(), pages.all.len());
    let line = Line::new(what.clone(), "req/s", &subject);
    let beside_redis = match &front {
        Ok(_) => line.clone().over("same front on Redis", &peer),
        Err(missing) => line.clone().missing("same front on Redis", missing),
    };
    let beside_hyper = line.over("hyper, same bytes", &limit).must(Bound::AtLeast(0.5)).goal(Bound::AtLeast(0.75));
    Ok(vec![beside_hyper, beside_redis.goal(Bound::AtLeast(4.0))])
}

/// A page as the subject answered it when nothing was measured yet.
struct Page {
    /// The id of the timeline.
    feed: String,
    request: Vec<u8>,
    body: Vec<u8>,
}

/// A running subject with a timeline for each connection.
pub(super) struct Pages {
    pub(super) server: Server,
    all: Vec<Page>,
}

/// A page, taken apart.
#[derive(Deserialize)]
struct Parts<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
    next: String,
}

#[derive(Deserialize)]
struct Activity {
    id: String,
}

impl Pages {
    /// Starts the subject on new data and captures a page of each timeline.
    pub(super) async fn load(bench: &mut Bench) -> Result<Self> {
        bench.progress.now("loading timelines");
        let folder = tempfile::tempdir_in(bench.root())?.keep();
        let server = bench.serve(&folder).await?;
        let shape = Shape { authors: 100, posts: 30, followed: 20, timelines: bench.sizes.connections as u64 };
        let timelines = data::load(server.address, &shape, bench.sizes.load_max).await?;
        ensure!(timelines == shape.timelines, "only {timelines} timelines were loaded in time");
        let mut connection = Connection::open(server.address).await?;
        let mut all = Vec::new();
        for number in 0..timelines {
            all.push(Page::capture(&mut connection, data::timeline(number)).await?);
        }
        Ok(Self { server, all })
    }

    /// The page that the limit answers.
    pub(super) fn body(&self) -> &[u8] {
        &self.all[0].body
    }

    /// Each connection reads its own timeline.
    pub(super) fn scripts(&self) -> Result<Vec<Repeated>> {
        let script = |page: &Page| {
            let expected = Expected::with_duration(200, &page.body)?;
            Ok(Repeated { request: page.request.clone(), expected })
        };
        self.all.iter().map(script).collect()
    }

    /// The same requests to the limit, which answers every one with the same page.
    pub(super) fn scripts_for_hyper(&self) -> Vec<Repeated> {
        let expected = Expected::exactly(200, self.body());
        let script = |page: &Page| Repeated { request: page.request.clone(), expected: expected.clone() };
        self.all.iter().map(script).collect()
    }
}

impl Page {
    async fn capture(connection: &mut Connection, feed: String) -> Result<Self> {
        let token = Scope::reading("timeline", &feed).sign(SECRET)?;
        let request = http::get(&path(&format!("feed/timeline/{feed}/"), "&limit=25"), Some(&token));
        let response = connection.exchange(&request).await?;
        ensure!(response.status == 200, "reading {feed}: status {}", response.status);
        let page = Self { feed, request: request.clone(), body: response.body.to_vec() };
        let count = page.parts()?.results.len();
        ensure!(count == PAGE, "{count} activities on the page of {}", page.feed);
        Ok(page)
    }

    fn parts(&self) -> Result<Parts<'_>> {
        serde_json::from_slice(&self.body).context("a page that is no page")
    }

    fn ids(&self) -> Result<Vec<String>> {
        let id = |activity: &&RawValue| Ok(serde_json::from_str::<Activity>(activity.get())?.id);
        self.parts()?.results.iter().map(id).collect()
    }
}

/// The peer: a Redis with the same timelines, and the front that reads them.
struct Front {
    server: Server,
    /// Kept running for as long as the front is.
    _redis: redis::Server,
    scripts: Vec<Repeated>,
}

impl Front {
    async fn start(bench: &Bench, pages: &Pages) -> Result<Result<Self, crate::install::Missing>> {
        let program = match &bench.redis {
            Ok(program) => program,
            Err(missing) => return Ok(Err(missing.clone())),
        };
        let redis = redis::Server::start(program, &bench.folder("redis-pages")?, &bench.cores).await?;
        fill(&redis, pages).await?;
        let next = next_template(&pages.all[0])?;
        let server = bench.redis_front(redis.address, &next).await?;
        let scripts = pages.all.iter().map(|page| script_for_front(page, &next)).collect::<Result<_>>()?;
        Ok(Ok(Self { server, _redis: redis, scripts }))
    }
}

async fn fill(redis: &redis::Server, pages: &Pages) -> Result<()> {
    let mut activities = BTreeMap::new();
    let mut commands = redis::Commands::default();
    for page in &pages.all {
        let ids = page.ids()?;
        activities.extend(ids.iter().cloned().zip(page.parts()?.results.iter().map(|raw| raw.get())));
        commands.open(ids.len() + 2);
        commands.part(b"RPUSH");
        commands.part(format!("t:{}", page.feed).as_bytes());
        ids.iter().for_each(|id| commands.part(id.as_bytes()));
    }
    for (id, activity) in activities {
        commands.push(&[b"SET", format!("a:{id}").as_bytes(), activity.as_bytes()]);
    }
    redis.link().await?.run(&commands).await?;
    Ok(())
}

/// The subject's own `next`, with places for the feed and the last activity.
fn next_template(page: &Page) -> Result<String> {
    let last = page.ids()?.pop().context("an empty page")?;
    let next = page.parts()?.next;
    ensure!(next.contains(&page.feed) && next.contains(&last), "an unexpected `next`: {next}");
    Ok(next.replace(&page.feed, "{feed}").replace(&last, "{id}"))
}

fn script_for_front(page: &Page, next: &str) -> Result<Repeated> {
    let last = page.ids()?.pop().context("an empty page")?;
    let results: Vec<&str> = page.parts()?.results.iter().map(|raw| raw.get()).collect();
    let next = next.replace("{feed}", &page.feed).replace("{id}", &last);
    let body = format!(r#"{{"results":[{}],"next":"{next}","duration":"0.10ms"}}"#, results.join(","));
    Ok(Repeated { request: page.request.clone(), expected: Expected::with_duration(200, body.as_bytes())? })
}
