use super::*;
use crate::feeds::pond::Pond;

fn draft(id: &str, activity: ActivityId) -> Draft {
    Draft {
        id: id.into(),
        has_own_id: false,
        kind: "like".into(),
        to: To::Activity(activity),
        user: UserId::parse("bob").unwrap(),
        data: Object::default(),
        targets: Targets::default(),
    }
}

#[tokio::test]
async fn two_who_react_to_one_activity_at_once_are_not_in_each_others_way() {
    let pond = Pond::new();
    let activity = pond.add("user:amy", "skates").await;
    let mut attempts = pond.app.store.attempts();
    let mut tx = pond.app.tx(attempts.begin());
    add(&mut tx, &draft("a", activity), Pond::at(1)).await.unwrap();
    let other = draft("b", activity);
    pond.app.write(async |tx| add(tx, &other, Pond::at(1)).await).await.unwrap();
    assert!(attempts.commit(tx.inner).await.unwrap(), "there was no conflict");
    let counts = on_activity(&mut pond.app.snapshot(), activity, &[]).await.unwrap();
    assert_eq!(counts, [("like".to_owned(), 2)]);
}

#[test]
fn what_a_list_is_about_survives_its_key() {
    let parent = Parent { id: "r\0:1".into(), created_at: Pond::at(7) };
    for about in [
        About::Activity(ActivityId::first_at(Pond::at(1))),
        About::Reaction(parent),
        About::User(UserId::parse("bob").unwrap()),
    ] {
        let mut bytes = Vec::new();
        about.write(&mut bytes);
        let mut rest = bytes.as_slice();
        assert_eq!(About::read(&mut rest).unwrap(), about);
        assert!(rest.is_empty());
    }
}

/// Reacts once a second, with one kind after the other.
async fn react(pond: &Pond, kinds: &[&str]) -> ActivityId {
    let activity = pond.add("user:amy", "skates").await;
    for (second, kind) in kinds.iter().enumerate() {
        let draft = Draft { kind: (*kind).to_owned(), ..draft(&format!("r{second}"), activity) };
        pond.app.write(async |tx| add(tx, &draft, Pond::at(second as i64)).await).await.unwrap();
    }
    activity
}

async fn page(pond: &Pond, about: &About, part: &Part) -> (Vec<String>, bool) {
    let page = list(&mut pond.app.snapshot(), about, None, part).await.unwrap();
    (page.reactions.into_iter().map(|(id, _)| id).collect(), page.more)
}

#[tokio::test]
async fn a_list_of_all_kinds_goes_by_time_whatever_the_kind() {
    let pond = Pond::new();
    let activity = react(&pond, &["like", "zap", "boo", "like", "like", "boo"]).await;
    for about in [About::Activity(activity), About::User(UserId::parse("bob").unwrap())] {
        let part = |limit, from: Option<(&str, bool)>, is_ascending| Part {
            limit,
            from: from.map(|(id, is_included)| (id.to_owned(), is_included)),
            is_ascending,
        };
        assert_eq!(page(&pond, &about, &part(4, None, false)).await.0, ["r5", "r4", "r3", "r2"]);
        assert_eq!(
            page(&pond, &about, &part(4, Some(("r2", false)), false)).await,
            (vec!["r1".into(), "r0".into()], false)
        );
        assert_eq!(
            page(&pond, &about, &part(2, Some(("r2", true)), false)).await,
            (vec!["r2".into(), "r1".into()], true)
        );
        assert_eq!(
            page(&pond, &about, &part(2, Some(("r1", false)), true)).await,
            (vec!["r2".into(), "r3".into()], true)
        );
        assert_eq!(
            page(&pond, &about, &part(9, Some(("r4", true)), true)).await,
            (vec!["r4".into(), "r5".into()], false)
        );
    }
}

#[tokio::test]
async fn a_list_of_too_many_kinds_says_so_and_each_kind_can_be_listed() {
    let pond = Pond::new();
    let names: Vec<String> = (0..=KINDS_LISTED_MAX).map(|kind| format!("kind{kind}")).collect();
    let activity = react(&pond, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (about, part, mut tx) = (About::Activity(activity), Part { limit: 10, ..Part::default() }, pond.app.snapshot());
    let refused = list(&mut tx, &about, None, &part).await.unwrap_err();
    assert!(matches!(&refused, Error::Unfit(words) if words.starts_with("kind: ")), "{refused:?}");
    for kind in &names {
        assert_eq!(list(&mut tx, &about, Some(kind), &part).await.unwrap().reactions.len(), 1);
    }
}

#[tokio::test]
async fn what_an_earlier_version_listed_twice_is_shown_once_and_goes_with_the_reaction() {
    let pond = Pond::new();
    let activity = react(&pond, &["like"]).await;
    let (about, by_user) = (About::Activity(activity), About::User(UserId::parse("bob").unwrap()));
    let lists = [about.clone(), by_user];
    pond.app
        .write(async |tx| {
            for list in &lists {
                FEED_REACTIONS.put(tx, 1, &(list.clone(), MIXED.to_owned(), At(Pond::at(0)), "r0".to_owned()), &());
            }
            Ok(())
        })
        .await
        .unwrap();
    assert_eq!(page(&pond, &about, &Part { limit: 10, ..Part::default() }).await.0, ["r0"]);
    pond.app.write(async |tx| remove(tx, "r0", false, None, Pond::at(1)).await).await.unwrap();
    let mut tx = pond.app.snapshot();
    let left = FEED_REACTIONS.scan(&mut tx, 1, FEED_REACTIONS.range(1), store::Direction::Forward, store::Limit::PAGE);
    assert_eq!(left.await.unwrap().rows, []);
}
