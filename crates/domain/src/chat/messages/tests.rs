//! The facts of messages.

use futures::join_all;
use proptest::prelude::*;

use super::*;
use crate::chat::{
    channels,
    pond::{Pond, broken, channel, message, user},
    reads,
};

mod futures {
    /// Runs all at once.
    pub(super) async fn join_all<T: Send + 'static>(
        runs: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
    ) -> Vec<T> {
        let handles: Vec<_> = runs.into_iter().map(tokio::spawn).collect();
        let mut done = Vec::new();
        for handle in handles {
            done.push(handle.await.unwrap());
        }
        done
    }
}

fn text(by: &str, text: &str) -> Draft {
    Draft::text(Some(user(by)), text)
}

#[tokio::test]
async fn messages_are_listed_in_the_order_of_their_times() {
    let pond = Pond::new().await;
    for id in ["c", "a", "b"] {
        pond.say("amy", id, "hi").await;
    }
    assert_eq!(pond.page(&Part::newest(10), None).await, "c a b");
    assert_eq!(pond.page(&Part::newest(2), None).await, "a b");
    assert_eq!(pond.told().await, ["message.new", "message.new", "message.new"]);
}

#[tokio::test]
async fn an_id_is_taken_once() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "hi").await;
    let again = pond.send_as(None, "a", &text("bob", "ho")).await;
    assert_eq!(broken(again), "a message with ID a already exists");
    assert_eq!(pond.get("a").await.unwrap().text, "hi");
}

#[tokio::test]
async fn sixteen_writers_write_to_one_channel_without_running_again() {
    let pond = Pond::new().await;
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let writers = (0..16).map(|writer| {
        let (app, now, runs) = (pond.app.clone(), pond.tick(), runs.clone());
        async move {
            for n in 0..8 {
                let id = message(&format!("{writer}-{n}"));
                let draft = text(&format!("user-{writer}"), "hi");
                app.write(async |tx| {
                    runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    send(tx, None, &channel(), &id, &draft, now.plus_micros(n)).await
                })
                .await
                .unwrap();
            }
        }
    });
    join_all(writers).await;
    assert_eq!(pond.page(&Part::newest(300), None).await.split(' ').count(), 128);
    assert_eq!(runs.load(std::sync::atomic::Ordering::Relaxed), 128);
}

#[tokio::test]
async fn a_message_needs_something_to_say_within_its_limits() {
    let pond = Pond::new().await;
    pond.set_type(|config| config.max_message_length = 5).await;
    let refused = async |draft: Draft| broken(pond.send_as(None, "a", &draft).await);
    assert!(refused(text("amy", "")).await.contains("message.text"));
    assert_eq!(refused(text("amy", "123456")).await, "the text is longer than 5 characters");
    assert!(refused(Draft { attachments: vec!["{}".to_owned(); 31], ..text("amy", "a") }).await.contains("at most 30"));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(6000));
    assert!(refused(Draft { custom: large.clone(), ..text("amy", "a") }).await.contains("5120 bytes"));
    assert!(refused(Draft { attachments: vec![large], ..text("amy", "a") }).await.contains("5120 bytes"));
    let unknown = Draft { mentioned: vec![user("nobody")], ..text("amy", "a") };
    assert!(refused(unknown).await.contains("user 'nobody' does not exist"));
    assert!(pond.told().await.is_empty());
}

#[tokio::test]
async fn who_has_no_grant_may_not_write() {
    let pond = Pond::new().await;
    assert!(broken(pond.send_as(Some("eve"), "a", &text("eve", "hi")).await).contains("create-message"));
    assert!(
        broken(pond.send_as(Some("amy"), "a", &Draft { kind: Kind::System, ..text("amy", "hi") }).await)
            .contains("create-system-message")
    );
    pond.send_as(Some("amy"), "a", &text("amy", "hi")).await.unwrap();
}

#[tokio::test]
async fn a_frozen_or_disabled_channel_takes_messages_of_the_server_alone() {
    let pond = Pond::new().await;
    pond.set_channel(|channel| channel.is_frozen = true).await;
    assert!(broken(pond.send_as(Some("amy"), "a", &text("amy", "hi")).await).contains("frozen"));
    pond.say("amy", "b", "hi").await;
    pond.set_channel(|channel| (channel.is_frozen, channel.is_disabled) = (false, true)).await;
    assert!(broken(pond.send_as(Some("amy"), "a", &text("amy", "hi")).await).contains("disabled"));
}

