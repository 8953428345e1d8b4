//! The facts of collections.

use super::*;
use crate::{
    feeds::pond::{Pond, broken},
    filter::{Filter, Sort},
    v3::query::LIMIT_MAX,
};

fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

fn draft(of: &str, custom: &str, owner: Option<&str>) -> Draft {
    Draft { of: Ref::parse(of).unwrap(), custom: Object::parse(custom).unwrap(), user: owner.map(user) }
}

async fn created(pond: &Pond, drafts: &[Draft]) -> Result<Vec<String>> {
    let now = pond.tick();
    pond.app.write(async |tx| create(tx, drafts, now).await).await.map(names)
}

fn names(all: Vec<Named>) -> Vec<String> {
    all.into_iter().map(|named| format!("{} {}", named.of, named.collection.custom)).collect()
}

async fn read(pond: &Pond, refs: &[&str]) -> Vec<String> {
    let refs: Vec<_> = refs.iter().map(|of| Ref::parse(of).unwrap()).collect();
    names(get_many(&mut pond.app.snapshot(), &refs).await.unwrap())
}

#[tokio::test]
async fn an_entry_is_made_once_and_one_that_is_not_there_is_left_out_of_what_is_read() {
    let pond = Pond::new();
    created(&pond, &[draft("movies:lotr", r#"{"title":"Rings"}"#, Some("amy"))]).await.unwrap();
    let again = created(&pond, &[draft("movies:lotr", r#"{"title":"Again"}"#, None)]).await;
    assert!(matches!(&again, Err(Error::Taken(_))), "{again:?}");
    assert_eq!(read(&pond, &["movies:dune", "movies:lotr"]).await, [r#"movies:lotr {"title":"Rings"}"#]);
}

#[tokio::test]
async fn of_several_entries_with_one_name_the_last_counts() {
    let pond = Pond::new();
    let drafts = [draft("m:a", r#"{"n":1}"#, None), draft("m:b", r#"{"n":2}"#, None), draft("m:a", r#"{"n":3}"#, None)];
    assert_eq!(created(&pond, &drafts).await.unwrap(), [r#"m:b {"n":2}"#, r#"m:a {"n":3}"#]);
}

#[tokio::test]
async fn an_entry_without_own_fields_is_refused_and_nothing_of_its_batch_is_stored() {
    let pond = Pond::new();
    let drafts = [draft("m:a", r#"{"n":1}"#, None), draft("m:b", "{}", None)];
    assert!(broken(created(&pond, &drafts).await).contains("at least one key"));
    assert!(read(&pond, &["m:a"]).await.is_empty());
}

#[tokio::test]
async fn an_upsert_replaces_the_own_fields_and_keeps_owner_and_age() {
    let pond = Pond::new();
    created(&pond, &[draft("m:a", r#"{"n":1,"old":true}"#, Some("amy"))]).await.unwrap();
    let (now, drafts) =
        (pond.tick(), [draft("m:a", r#"{"n":2}"#, Some("bob")), draft("m:b", r#"{"n":3}"#, Some("bob"))]);
    let all = pond.app.write(async |tx| upsert(tx, &drafts, None, now).await).await.unwrap();
    let told: Vec<_> =
        all.iter().map(|named| (named.collection.user.clone(), named.collection.custom.as_str())).collect();
    assert_eq!(told, [(Some(user("amy")), r#"{"n":2}"#), (Some(user("bob")), r#"{"n":3}"#)]);
    assert!(all[0].collection.created_at < all[0].collection.updated_at);
}

#[tokio::test]
async fn a_user_changes_and_removes_only_what_is_the_users_own() {
    let pond = Pond::new();
    created(&pond, &[draft("m:a", r#"{"n":1}"#, Some("amy")), draft("m:none", r#"{"n":1}"#, None)]).await.unwrap();
    let (now, bob) = (pond.tick(), user("bob"));
    for of in ["m:a", "m:none"] {
        let changes = [(Ref::parse(of).unwrap(), Object::parse(r#"{"n":2}"#).unwrap())];
        let changed = pond.app.write(async |tx| update(tx, &changes, Some(&bob), now).await).await;
        assert!(matches!(changed, Err(Error::NotAllowed(_))));
        let refs = [Ref::parse(of).unwrap()];
        assert!(pond.app.write(async |tx| delete(tx, &refs, Some(&bob)).await).await.is_err());
        let drafts = [draft(of, r#"{"n":2}"#, Some("bob"))];
        assert!(pond.app.write(async |tx| upsert(tx, &drafts, Some(&bob), now).await).await.is_err());
    }
    assert_eq!(read(&pond, &["m:a", "m:none"]).await, [r#"m:a {"n":1}"#, r#"m:none {"n":1}"#]);
}

#[tokio::test]
async fn an_update_of_an_unknown_entry_changes_nothing_of_its_batch() {
    let pond = Pond::new();
    created(&pond, &[draft("m:a", r#"{"n":1}"#, None)]).await.unwrap();
    let custom = || Object::parse(r#"{"n":2}"#).unwrap();
    let changes = [(Ref::parse("m:a").unwrap(), custom()), (Ref::parse("m:x").unwrap(), custom())];
    let now = pond.tick();
    let updated = pond.app.write(async |tx| update(tx, &changes, None, now).await).await;
    assert!(matches!(updated, Err(Error::Absent(_))));
    assert_eq!(read(&pond, &["m:a"]).await, [r#"m:a {"n":1}"#]);
}

#[tokio::test]
async fn a_query_goes_by_owner_name_and_own_fields_the_newest_first() {
    let pond = Pond::new();
    for (of, custom, owner) in [
        ("movies:a", r#"{"year":1999}"#, Some("amy")),
        ("movies:b", r#"{"year":2001}"#, Some("bob")),
        ("books:c", r#"{"year":2001}"#, Some("amy")),
    ] {
        created(&pond, &[draft(of, custom, owner)]).await.unwrap();
    }
    let found = async |filter: &str| {
        let asked = Query {
            filter: Filter::parse(filter, SCHEMA).unwrap(),
            sort: Sort::by(SORT),
            cursor: None,
            limit: LIMIT_MAX,
        };
        let page = query(&mut pond.app.snapshot(), None, &asked).await.unwrap();
        page.rows.into_iter().map(|named| named.of.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("{}").await, ["books:c", "movies:b", "movies:a"]);
    assert_eq!(found(r#"{"user_id":"amy"}"#).await, ["books:c", "movies:a"]);
    assert_eq!(found(r#"{"name":"movies","custom.year":{"$gte":2000}}"#).await, ["movies:b"]);
}

#[test]
fn a_reference_is_a_name_and_an_id_without_commas() {
    assert_eq!(Ref::parse("movies:a:b").unwrap(), Ref { name: "movies".into(), id: "a:b".into() });
    for text in ["movies", ":a", "movies:", "a,b:c", "a:b,c"] {
        assert!(Ref::parse(text).is_err(), "{text}");
    }
}
