//! `cargo xtask kill`: a real server on a real directory, killed without warning while clients write.
//!
//! After each restart everything that was acknowledged must be there: once, in order, with nothing that nobody wrote.
//! A request that got no answer may have taken effect or not, but must stay as it is first seen afterwards. A webhook must
//! have been told of every activity in the end, at least once and in the order of each feed, whichever server told it.

mod follower;
mod hook;
mod poster;
mod speakers;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::{Either, try_join_all, try_select};
use tokio::process::Command;

use crate::api::{Api, Follow};
use crate::seed::{self, Dice};
use crate::serve::{self, Data, Server};
use follower::Follower;
use hook::Hook;
use poster::Poster;
use speakers::Speakers;

const POSTERS: u64 = 6;
const FOLLOWERS: u64 = 2;

/// A server is killed at most this long after it was ready.
const LIFE_MAX_MS: u64 = 600;

/// In one round of this many the server is also killed while it starts, at most [`START_MAX_MS`] after the start.
const DIES_YOUNG_EVERY: u64 = 4;
const START_MAX_MS: u64 = 120;

/// The timeline that follows every poster.
const READER: &str = "timeline:reader";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often the server is killed
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Repeats the dice of an earlier run, which printed its seed
    #[arg(long)]
    seed: Option<u64>,
}

impl Arguments {
    /// What CI runs.
    pub(crate) fn of_ci() -> Self {
        Self { rounds: 30, seed: None }
    }
}

/// Runs the rounds and a last check.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let seed = arguments.seed.unwrap_or_else(seed::fresh);
    println!("kill test: {} rounds, seed {seed}", arguments.rounds);
    let directory = tempfile::tempdir().context("no directory for the data")?;
    let settings = tempfile::tempdir().context("no directory for the settings")?;
    let hook = Hook::open(settings.path()).await?;
    let place = Place { directory: directory.path(), hook: &hook };
    let mut clients = Clients::new(seed);
    let mut dice = Dice::new(seed);
    let (server, api) = place.start().await?;
    api.follow_many(&reader_follows()).await?;
    server.stop().await?;
    for round in 1..=arguments.rounds {
        let context = || format!("round {round} of the run with --seed {seed}");
        one_round(&place, &mut clients, &mut dice).await.with_context(context)?;
        println!("round {round}: {}; {} posts to the webhook", clients.summary(), hook.posts());
    }
    let (server, api) = place.start().await?;
    let context = || format!("after the last kill of the run with --seed {seed}");
    clients.check(&api).await.with_context(context)?;
    clients.speakers.check_all(&api).await.with_context(context)?;
    hook.check(&clients.posted()).await.with_context(context)?;
    server.stop().await?;
    if clients.activities().min(clients.speakers.messages()) < arguments.rounds {
        bail!("only {}: too little to prove anything", clients.summary());
    }
    println!("killed {} times; {}, all there once and in order", arguments.rounds, clients.summary());
    Ok(())
}

async fn one_round(place: &Place<'_>, clients: &mut Clients, dice: &mut Dice) -> Result<()> {
    if dice.below(DIES_YOUNG_EVERY) == 0 {
        let delay = Duration::from_millis(dice.below(START_MAX_MS));
        Server::start_and_kill(place.command()?, delay).await?;
    }
    let (server, api) = place.start().await?;
    clients.check(&api).await.map_err(|failure| server.explain(&failure))?;
    let life = Duration::from_millis(dice.below(LIFE_MAX_MS));
    clients.write_until_killed(&api, server, life).await
}

/// What every life of the server finds again.
struct Place<'a> {
    directory: &'a Path,
    hook: &'a Hook,
}

impl Place<'_> {
    fn command(&self) -> Result<Command> {
        let mut command = serve::command(&serve::test_app(), &Data::Kept(self.directory))?;
        command.arg("--feeds").arg(self.hook.settings());
        Ok(command)
    }

    async fn start(&self) -> Result<(Server, Api)> {
        let server = Server::start(self.command()?).await?;
        let api = Api::new(server.url(), &serve::test_app())?;
        Ok((server, api))
    }
}