#[tokio::test]
async fn slow_mode_holds_each_user_back_for_its_window() {
    let pond = Pond::new().await;
    pond.set_channel(|channel| channel.cooldown_seconds = 2).await;
    pond.send_as(Some("amy"), "a", &text("amy", "hi")).await.unwrap();
    assert!(broken(pond.send_as(Some("amy"), "b", &text("amy", "hi")).await).contains("slow mode"));
    pond.send_as(Some("bob"), "c", &text("bob", "hi")).await.unwrap();
    pond.send_as(Some("amy"), "d", &text("amy", "hi")).await.unwrap();
    pond.say("amy", "e", "hi").await;
}

#[tokio::test]
async fn a_reply_stands_in_its_thread_and_in_the_channel_only_if_it_says_so() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "hi").await;
    pond.reply("bob", "b", "a").await;
    let shown = Draft { parent: Some(message("a")), shows_in_channel: true, ..text("cat", "c") };
    pond.send_as(None, "c", &shown).await.unwrap();
    assert_eq!(pond.page(&Part::newest(10), None).await, "a c");
    let thread = replies(&mut pond.app.snapshot(), &message("a"), &Part::newest(10), &Viewer::default()).await.unwrap();
    assert_eq!(thread.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["b", "c"]);
    let mut people = crate::users::People::default();
    let parent = (message("a"), pond.get("a").await.unwrap());
    let shown = gather(&mut pond.app.snapshot(), vec![parent], None, &mut people).await.unwrap();
    assert_eq!((shown[0].replies, shown[0].participants.len()), (2, 3));
    let nested = Draft { parent: Some(message("b")), ..text("amy", "d") };
    assert_eq!(broken(pond.send_as(None, "d", &nested).await), "a reply cannot be replied to");
}

#[tokio::test]
async fn features_that_the_type_lacks_are_refused() {
    let pond = Pond::new().await;
    pond.set_type(|config| (config.replies, config.quotes) = (false, false)).await;
    pond.say("amy", "a", "hi").await;
    let reply = Draft { parent: Some(message("a")), ..text("bob", "b") };
    let quote = Draft { quoted: Some(message("a")), ..text("bob", "b") };
    assert!(broken(pond.send_as(None, "b", &reply).await).contains("replies is disabled"));
    assert!(broken(pond.send_as(None, "b", &quote).await).contains("quotes is disabled"));
}

#[tokio::test]
async fn what_is_for_some_is_seen_by_them_and_its_author() {
    let pond = Pond::new().await;
    let draft = Draft { visible_to: vec![user("bob")], ..text("amy", "psst") };
    pond.send_as(None, "a", &draft).await.unwrap();
    for (viewer, page) in [(Some("amy"), "a"), (Some("bob"), "a"), (Some("cat"), ""), (None, "a")] {
        assert_eq!(pond.page(&Part::newest(10), viewer).await, page, "{viewer:?}");
    }
}

#[tokio::test]
async fn a_pending_message_is_its_authors_until_it_is_committed() {
    let pond = Pond::new().await;
    pond.send_as(None, "a", &Draft { is_pending: Some(true), ..text("amy", "hi") }).await.unwrap();
    // What waits, hooks alone are told.
    assert_eq!((pond.page(&Part::newest(10), None).await, pond.told().await.len()), (String::new(), 1));
    let now = pond.tick();
    let seen = async |who: &str| read(&mut pond.app.snapshot(), Some(&user(who)), &message("a"), now).await.is_ok();
    assert!(seen("amy").await && !seen("bob").await);
    pond.write(async |tx| commit(tx, &message("a"), now).await).await;
    assert_eq!((pond.page(&Part::newest(10), None).await, pond.told().await.len()), ("a".to_owned(), 2));
    let again = pond.app.write(async |tx| commit(tx, &message("a"), now).await).await;
    assert_eq!(broken(again), "message a is not pending");
}

