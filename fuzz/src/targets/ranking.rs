//! The ranking language (feeds-v1 §6): a method that can be read ranks a feed, or says why not.
//!
//! An input is a method, an empty line, variables of the caller, an empty line, and an activity's own fields.

use std::{cell::RefCell, sync::Arc};

use domain::{
    App, Error,
    feeds::{
        activities::{self, Draft, Moment as Added},
        groups,
        ranking::{self, External, Method, Moment},
        views::Views,
    },
};
use ids::{AppId, FeedId, Timestamp, json::Object};
use store::Store;

use crate::Target;

/// The target.
pub const TARGET: Target = Target {
    name: "ranking",
    about: "ranking methods, and feeds ranked by them",
    words: &[
        "decay_linear(",
        "decay_gauss(",
        "decay_exp(",
        "time",
        "popularity",
        "external.",
        "rand_normal(",
        "rand(",
        "dist(",
        "to_unix_timestamp(",
        " ? ",
        " : ",
        "&&",
        "||",
        "^",
        "%",
        "0/0",
        "1e308",
        "-1",
        "((((",
        "\"5d\"",
        "\"scale\":",
        "\"direction\":\"left\"",
        "\"decay\":\"0.3\"",
        "log(",
        "trunc(",
        "current_time",
    ],
    changed_seeds: 3000,
    run,
};

const NOW_MICROS: i64 = 1_600_000_000_000_000;

fn run(input: &[u8]) {
    let Some([config, external, custom]) = super::parts(input) else { return };
    let Ok(method) = Method::parse(config) else { return };
    let external = External::parse(external).unwrap_or_default();
    thread_local!(static POND: RefCell<Option<(tokio::runtime::Runtime, App)>> = RefCell::default());
    POND.with_borrow_mut(|pond| {
        let (runtime, app) = pond.get_or_insert_with(pond_of_one_activity);
        runtime.block_on(rank(app, &method, external, Object::parse(custom).unwrap_or_default()));
    });
}

async fn rank(app: &App, method: &Method, external: External, custom: Object) {
    let (now, feed) = (Timestamp::from_micros(NOW_MICROS), FeedId::parse("ranked:amy").unwrap());
    // The same activity each time: its foreign id and time name it.
    let time = Some(Timestamp::from_micros(NOW_MICROS - 86_400_000_000));
    let draft = Draft { time, foreign_id: "one".into(), custom, ..draft() };
    let added = Added { now, seed: 1 };
    app.write(async |tx| Ok(activities::add(tx, &feed, &draft, added).await?.0)).await.unwrap();
    let moment = Moment { now, seed: 7, external };
    match ranking::read(app, &feed, method, &moment, 10, 0).await {
        Ok((ranked, _)) => {
            assert!(ranked.iter().all(|one| one.score.is_finite()), "a score is no number");
            assert!(ranked.is_sorted_by(|one, next| one.score >= next.score), "the scores are in disorder");
        }
        Err(Error::Ranking(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

fn draft() -> Draft {
    Draft { actor: "amy".into(), verb: "post".into(), object: "fish".into(), ..Draft::default() }
}

fn pond_of_one_activity() -> (tokio::runtime::Runtime, App) {
    let store = Store::memory();
    let views = Views::new(&store, 1 << 20);
    let groups = groups::of_the_sdk_suites().into_iter().map(|(name, group)| (name.to_owned(), group)).collect();
    let (groups, settings) = (Arc::new(groups), Arc::default());
    let app = App { id: AppId(1), groups, settings, store, views, origin: None, address: None };
    (tokio::runtime::Builder::new_current_thread().build().unwrap(), app)
}
