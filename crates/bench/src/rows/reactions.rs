//! Row 6: 64 writers react, each reaction synced before it is acknowledged.
//!
//! Every reaction is of a new user, to one of 1,000 activities in turn. After each round some activities are read, to see that
//! exactly the acknowledged reactions are counted. PostgreSQL gets one `INSERT` for each, into a table with the two indexes
//! that the same reads want, and keeps the count that they show, in one transaction, from as many connections of its own `pgbench`.
//! What it does when it counts nothing stands beside that, for information.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Row;
use crate::api::{Api, SECRET, path};
use crate::bench::Bench;
use crate::bound::Bound;
use crate::data::activity;
use crate::http::{self, Response};
use crate::load::Script;
use crate::postgres;
use crate::report::Line;
use crate::token::Scope;

/// Activities that are reacted to.
const ACTIVITIES: u64 = 1_000;
/// Activities in one request.
const BATCH: u64 = 100;
/// Activities that are read after a round.
const READ: u64 = 10;

/// The table that a reaction is a row of, and the counts that reads show beside it.
const SCHEMA: &str = "
    CREATE TABLE reaction (
        id uuid PRIMARY KEY, activity bigint NOT NULL, kind text NOT NULL, by text NOT NULL, data jsonb NOT NULL,
        created timestamptz NOT NULL
    );
    CREATE INDEX ON reaction (activity, kind, created);
    CREATE INDEX ON reaction (by, created);
    CREATE TABLE activity (id bigint PRIMARY KEY, likes bigint NOT NULL);
    INSERT INTO activity SELECT number, 0 FROM generate_series(1, 1000) AS number;
";
const INSERT: &str = "\\set activity random(1, 1000)\n\\set by random(1, 1000000000)\n";
const PLAIN: &str = "INSERT INTO reaction VALUES (gen_random_uuid(), :activity, 'like', 'u' || :by, '{}', now());\n";
const COUNTED: &str = "BEGIN;\n\
    INSERT INTO reaction VALUES (gen_random_uuid(), :activity, 'like', 'u' || :by, '{}', now());\n\
    UPDATE activity SET likes = likes + 1 WHERE id = :activity;\n\
    COMMIT;\n";

pub(crate) const ROW: Row = Row {
    number: 6,
    name: "reaction add, 64 writers, durable",
    must: "≥ 3× PostgreSQL",
    goal: "≥ 10×",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let server = bench.serve(&bench.folder("data-reactions")?).await?;
    let mut api = server.api().await?;
    let writers = Writers::new(&mut api).await?;
    bench.progress.now("starting PostgreSQL");
    let postgres = postgres::Server::start(bench, "postgres-reactions", SCHEMA).await?;
    let plain = script(bench, "plain.sql", PLAIN)?;
    let counted = script(bench, "counted.sql", COUNTED)?;
    let (mut subject, mut peer, mut counting) = (Vec::new(), Vec::new(), Vec::new());
    let count = bench.sizes.connections;
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 6: round {round} of {}", bench.sizes.rounds));
        subject.push(bench.throughput("reaction", server.address, writers.scripts(count)?).await?);
        writers.check(&mut api).await?;
        if let Ok(postgres) = &postgres {
            peer.push(postgres.throughput(&plain, &bench.sizes)?);
            counting.push(postgres.throughput(&counted, &bench.sizes)?);
        }
    }
    if let Ok(postgres) = &postgres {
        let rows = postgres.number("SELECT count(*) FROM reaction")?;
        ensure!(rows > 0, "PostgreSQL kept nothing");
        bench.notes.push(format!("row 6: PostgreSQL kept {rows} reactions; fsync and synchronous_commit are on"));
    }
    let line = || Line::new(format!("reaction, durable, {count} writers"), "req/s", &subject);
    let beside = |name: &str, samples: &[f64]| match &postgres {
        Ok(_) => line().over(name, samples),
        Err(missing) => line().missing(name, missing),
    };
    Ok(vec![
        beside("PostgreSQL, INSERT and a count", &counting).must(Bound::AtLeast(3.0)).goal(Bound::AtLeast(10.0)),
        beside("PostgreSQL, one INSERT, no count", &peer),
    ])
}

/// A file that `pgbench` runs again and again.
fn script(bench: &Bench, name: &str, statements: &str) -> Result<PathBuf> {
    let file = std::path::absolute(bench.root().join(name))?;
    std::fs::write(&file, format!("{INSERT}{statements}"))?;
    Ok(file)
}

/// Users who have not reacted yet, without end.
struct Writers {
    /// The number of the next; each reacts once.
    next: Arc<AtomicU64>,
    activities: Arc<[String]>,
}

impl Writers {
    /// Adds what they react to.
    async fn new(api: &mut Api) -> Result<Self> {
        let mut activities = Vec::new();
        for first in (0..ACTIVITIES).step_by(BATCH as usize) {
            let some: Vec<Value> = (first..first + BATCH).map(|number| activity("popular", number)).collect();
            let added = api.post("feed/user/popular/", "", &json!({ "activities": some })).await?;
            let added = added["activities"].as_array().context("no activities")?;
            activities.extend(added.iter().filter_map(|activity| Some(activity["id"].as_str()?.to_owned())));
        }
        ensure!(activities.len() as u64 == ACTIVITIES, "{} activities instead of {ACTIVITIES}", activities.len());
        Ok(Self { next: Arc::default(), activities: activities.into() })
    }

    fn scripts(&self, count: usize) -> Result<Vec<Writer>> {
        let token = Scope::everything().sign(SECRET)?;
        let writer = || Writer {
            next: Arc::clone(&self.next),
            activities: Arc::clone(&self.activities),
            token: token.clone(),
            request: Vec::new(),
            user: String::new(),
        };
        Ok(std::iter::repeat_with(writer).take(count).collect())
    }

    /// Each reaction that was acknowledged is counted, once.
    async fn check(&self, api: &mut Api) -> Result<()> {
        let reacted = self.next.load(Ordering::Relaxed);
        for number in (0..ACTIVITIES).step_by((ACTIVITIES / READ) as usize) {
            let id = &self.activities[usize::try_from(number)?];
            let query = format!("&ids={id}&withReactionCounts=true");
            let counted =
                api.get("enrich/activities/", &query).await?["results"][0]["reaction_counts"]["like"].as_u64();
            let expected = (reacted + ACTIVITIES - 1 - number) / ACTIVITIES;
            ensure!(counted.unwrap_or(0) == expected, "{counted:?} reactions instead of {expected} to {id}");
        }
        Ok(())
    }
}

/// Reacts as one user after the other.
struct Writer {
    next: Arc<AtomicU64>,
    activities: Arc<[String]>,
    token: String,
    request: Vec<u8>,
    /// Who reacts.
    user: String,
}

impl Script for Writer {
    fn request(&mut self) -> &[u8] {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.user = format!("u{number:09}");
        let activity = &self.activities[(number % ACTIVITIES) as usize];
        let body = format!(r#"{{"kind":"like","activity_id":"{activity}","user_id":"{}","data":{{}}}}"#, self.user);
        self.request = http::post(&path("reaction/", ""), Some(&self.token), &body);
        &self.request
    }

    fn check(&mut self, response: &Response<'_>) -> Result<()> {
        ensure!(response.status == 201, "reacting: status {}", response.status);
        let is_theirs = memchr::memmem::find(response.body, self.user.as_bytes()).is_some();
        ensure!(is_theirs, "a reaction that is not {}'s", self.user);
        Ok(())
    }
}