#[tokio::test]
async fn a_message_that_nobody_commits_is_deleted_after_three_days() {
    let pond = Pond::new().await;
    for id in ["a", "b"] {
        pond.send_as(None, id, &Draft { is_pending: Some(true), ..text("amy", "hi") }).await.unwrap();
    }
    let now = pond.tick();
    pond.write(async |tx| commit(tx, &message("b"), now).await).await;
    let is_there = async |id: &str| get(&mut pond.app.snapshot(), &message(id)).await.unwrap().is_some();
    let day = 24 * 60 * 60 * 1_000_000;
    assert!(!expire_due(&pond.app, now.plus_micros(2 * day)).await.unwrap() && is_there("a").await);
    assert!(!expire_due(&pond.app, now.plus_micros(3 * day)).await.unwrap());
    assert!(!is_there("a").await && is_there("b").await, "what was committed stays");
}

async fn change(pond: &Pond, caller: Option<&str>, id: &str, change: Patch) -> Result<Message> {
    let (now, caller, change) = (pond.tick(), caller.map(user), Change::Part(Box::new(change)));
    pond.app.write(async |tx| update(tx, caller.as_ref(), &message(id), caller.as_ref(), &change, now).await).await
}

#[tokio::test]
async fn history_keeps_older_versions_with_those_who_wrote_them() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "one").await;
    for (text, by) in [("two", "bob"), ("three", "cat")] {
        let patch = Patch { text: Some(text.to_owned()), ..Patch::default() };
        let (now, change) = (pond.tick(), Change::Part(Box::new(patch)));
        pond.write(async |tx| update(tx, None, &message("a"), Some(&user(by)), &change, now).await).await;
    }
    let filter = crate::filter::Filter::parse(r#"{"message_id":"a"}"#, HISTORY).unwrap();
    let sort = crate::filter::Sort::by(&["-message_updated_at"]);
    let page = history(&mut pond.app.snapshot(), &filter, &sort, None, 10).await.unwrap();
    let said: Vec<_> =
        page.rows.iter().map(|row| (row.version.text.as_str(), row.version.by.as_ref().unwrap().as_str())).collect();
    assert_eq!(said, [("two", "bob"), ("one", "amy")]);
}

#[tokio::test]
async fn authors_change_their_own_messages_and_no_others() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "one").await;
    let patch = || Patch { text: Some("two".to_owned()), ..Patch::default() };
    assert!(broken(change(&pond, Some("bob"), "a", patch()).await).contains("update-message"));
    let changed = change(&pond, Some("amy"), "a", patch()).await.unwrap();
    assert!(changed.text == "two" && changed.text_updated_at == Some(changed.updated_at));
}

#[tokio::test]
async fn a_pin_ends_when_it_expires() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "one").await;
    let expires = pond.tick().plus_micros(3_500_000);
    let patch = Patch { is_pinned: Some(true), pin_expires: Some(Some(expires)), ..Patch::default() };
    change(&pond, Some("bob"), "a", patch).await.unwrap();
    let count =
        async |now| pinned(&mut pond.app.snapshot(), &channel(), &Viewer::default(), 10, now).await.unwrap().len();
    assert_eq!((count(pond.tick()).await, count(expires).await), (1, 0));
}

#[tokio::test]
async fn a_deleted_message_stays_in_its_place_and_comes_back() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "one").await;
    pond.reply("bob", "b", "a").await;
    let now = pond.tick();
    let counts = async || {
        let mut tx = pond.app.snapshot();
        let keys = [("a".to_owned(), false), ("a".to_owned(), true)];
        crate::keyspace::REPLIES.get_many(&mut tx, 1, &keys).await.unwrap()
    };
    pond.write(async |tx| delete(tx, None, &message("b"), None, now).await).await;
    assert_eq!((counts().await, pond.get("b").await.unwrap().deleted_at), (vec![0, 1], Some(now)));
    pond.write(async |tx| undelete(tx, &message("b"), &user("amy"), now).await).await;
    assert_eq!((counts().await, pond.get("b").await.unwrap().deleted_at), (vec![1, 0], None));
    pond.write(async |tx| delete(tx, Some(&user("amy")), &message("a"), None, now).await).await;
    assert_eq!(pond.page(&Part::newest(10), None).await, "a");
    let refused = pond.app.write(async |tx| delete(tx, Some(&user("amy")), &message("b"), None, now).await).await;
    assert!(broken(refused).contains("delete-message"));
}