/// The reader follows before anyone posts, so that no copy limit cuts anything off.
fn reader_follows() -> Vec<Follow> {
    (0..POSTERS).map(|poster| Follow { source: READER.to_owned(), target: poster::feed(poster) }).collect()
}

/// Everyone who writes, with what they know.
struct Clients {
    posters: Vec<Poster>,
    followers: Vec<Follower>,
    speakers: Speakers,
}

impl Clients {
    fn new(seed: u64) -> Self {
        Self {
            posters: (0..POSTERS).map(|number| Poster::new(number, Dice::new(seed ^ (number + 1)))).collect(),
            followers: (0..FOLLOWERS).map(|number| Follower::new(number, Dice::new(seed ^ (number + 101)))).collect(),
            speakers: Speakers::default(),
        }
    }

    async fn write_until_killed(&mut self, api: &Api, server: Server, life: Duration) -> Result<()> {
        let killer = Box::pin(async {
            tokio::time::sleep(life).await;
            server.kill().await
        });
        let posters = try_join_all(self.posters.iter_mut().map(|poster| poster.write_until_unanswered(api)));
        let followers = try_join_all(self.followers.iter_mut().map(|follower| follower.write_until_unanswered(api)));
        let speakers = self.speakers.speak_until_unanswered(api);
        let writers = Box::pin(async { tokio::try_join!(posters, followers, speakers).map(drop) });
        // Writers end only with the server, so the killer comes first unless a writer has found a fault.
        match try_select(killer, writers).await {
            Ok(Either::Left(((), writers))) => writers.await,
            Ok(Either::Right(((), killer))) => killer.await,
            Err(Either::Left((error, _)) | Either::Right((error, _))) => Err(error),
        }
    }

    async fn check(&mut self, api: &Api) -> Result<()> {
        self.speakers.check(api).await?;
        for follower in &mut self.followers {
            follower.check(api).await?;
        }
        let mut square = Vec::new();
        let mut posted = Vec::new();
        for poster in &mut self.posters {
            poster.check(api).await?;
            posted.extend(poster.foreign_ids());
            square.extend(poster.foreign_ids_to_the_square());
        }
        holds_exactly(api, poster::SQUARE, square).await?;
        holds_exactly(api, READER, posted).await
    }

    /// What each poster has posted, by feed and in order.
    fn posted(&self) -> BTreeMap<String, Vec<String>> {
        let of = |poster: &Poster| (poster.feed(), poster.foreign_ids().collect());
        self.posters.iter().map(of).collect()
    }

    fn activities(&self) -> usize {
        self.posters.iter().map(|poster| poster.foreign_ids().count()).sum()
    }

    fn summary(&self) -> String {
        let changes: usize = self.followers.iter().map(Follower::changes).sum();
        let messages = self.speakers.messages();
        format!("{} activities, {changes} changes of follows and {messages} messages", self.activities())
    }
}

/// Fails unless `feed` holds these activities, each once, newest first.
async fn holds_exactly(api: &Api, feed: &str, mut expected: Vec<String>) -> Result<()> {
    let (found, _) = api.whole_feed(feed).await?;
    if let Some(pair) = found.windows(2).find(|pair| pair[0].time < pair[1].time) {
        bail!("{feed} is out of order: {:?} stands before {:?}", pair[0], pair[1]);
    }
    let mut found: Vec<String> = found.into_iter().map(|activity| activity.foreign_id).collect();
    found.sort_unstable();
    expected.sort_unstable();
    if found != expected {
        let lost: Vec<&String> = expected.iter().filter(|id| found.binary_search(id).is_err()).take(5).collect();
        let (found, expected) = (found.len(), expected.len());
        bail!("{feed} has {found} rows where {expected} are right; lost are, for example, {lost:?}");
    }
    Ok(())
}
