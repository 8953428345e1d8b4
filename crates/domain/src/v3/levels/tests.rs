//! The facts of membership levels.

use super::*;
use crate::v3::{
    activities,
    members::Member,
    pond::{Pond, broken, draft, user},
};

async fn level(pond: &Pond, id: &str, tags: &[&str]) -> Result<Known> {
    let tags = Some(tags.iter().map(|tag| (*tag).to_owned()).collect());
    let (change, now) = (Change { name: Some(id.to_uppercase()), tags, ..Change::default() }, pond.tick());
    pond.app.write(async |tx| add(tx, id, &change, now).await).await
}

async fn sees(pond: &Pond, who: &str) -> bool {
    let mut tx = pond.app.snapshot();
    let (_, activity) = activities::load(&mut tx, "a1").await.unwrap();
    opens(&mut tx, &activity, &user(who)).await.unwrap()
}

#[tokio::test]
async fn a_tagged_activity_is_open_to_its_author_and_to_members_whose_level_has_the_tag() {
    let pond = Pond::new();
    level(&pond, "gold", &["premium", "extra"]).await.unwrap();
    level(&pond, "tin", &["cheap"]).await.unwrap();
    let feed = pond.feed("user:amy").await;
    for (who, id) in [("bob", "gold"), ("cat", "tin")] {
        let member = Member { level: Some(id.into()), ..Member::new(pond.tick()) };
        pond.write(async |tx| members::put(tx, &feed.stream, &user(who), &member).await).await;
    }
    let mut tagged = draft("a1", "amy", &["user:amy"]);
    tagged.content.audience = Audience::Tag("premium".into());
    pond.try_add(None, &tagged).await.unwrap();
    assert_eq!((sees(&pond, "amy").await, sees(&pond, "bob").await), (true, true));
    assert_eq!((sees(&pond, "cat").await, sees(&pond, "dan").await), (false, false));
    pond.write(async |tx| remove(tx, "gold").await).await;
    assert!(!sees(&pond, "bob").await);
}

#[tokio::test]
async fn a_level_is_made_once_changed_in_part_and_must_be_there() {
    let pond = Pond::new();
    level(&pond, "gold", &["premium"]).await.unwrap();
    assert!(broken(level(&pond, "gold", &[]).await).contains("already exists"));
    let (change, now) = (Change { priority: Some(9), ..Change::default() }, pond.tick());
    let known = pond.write(async |tx| update(tx, "gold", &change, now).await).await;
    assert_eq!((known.level.priority, known.level.tags), (9, vec!["premium".to_owned()]));
    assert!(broken(pond.app.write(async |tx| update(tx, "none", &change, now).await).await).contains("not found"));
    assert!(broken(pond.app.write(async |tx| remove(tx, "none").await).await).contains("not found"));
    assert!(broken(pond.app.write(async |tx| check(tx, "none").await).await).contains("there is no level"));
}