#[tokio::test]
async fn deleting_for_good_leaves_no_row_of_the_message_its_replies_and_reactions() {
    let pond = Pond::new().await;
    let before = rows(&pond).await;
    pond.say("amy", "a", "one").await;
    for n in 0..60 {
        pond.reply("bob", &format!("b{n}"), "a").await;
    }
    let now = pond.tick();
    let draft = crate::chat::reactions::Draft {
        user: user("cat"),
        kind: "love".to_owned(),
        score: 1,
        is_only: false,
        custom: "{}".to_owned(),
    };
    pond.write(async |tx| crate::chat::reactions::send(tx, None, &message("b1"), &draft, now).await).await;
    delete_for_good(&pond.app, None, &message("a"), None, now).await.unwrap();
    assert_eq!(rows(&pond).await, before);
}

/// How many rows there are of messages, threads and reactions.
async fn rows(pond: &Pond) -> usize {
    let mut tx = pond.app.snapshot();
    let mut count = 0;
    let tags = (57..=68).chain(80..=84);
    for tag in tags {
        let mut start = 1_u32.to_be_bytes().to_vec();
        start.push(tag);
        let mut end = start.clone();
        *end.last_mut().unwrap() += 1;
        let page = tx.scan(start..end, store::Direction::Forward, store::Limit::PAGE).await.unwrap();
        count += page.rows.len();
    }
    count
}

#[tokio::test]
async fn who_deletes_for_themselves_alone_hides_nothing_from_others() {
    let pond = Pond::new().await;
    pond.say("amy", "a", "one").await;
    let now = pond.tick();
    pond.write(async |tx| delete_for(tx, None, &message("a"), &user("bob"), now).await).await;
    for (viewer, hidden_at) in [("bob", Some(now)), ("amy", None)] {
        let mut people = crate::users::People::default();
        let one = vec![(message("a"), pond.get("a").await.unwrap())];
        let shown = gather(&mut pond.app.snapshot(), one, Some(&user(viewer)), &mut people).await.unwrap();
        assert_eq!(shown[0].hidden_at, hidden_at, "{viewer}");
    }
}

