//! Row 5: a page of an aggregated and of a notification feed, beside the same activities on a flat page.
//!
//! Each connection reads the feeds of its own: a timeline, an aggregated and a notification feed that follow the same 20 of 100
//! feeds. The newest 25 activities fall into five groups, so that the three pages show the same activities. The limit
//! returns the aggregated page to everybody.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::Row;
use super::feed_page::PAGE;
use crate::api::{Api, SECRET, path};
use crate::bench::{Bench, Server};
use crate::bound::Bound;
use crate::data::{activity, author, edge};
use crate::http::{self, Connection};
use crate::load::Repeated;
use crate::report::Line;
use crate::token::Scope;
use crate::verify::Expected;

/// Feeds that are followed.
const AUTHORS: u64 = 100;
/// Of these, each reader follows so many.
const FOLLOWED: u64 = 20;
/// Activities of each.
const POSTS: u64 = 30;
/// The feeds that a reader follows lie so far apart.
const STEP: u64 = AUTHORS / FOLLOWED;
/// Authors that act at the same time do so in so many ways, five of a reader's in each.
const VERBS: u64 = 4;
/// Groups on a page: they hold [`PAGE`] activities.
const GROUPS: usize = 5;

pub(crate) const ROW: Row = Row {
    number: 5,
    name: "aggregated and notification page",
    must: "≥ 0.5× own flat page",
    goal: "≥ 0.6× bare hyper, same bytes",
    wants_redis: false,
    measure: |bench| Box::pin(measure(bench)),
};

async fn measure(bench: &mut Bench) -> Result<Vec<Line>> {
    let readers = Readers::load(bench).await?;
    let [flat, aggregated, notification] = [
        readers.pages("timeline", PAGE).await?,
        groups(&readers, "aggregated").await?,
        groups(&readers, "notification").await?,
    ];
    let body = aggregated.first().context("nobody reads")?.1.clone();
    let hyper = bench.hyper(200, &body).await?;
    let of_hyper: Vec<Repeated> = aggregated
        .iter()
        .map(|(request, _)| Repeated { request: request.clone(), expected: Expected::exactly(200, &body) })
        .collect();
    let address = readers.server.address;
    let mut found: [Vec<f64>; 4] = Default::default();
    for round in 1..=bench.sizes.rounds {
        bench.progress.now(&format!("row 5: round {round} of {}", bench.sizes.rounds));
        let round = bench.calmest("row 5", async |bench| {
            Ok([
                bench.throughput("flat page", address, scripts(&flat)?).await?,
                bench.throughput("aggregated page", address, scripts(&aggregated)?).await?,
                bench.throughput("notification page", address, scripts(&notification)?).await?,
                bench.throughput("aggregated page, hyper", hyper.address, of_hyper.clone()).await?,
            ])
        });
        found.iter_mut().zip(round.await?).for_each(|(samples, sample)| samples.push(sample));
    }
    let [plain, groups, notes, limit] = found;
    let line = |what: &str, samples: &[f64]| {
        Line::new(format!("{what} page of {GROUPS} groups, {} bytes", body.len()), "req/s", samples)
    };
    let beside_flat = |what, samples| {
        line(what, samples).over("own flat page, the same activities", &plain).must(Bound::AtLeast(0.5))
    };
    let beside_hyper = |what, samples| line(what, samples).over("hyper, same bytes", &limit).goal(Bound::AtLeast(0.6));
    Ok(vec![
        beside_flat("aggregated", &groups),
        beside_hyper("aggregated", &groups),
        beside_flat("notification", &notes),
        beside_hyper("notification", &notes),
    ])
}

/// A request and what it was answered when nothing was measured yet.
type Captured = (Vec<u8>, Vec<u8>);

fn scripts(pages: &[Captured]) -> Result<Vec<Repeated>> {
    let script = |(request, body): &Captured| {
        Ok(Repeated { request: request.clone(), expected: Expected::with_duration(200, body)? })
    };
    pages.iter().map(script).collect()
}

