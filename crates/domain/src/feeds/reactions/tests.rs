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
