use std::collections::BTreeMap;

use proptest::prelude::*;
use store::Direction;

use super::*;
use crate::{
    chat::{
        messages::{self, Draft},
        pond::{Pond, broken, message, user},
    },
    filter::{Filter, Sort},
    keyspace::POLL_SHOWN,
};

const POLL_ID: &str = "p";

fn option(id: &str) -> NewOption {
    NewOption { id: id.to_owned(), text: id.to_uppercase(), custom: Object::default() }
}

fn content(change: impl FnOnce(&mut Content)) -> Content {
    let mut content =
        Content { name: "Q?".into(), options: Some(vec![option("a"), option("b"), option("c")]), ..Content::default() };
    change(&mut content);
    content
}

/// A pond where the message `m` of amy shows a poll of hers with the options a, b and c.
async fn pond(change: impl FnOnce(&mut Content)) -> Pond {
    let pond = Pond::new().await;
    pond.set_type(|config| config.polls = true).await;
    pond.makes("amy", POLL_ID, change).await.unwrap();
    let shown = Draft { poll: Some(POLL_ID.into()), ..Draft::text(Some(user("amy")), "vote!") };
    pond.send_as(Some("amy"), "m", &shown).await.unwrap();
    pond
}

impl Pond {
    async fn makes(&self, who: &str, id: &str, change: impl FnOnce(&mut Content)) -> Result<Poll> {
        let (now, content) = (self.tick(), content(change));
        self.app.write(async |tx| create(tx, &user(who), id, &content, now).await).await
    }

    async fn casts(&self, who: &str, vote: &str, ballot: Ballot) -> Result<Done> {
        let (now, who) = (self.tick(), user(who));
        let place = (&message("m"), POLL_ID);
        self.app.write(async |tx| cast(tx, Some(&who), &who, place, (vote, &ballot), now).await).await
    }

    async fn votes(&self, who: &str, vote: &str, option: &str) -> Result<Done> {
        self.casts(who, vote, Ballot::Option(option.into())).await
    }

    async fn takes(&self, who: &str, vote: &str) -> Result<Done> {
        let (now, who) = (self.tick(), user(who));
        let place = (&message("m"), POLL_ID);
        self.app.write(async |tx| take_back(tx, Some(&who), Some(&who), place, vote, now).await).await
    }

    async fn sees(&self, viewer: Option<&str>) -> Shown {
        let mut tx = self.app.snapshot();
        let poll = load(&mut tx, POLL_ID).await.unwrap();
        show(&mut tx, POLL_ID, poll, viewer.map(user).as_ref()).await.unwrap()
    }