/// Pages of [`GROUPS`] groups, each looked through: they show [`PAGE`] activities.
async fn groups(readers: &Readers, slug: &str) -> Result<Vec<Captured>> {
    let pages = readers.pages(slug, GROUPS).await?;
    for (_, body) in &pages {
        let page: Value = serde_json::from_slice(body)?;
        let groups = page["results"].as_array().context("a page without results")?;
        let shown: usize = groups.iter().filter_map(|group| group["activities"].as_array()).map(Vec::len).sum();
        ensure!(groups.len() == GROUPS && shown == PAGE, "{shown} activities in {} groups of {slug}", groups.len());
    }
    Ok(pages)
}

/// A running subject with feeds for each connection.
struct Readers {
    server: Server,
    count: u64,
}

impl Readers {
    async fn load(bench: &mut Bench) -> Result<Self> {
        bench.progress.now("loading groups");
        let server = bench.serve(&bench.folder("data-groups")?).await?;
        let readers = Self { count: bench.sizes.connections as u64, server };
        let mut api = readers.server.api().await?;
        for number in 0..AUTHORS {
            post(&mut api, number).await?;
        }
        for slug in ["timeline", "aggregated", "notification"] {
            let edges: Vec<Value> = (0..readers.count).flat_map(|reader| follows(slug, reader)).collect();
            for some in edges.chunks(1_000) {
                api.post("follow_many/", "&activity_copy_limit=100", &json!(some)).await?;
            }
        }
        Ok(readers)
    }

    /// The page of each reader's feed in a group.
    async fn pages(&self, slug: &str, limit: usize) -> Result<Vec<Captured>> {
        let mut connection = Connection::open(self.server.address).await?;
        let mut pages = Vec::new();
        for reader in 0..self.count {
            let token = Scope::reading(slug, &id(reader)).sign(SECRET)?;
            let endpoint = format!("feed/{slug}/{}/", id(reader));
            let request = http::get(&path(&endpoint, &format!("&limit={limit}")), Some(&token));
            let response = connection.exchange(&request).await?;
            ensure!(response.status == 200, "reading {endpoint}: status {}", response.status);
            let body = response.body.to_vec();
            pages.push((request, body));
        }
        Ok(pages)
    }
}

fn id(reader: u64) -> String {
    format!("r{reader:06}")
}

async fn post(api: &mut Api, number: u64) -> Result<()> {
    let author = author(number);
    let one = |post: u64| {
        let mut activity = activity(&author, post * AUTHORS + number);
        activity["verb"] = json!(verb(post, number));
        activity
    };
    let activities: Vec<Value> = (0..POSTS).map(one).collect();
    api.post(&format!("feed/user/{author}/"), "", &json!({ "activities": activities })).await?;
    Ok(())
}

/// The follows of a reader: evenly spread.
fn follows(slug: &str, reader: u64) -> impl Iterator<Item = Value> {
    let source = format!("{slug}:{}", id(reader));
    followed(reader).map(move |number| edge(&source, &format!("user:{}", author(number))))
}

fn followed(reader: u64) -> impl Iterator<Item = u64> {
    (0..FOLLOWED).map(move |index| (reader + index * STEP) % AUTHORS)
}

fn verb(post: u64, number: u64) -> String {
    format!("act{post}-{}", number / STEP % VERBS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_newest_activities_of_every_reader_fall_into_five_groups() {
        for reader in 0..AUTHORS {
            let posts = |author| (0..POSTS).map(move |post| (post * AUTHORS + author, verb(post, author)));
            let mut all: Vec<(u64, String)> = followed(reader).flat_map(posts).collect();
            all.sort_unstable_by(|one, other| other.cmp(one));
            // Groups in the order of their newest activity, with how many they hold.
            let (mut groups, mut sizes) = (Vec::new(), BTreeMap::new());
            for (_, verb) in all {
                *sizes.entry(verb.clone()).or_insert(0) += 1;
                if !groups.contains(&verb) {
                    groups.push(verb);
                }
            }
            let shown: usize = groups[..GROUPS].iter().map(|group| sizes[group]).sum();
            assert_eq!(shown, PAGE, "reader {reader}");
        }
    }
}