/// What a page is, by the words of the contract alone: `all` are the times of the messages.
fn naive(all: &[i64], part: &Part) -> Vec<i64> {
    let place = |edge: &Edge| match edge {
        Edge::Time(at) => at.micros(),
        Edge::Message(id) => id.as_str().parse().unwrap(),
    };
    let limit = part.limit;
    if let Some(around) = &part.around {
        let middle = place(around);
        let older: Vec<i64> = all.iter().copied().filter(|at| *at < middle).collect();
        let newer = all.iter().copied().filter(|at| *at >= middle).take(limit - limit / 2);
        return older[older.len().saturating_sub(limit / 2)..].iter().copied().chain(newer).collect();
    }
    let is_after =
        |at: i64| part.after.as_ref().is_none_or(|(edge, with)| at > place(edge) || (*with && at == place(edge)));
    let is_before =
        |at: i64| part.before.as_ref().is_none_or(|(edge, with)| at < place(edge) || (*with && at == place(edge)));
    let fitting: Vec<i64> = all.iter().copied().filter(|at| is_after(*at) && is_before(*at)).collect();
    match part.after {
        Some(_) => fitting.into_iter().take(limit).collect(),
        None => fitting[fitting.len().saturating_sub(limit)..].to_vec(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_page_is_that_of_a_naive_list(
        times in proptest::collection::btree_set(1_i64..60, 1..40),
        asked in proptest::collection::vec((0_usize..8, 0_usize..4, 1_i64..60, any::<bool>(), any::<bool>(), any::<bool>()), 12),
    ) {
        let all: Vec<i64> = times.into_iter().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: std::result::Result<(), TestCaseError> = runtime.block_on(async {
            let pond = Pond::new().await;
            for at in &all {
                let (id, draft, now) = (message(&at.to_string()), text("amy", "hi"), Timestamp::from_micros(*at));
                pond.write(async |tx| send(tx, None, &channel(), &id, &draft, now).await).await;
            }
            for (limit, shape, at, with, by_time, both) in asked {
                let edge = match by_time {
                    true => Edge::Time(Timestamp::from_micros(at)),
                    false => Edge::Message(message(&all[usize::try_from(at).unwrap() % all.len()].to_string())),
                };
                let mut part = Part::newest(limit);
                match shape {
                    0 => {}
                    1 => part.after = Some((edge.clone(), with)),
                    2 => part.before = Some((edge.clone(), with)),
                    _ => part.around = Some(edge),
                }
                if both && shape == 1 {
                    part.before = Some((Edge::Time(Timestamp::from_micros(40)), true));
                }
                let expected: Vec<String> = naive(&all, &part).iter().map(i64::to_string).collect();
                prop_assert_eq!(pond.page(&part, None).await, expected.join(" "), "{:?}", part);
            }
            Ok(())
        });
        outcome?;
    }
}

#[tokio::test]
async fn a_command_that_mutes_does_so_and_tells_its_sender_alone() {
    let pond = Pond::new().await;
    pond.set_type(|config| config.commands = vec!["mute".into(), "unmute".into(), "ban".into()]).await;
    let send = async |id: &str, said: &str| pond.send_as(Some("amy"), id, &text("amy", said)).await.unwrap();
    let mutes = async || {
        let muted = crate::users::mutes::list(&mut pond.app.snapshot(), &user("amy"), pond.tick()).await.unwrap();
        muted.into_iter().map(|(user, _)| user.to_string()).collect::<Vec<_>>()
    };
    let told = send("a", "/mute @bob").await;
    assert_eq!((told.kind, told.text.as_str()), (Kind::Ephemeral, "@bob was muted"));
    assert_eq!(mutes().await, ["bob"]);
    send("b", "/unmute bob").await;
    assert!(mutes().await.is_empty());
    for said in ["/mute", "/mute @amy", "/mute @nobody", "/ban @bob"] {
        // Members may not ban.
        assert_eq!(send("c", said).await.kind, Kind::Error, "{said}");
        assert!(pond.get("c").await.is_none(), "{said}");
    }
    assert_eq!(pond.page(&Part::newest(10), None).await, "");
}

#[tokio::test]
async fn a_word_of_a_blocklist_is_blocked_or_hidden_unless_the_server_says_it() {
    let pond = Pond::new().await;
    let block = async |behavior: &'static str| {
        let set = |config: &mut crate::chat::types::Config| {
            config.blocklist = crate::chat::blocklists::BUILT_IN.into();
            config.blocklist_behavior = behavior.into();
        };
        pond.set_type(set).await;
    };
    block("block").await;
    let told = pond.send_as(Some("amy"), "a", &text("amy", "what bullshit")).await.unwrap();
    assert_eq!((told.kind, pond.get("a").await), (Kind::Error, None));
    pond.say("amy", "b", "what bullshit").await;
    pond.send_as(Some("amy"), "c", &text("amy", "what fun")).await.unwrap();
    let now = pond.tick();
    let patch = Change::Part(Box::new(Patch { text: Some("bullshit".into()), ..Patch::default() }));
    let amy = user("amy");
    let changed = pond.app.write(async |tx| update(tx, Some(&amy), &message("c"), Some(&amy), &patch, now).await).await;
    assert!(broken(changed).contains("blocklist"));
    block("shadow_block").await;
    pond.send_as(Some("amy"), "d", &text("amy", "bullshit again")).await.unwrap();
    assert_eq!(
        [pond.page(&Part::newest(9), Some("amy")).await, pond.page(&Part::newest(9), Some("bob")).await],
        ["b c d", "b c"]
    );
}

#[tokio::test]
async fn a_system_message_does_not_move_a_channel_whose_type_says_so() {
    for (skips, expected) in [(false, "s"), (true, "a")] {
        let pond = Pond::new().await;
        pond.set_type(|config| config.skip_last_msg_update_for_system_msgs = skips).await;
        pond.say("amy", "a", "hi").await;
        let note = Draft { kind: Kind::System, ..text("amy", "amy came") };
        pond.send_as(None, "s", &note).await.unwrap();
        let channel = channels::load(&mut pond.app.snapshot(), &channel()).await.unwrap();
        let last = reads::last_message_at(&pond.app, &crate::chat::pond::channel(), &channel).await.unwrap();
        assert_eq!(last, Some(pond.get(expected).await.unwrap().created_at), "{skips}");
    }
}