    /// Votes by option, in one line: `a1 b0 c2`.
    async fn counts(&self) -> String {
        let shown = self.sees(None).await;
        let of = |option: &ShownOption| format!("{}{}", option.option.id, option.votes);
        shown.options.iter().map(of).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn a_vote_counts_once_for_its_option_and_comes_first_among_the_latest() {
    let pond = pond(|_| {}).await;
    pond.votes("amy", "1", "a").await.unwrap();
    pond.votes("bob", "2", "a").await.unwrap();
    let again = pond.votes("bob", "3", "a").await.unwrap();
    assert_eq!((again.cast.id.as_str(), pond.counts().await.as_str()), ("2", "a2 b0 c0"));
    pond.votes("bob", "4", "b").await.unwrap();
    let shown = pond.sees(Some("bob")).await;
    let latest: Vec<_> = shown.options[0].latest.iter().map(|cast| cast.id.as_str()).collect();
    let own: Vec<_> = shown.own.iter().map(|cast| cast.id.as_str()).collect();
    assert_eq!((latest, own, shown.votes()), (vec!["2", "1"], vec!["2", "4"], 3));
    let told = pond.told().await;
    assert_eq!(told.iter().filter(|kind| *kind == "poll.vote_casted").count(), 3);
}

#[tokio::test]
async fn a_unique_vote_takes_the_place_of_the_one_before() {
    let pond = pond(|poll| poll.is_unique = true).await;
    pond.votes("bob", "1", "a").await.unwrap();
    pond.votes("bob", "2", "b").await.unwrap();
    assert_eq!(pond.counts().await, "a0 b1 c0");
    assert!(pond.told().await.contains(&"poll.vote_changed".to_owned()));
}

#[tokio::test]
async fn a_user_has_as_many_votes_as_the_poll_gives() {
    let pond = pond(|poll| poll.votes_max = Some(2)).await;
    pond.votes("bob", "1", "a").await.unwrap();
    pond.votes("bob", "2", "b").await.unwrap();
    assert!(broken(pond.votes("bob", "3", "c").await).contains("max_votes_allowed"));
    pond.takes("bob", "1").await.unwrap();
    pond.votes("bob", "3", "c").await.unwrap();
    assert_eq!(pond.counts().await, "a0 b1 c1");
}

#[tokio::test]
async fn an_answer_replaces_the_one_before_and_is_no_vote_for_an_option() {
    let pond = pond(|poll| poll.takes_answers = true).await;
    let first = pond.casts("bob", "1", Ballot::Answer("yes".into())).await.unwrap();
    let second = pond.casts("bob", "2", Ballot::Answer("no".into())).await.unwrap();
    assert_eq!((first.cast.id, second.cast.vote.answer.as_deref()), (second.cast.id, Some("no")));
    let shown = pond.sees(None).await;
    assert_eq!((shown.answers, shown.votes(), shown.latest_answers.len()), (1, 0, 1));
}

#[tokio::test]
async fn nobody_votes_where_there_is_no_such_poll_or_it_is_closed() {
    let pond = pond(|_| {}).await;
    pond.say("amy", "n", "no poll").await;
    assert!(broken(pond.votes("bob", "1", "z").await).contains("poll option"));
    assert!(broken(pond.votes("eve", "1", "a").await).contains("not allowed"));
    assert!(broken(pond.casts("bob", "1", Ballot::Answer("x".into())).await).contains("takes no answers"));
    let now = pond.tick();
    let (elsewhere, ballot) = (message("n"), Ballot::Option("a".into()));
    let (bob, place) = (user("bob"), (&elsewhere, POLL_ID));
    let voted = pond.app.write(async |tx| cast(tx, None, &bob, place, ("1", &ballot), now).await).await;
    assert!(broken(voted).contains("not attached"));
    let close = Patch { is_closed: Some(true), ..Patch::default() };
    pond.write(async |tx| patch(tx, Some(&user("amy")), POLL_ID, &close, now).await).await;
    assert!(broken(pond.votes("bob", "1", "a").await).contains("closed"));
    assert!(pond.told().await.contains(&"poll.closed".to_owned()));
}

#[tokio::test]
async fn a_poll_is_its_makers_and_of_those_who_see_it() {
    let pond = pond(|_| {}).await;
    let now = pond.tick();
    let close = Patch { is_closed: Some(true), ..Patch::default() };
    let by_bob = pond.app.write(async |tx| patch(tx, Some(&user("bob")), POLL_ID, &close, now).await).await;
    assert!(broken(by_bob).contains("may not change"));
    let mut tx = pond.app.snapshot();
    assert!(read(&mut tx, Some(&user("bob")), POLL_ID, now).await.is_ok());
    assert!(broken(read(&mut tx, Some(&user("eve")), POLL_ID, now).await).contains("may read"));
    pond.makes("amy", "hidden", |_| {}).await.unwrap();
    assert!(broken(read(&mut pond.app.snapshot(), Some(&user("bob")), "hidden", now).await).contains("may read"));
    let shown = Draft { poll: Some("hidden".into()), ..Draft::text(Some(user("bob")), "not mine") };
    assert!(broken(pond.send_as(Some("bob"), "x", &shown).await).contains("may read"));
    pond.set_type(|config| config.polls = false).await;
    let shown = Draft { poll: Some(POLL_ID.into()), ..Draft::text(Some(user("amy")), "off") };
    assert!(broken(pond.send_as(Some("amy"), "x", &shown).await).contains("polls not enabled"));
}

#[tokio::test]
async fn users_suggest_options_where_the_poll_takes_them() {
    let pond = pond(|_| {}).await;
    let suggest = async |id: &str| {
        let (now, bob, new) = (pond.tick(), user("bob"), option(id));
        pond.app.write(async |tx| options::add(tx, Some(&bob), Some(&bob), POLL_ID, &new, now).await).await
    };
    assert!(broken(suggest("d").await).contains("may not change"));
    let now = pond.tick();
    let open = Patch { takes_options: Some(true), ..Patch::default() };
    pond.write(async |tx| patch(tx, None, POLL_ID, &open, now).await).await;
    assert_eq!(suggest("d").await.unwrap().by, Some(user("bob")));
    pond.votes("amy", "1", "d").await.unwrap();
    assert_eq!(pond.counts().await, "a0 b0 c0 d1");
    let amys = options::delete(&pond.app, Some(&user("bob")), POLL_ID, "a", now).await;
    assert!(broken(amys).contains("may not change"));
    options::delete(&pond.app, Some(&user("bob")), POLL_ID, "d", now).await.unwrap();
    assert_eq!(pond.counts().await, "a0 b0 c0");
}

#[tokio::test]
async fn an_option_that_an_update_leaves_out_goes_with_its_votes_and_the_others_keep_theirs() {
    let pond = pond(|_| {}).await;
    for (vote, option) in [("1", "a"), ("2", "b")] {
        pond.votes("bob", vote, option).await.unwrap();
    }
    let (now, new) = (pond.tick(), content(|poll| poll.options = Some(vec![option("b"), option("d")])));
    update(&pond.app, Some(&user("amy")), POLL_ID, &new, now).await.unwrap();
    assert_eq!((pond.counts().await.as_str(), pond.sees(Some("bob")).await.own.len()), ("b1 d0", 1));
    let kept = content(|poll| poll.options = None);
    update(&pond.app, None, POLL_ID, &kept, now).await.unwrap();
    assert_eq!(pond.counts().await, "b1 d0");
}

#[tokio::test]
async fn a_poll_goes_whole_when_it_is_deleted_or_its_last_message_goes_for_good() {
    for by_message in [false, true] {
        let pond = pond(|_| {}).await;
        // More than one step removes.
        for n in 0..250 {
            let (now, who, vote) = (pond.tick(), user(&format!("u{n}")), format!("v{n}"));
            let (place, ballot) = ((message("m"), POLL_ID), Ballot::Option("b".into()));
            pond.write(async |tx| cast(tx, None, &who, (&place.0, place.1), (&vote, &ballot), now).await).await;
        }
        let now = pond.tick();
        match by_message {
            true => drop(messages::delete_for_good(&pond.app, None, &message("m"), None, now).await.unwrap()),
            false => delete(&pond.app, Some(&user("amy")), POLL_ID, Some(&user("amy")), now).await.unwrap(),
        }
        let (mut tx, mut left) = (pond.app.snapshot(), Vec::new());
        for tag in [POLL.tag(), crate::keyspace::VOTE.tag(), crate::keyspace::POLLED.tag(), POLL_SHOWN.tag()] {
            let rows = tx.scan(store::tenant_range(1), Direction::Forward, Limit::PAGE).await.unwrap().rows;
            left.extend(
                rows.iter().filter(|(key, _)| store::split(key).is_some_and(|(_, of, _)| of == tag)).map(|_| tag),
            );
        }
        assert_eq!(left, [0_u8; 0], "{by_message}");
    }
}

#[tokio::test]
async fn who_sees_a_poll_is_told_of_its_end() {
    let pond = pond(|_| {}).await;
    let now = pond.tick();
    delete(&pond.app, Some(&user("amy")), POLL_ID, Some(&user("amy")), now).await.unwrap();
    assert!(pond.told().await.contains(&"poll.deleted".to_owned()));
}

#[tokio::test]
async fn of_a_poll_that_is_gone_the_log_forgets_all_but_that_it_was_deleted() {
    let pond = pond(|content| content.description = "secret".into()).await;
    pond.votes("bob", "v", "a").await.unwrap();
    let log = async || {
        let mut tx = pond.app.snapshot();
        format!("{:?}", crate::keyspace::LOG.scan(&mut tx, 1, store::Stamp::default(), Limit::PAGE).await.unwrap().rows)
    };
    let forget = async || pond.write(async |tx| crate::erasure::told::forget(tx, &mut Vec::new()).await).await;
    assert!(forget().await && log().await.contains("secret"));
    let now = pond.tick();
    delete(&pond.app, Some(&user("amy")), POLL_ID, Some(&user("amy")), now).await.unwrap();
    assert!(forget().await && !log().await.contains("secret"));
    let told = pond.told().await;
    assert!(told.contains(&"poll.deleted".to_owned()) && !told.contains(&"poll.vote_casted".to_owned()), "{told:?}");
    assert!(told.contains(&"message.new".to_owned()), "{told:?}");
}

#[tokio::test]
async fn what_is_past_a_limit_is_refused() {
    let pond = Pond::new().await;
    let mut limits = Vec::new();
    limits.push(pond.makes("amy", "x", |poll| poll.name.clear()).await);
    limits.push(pond.makes("amy", "x", |poll| poll.name = "x".repeat(501)).await);
    limits.push(pond.makes("amy", "x", |poll| poll.description = "x".repeat(2049)).await);
    limits.push(pond.makes("amy", "x", |poll| poll.votes_max = Some(11)).await);
    limits.push(pond.makes("amy", "x", |poll| poll.votes_max = Some(0)).await);
    limits.push(pond.makes("amy", "x", |poll| poll.options = Some(vec![option("a"), option("a")])).await);
    limits.push(
        pond.makes("amy", "x", |poll| poll.options = Some((0..101).map(|n| option(&n.to_string())).collect())).await,
    );
    let own = Object::parse(&format!(r#"{{"k":"{}"}}"#, "x".repeat(6000))).unwrap();
    let big = pond.makes("amy", "x", |poll| poll.custom = own).await;
    assert!(matches!(big, Err(Error::TooBig(_))), "{big:?}");
    for outcome in limits {
        assert!(matches!(outcome, Err(Error::Unfit(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn votes_are_queried_and_those_of_an_anonymous_poll_tell_nobody() {
    let list = async |pond: &Pond, viewer: &str, filter: &str| {
        let (filter, sort) = (Filter::parse(filter, VOTE_FIELDS).unwrap(), Sort::default().or(&["-created_at"]));
        let (mut tx, viewer) = (pond.app.snapshot(), user(viewer));
        let now = pond.tick();
        let who = (Some(&viewer), Some(&viewer));
        let found = query_votes(&mut tx, who, POLL_ID, (&filter, &sort), (None, 10), now).await.unwrap().1;
        found.rows.into_iter().map(|cast| cast.id).collect::<Vec<_>>().join(" ")
    };
    for is_anonymous in [false, true] {
        let pond = pond(|poll| poll.is_anonymous = is_anonymous).await;
        pond.votes("bob", "1", "a").await.unwrap();
        pond.votes("cat", "2", "b").await.unwrap();
        assert_eq!(list(&pond, "amy", "{}").await, "2 1");
        assert_eq!(list(&pond, "amy", r#"{"option_id":"a"}"#).await, "1");
        assert_eq!(list(&pond, "amy", r#"{"is_answer":true}"#).await, "");
        let of_bob = r#"{"user_id":"bob"}"#;
        assert_eq!(list(&pond, "amy", of_bob).await, if is_anonymous { "" } else { "1" });
        assert_eq!(list(&pond, "bob", of_bob).await, "1");
    }
}

#[tokio::test]
async fn a_secret_stays_one() {
    let pond = pond(|poll| poll.is_anonymous = true).await;
    pond.votes("bob", "1", "a").await.unwrap();
    let now = pond.tick();
    let open = Patch { is_anonymous: Some(false), ..Patch::default() };
    let opened = pond.app.write(async |tx| patch(tx, None, POLL_ID, &open, now).await).await;
    assert!(broken(opened).contains("stays anonymous"));
    let shown = pond.sees(Some("amy")).await;
    assert!(!shown.tells_whose(&shown.options[0].latest[0].vote));
    let shown = pond.sees(Some("bob")).await;
    assert!(shown.tells_whose(&shown.options[0].latest[0].vote));
}

#[tokio::test]
async fn who_goes_takes_votes_suggestions_and_polls_along_or_leaves_them_blank() {
    for is_hard in [false, true] {
        let pond = pond(|poll| (poll.takes_answers, poll.takes_options) = (true, true)).await;
        pond.votes("bob", "1", "a").await.unwrap();
        pond.votes("cat", "2", "a").await.unwrap();
        pond.casts("bob", "3", Ballot::Answer("mine".into())).await.unwrap();
        let (now, bob) = (pond.tick(), user("bob"));
        pond.write(async |tx| options::add(tx, Some(&bob), Some(&bob), POLL_ID, &option("d"), now).await).await;
        pond.votes("cat", "4", "d").await.unwrap();
        let (mut cursor, mut is_done) = (Vec::new(), false);
        while !is_done {
            let step = pond.write(async |tx| {
                let mut next = cursor.clone();
                let is_done = leave(tx, &bob, is_hard, &mut next).await?;
                Ok((next, is_done))
            });
            (cursor, is_done) = step.await;
        }
        let shown = pond.sees(None).await;
        let answer = shown.latest_answers.first().and_then(|cast| cast.vote.answer.clone());
        match is_hard {
            true => assert_eq!((pond.counts().await.as_str(), answer), ("a1 b0 c0", None)),
            false => {
                assert_eq!((pond.counts().await.as_str(), answer.as_deref()), ("a2 b0 c0 d1", Some("")));
                assert_eq!(shown.options[3].option.text, "");
            }
        }
    }
}

#[tokio::test]
async fn sixteen_who_vote_at_once_are_all_counted_and_none_twice() {
    let pond = pond(|poll| poll.is_unique = true).await;
    let mut at_once = tokio::task::JoinSet::new();
    for n in 0..16 {
        let (app, now) = (pond.app.clone(), pond.tick());
        at_once.spawn(async move {
            for (round, option) in ["a", "b", "c"].into_iter().enumerate() {
                let (id, who) = (format!("{n}-{round}"), user(&format!("u{}", n / 2)));
                let (place, ballot) = ((message("m"), POLL_ID), Ballot::Option(option.into()));
                let run = app.write(async |tx| cast(tx, None, &who, (&place.0, place.1), (&id, &ballot), now).await);
                run.await.unwrap();
            }
        });
    }
    at_once.join_all().await;
    assert_eq!(pond.sees(None).await.votes(), 8, "eight users, each with one vote");
}

/// What a test does, by small numbers: who votes for what, or takes which vote back.
#[derive(Clone, Debug)]
enum Deed {
    Vote(usize, usize),
    Answer(usize),
    Take(usize, usize),
    Drop(usize),
}

fn deeds() -> impl Strategy<Value = (bool, Option<u8>, Vec<Deed>)> {
    let deed = prop_oneof![
        6 => (0..4_usize, 0..3_usize).prop_map(|(who, option)| Deed::Vote(who, option)),
        1 => (0..4_usize).prop_map(Deed::Answer),
        3 => (0..4_usize, 0..3_usize).prop_map(|(who, option)| Deed::Take(who, option)),
        1 => (0..3_usize).prop_map(Deed::Drop),
    ];
    (any::<bool>(), proptest::option::of(1..3_u8), proptest::collection::vec(deed, 1..30))
}

/// The naive poll: who voted for which options, in a map.
#[derive(Default)]
struct Model {
    options: Vec<usize>,
    votes: BTreeMap<(usize, usize), String>,
    answers: BTreeMap<usize, String>,
}

impl Model {
    async fn does(&mut self, pond: &Pond, (is_unique, max): (bool, Option<u8>), deed: &Deed, n: usize) {
        let (names, options) = (["amy", "bob", "cat", "dan"], ["a", "b", "c"]);
        let id = format!("v{n}");
        match *deed {
            Deed::Vote(who, option) => {
                let has = self.votes.keys().filter(|(by, _)| *by == who).count();
                let is_known = self.votes.contains_key(&(who, option));
                let is_free = is_known || is_unique || max.is_none_or(|max| has < usize::from(max));
                let fits = self.options.contains(&option) && is_free && who != 3;
                let done = pond.votes(names[who], &id, options[option]).await;
                assert_eq!(done.is_ok(), fits, "{deed:?} {done:?}");
                if fits && !is_known {
                    self.votes.retain(|(by, _), _| !is_unique || *by != who);
                    self.votes.insert((who, option), id);
                }
            }
            Deed::Answer(who) => {
                let done = pond.casts(names[who], &id, Ballot::Answer(id.clone())).await;
                assert_eq!(done.is_ok(), who != 3);
                if done.is_ok() {
                    self.answers.entry(who).or_insert(id);
                }
            }
            Deed::Take(who, option) => {
                let known = self.votes.remove(&(who, option));
                let taken = pond.takes(names[who], known.as_deref().unwrap_or("none")).await;
                assert_eq!(taken.is_ok(), known.is_some());
            }
            Deed::Drop(option) => {
                let now = pond.tick();
                let done = options::delete(&pond.app, None, POLL_ID, options[option], now).await;
                assert_eq!(done.is_ok(), self.options.contains(&option));
                self.options.retain(|known| *known != option);
                self.votes.retain(|(_, of), _| *of != option);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn counts_and_own_votes_are_those_of_a_naive_poll((is_unique, max, deeds) in deeds()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let settings = |poll: &mut Content| (poll.is_unique, poll.votes_max, poll.takes_answers) = (is_unique, max, true);
            let pond = pond(settings).await;
            let mut model = Model { options: vec![0, 1, 2], ..Model::default() };
            for (n, deed) in deeds.iter().enumerate() {
                model.does(&pond, (is_unique, max), deed, n).await;
                let counted = |option: &usize| format!("{}{}", ["a", "b", "c"][*option], model.votes.keys().filter(|(_, of)| of == option).count());
                let expected: Vec<_> = model.options.iter().map(counted).collect();
                assert_eq!(pond.counts().await, expected.join(" "), "after {:?}", &deeds[..=n]);
                let shown = pond.sees(Some("bob")).await;
                let voted = model.votes.keys().filter(|(who, _)| *who == 1).count();
                let own = voted + usize::from(model.answers.contains_key(&1));
                assert_eq!((shown.own.len(), shown.answers), (own, i64::try_from(model.answers.len()).unwrap()));
            }
        });
    }
}
