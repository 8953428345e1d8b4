use std::sync::Arc;

use super::*;
use crate::{
    chat::{
        messages::Draft,
        pond::{Pond, broken, channel, message, user},
    },
    settings::Settings,
};

fn here(end_at: Option<Timestamp>) -> Location {
    Location { latitude: 60.0, longitude: 25.0, device: "d".into(), end_at, updated_at: Timestamp::from_micros(0) }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(2_000_000_000_000_000 + seconds * 1_000_000)
}

/// A pond that shares locations.
async fn pond() -> Pond {
    let mut pond = Pond::new().await;
    let others = r#"{"shared_locations_enabled":true}"#.to_owned();
    pond.app.settings = Arc::new(Settings { others, ..Settings::default() });
    pond.set_type(|config| config.shared_locations = true).await;
    pond
}

impl Pond {
    async fn shares(&self, id: &str, location: Location) -> Result<Message> {
        let draft = Draft { location: Some(location), ..Draft::text(Some(user("amy")), "") };
        self.send_as(Some("amy"), id, &draft).await
    }

    async fn moves(&self, who: &str, id: &str, change: Update, now: Timestamp) -> Result<Message> {
        self.app.write(async |tx| update(tx, None, &user(who), &message(id), &change, now).await).await
    }

    /// Messages with live locations of amy, and in the channel.
    async fn live(&self, now: Timestamp) -> (String, String) {
        let ids =
            |list: Vec<(MessageId, Message)>| list.iter().map(|(id, _)| id.to_string()).collect::<Vec<_>>().join(" ");
        let mut tx = self.app.snapshot();
        let own = of_user(&mut tx, &user("amy"), now).await.unwrap();
        (ids(own), ids(of_channel(&mut tx, &channel(), now).await.unwrap()))
    }
}

fn both(ids: &str) -> (String, String) {
    (ids.to_owned(), ids.to_owned())
}

#[tokio::test]
async fn a_location_without_an_end_is_told_once_and_one_with_an_end_is_live_until_then() {
    let pond = pond().await;
    pond.shares("once", here(None)).await.unwrap();
    pond.shares("live", here(Some(at(10)))).await.unwrap();
    assert_eq!(pond.live(at(9)).await, both("live"));
    assert_eq!(pond.live(at(10)).await, both(""));
    assert_eq!(pond.get("once").await.unwrap().location.unwrap().latitude, 60.0);
}

#[tokio::test]
async fn its_user_moves_a_live_location_extends_it_and_ends_it() {
    let pond = pond().await;
    pond.shares("m", here(Some(at(10)))).await.unwrap();
    let east = Update { longitude: Some(26.0), end_at: Some(at(20)), ..Update::default() };
    let moved = pond.moves("amy", "m", east, at(5)).await.unwrap().location.unwrap();
    assert_eq!((moved.latitude, moved.longitude, moved.end_at), (60.0, 26.0, Some(at(20))));
    assert_eq!(pond.live(at(15)).await, both("m"));
    let end = Update { end_at: Some(at(1)), ..Update::default() };
    pond.moves("amy", "m", end, at(16)).await.unwrap();
    assert_eq!(pond.live(at(16)).await, both(""));
    assert!(broken(pond.moves("amy", "m", Update::default(), at(17)).await).contains("no live location"));
    assert_eq!(pond.told().await.iter().filter(|kind| *kind == "message.updated").count(), 2);
}

#[tokio::test]
async fn nobody_moves_anothers_location_or_one_that_is_over_or_never_was_live() {
    let pond = pond().await;
    pond.shares("once", here(None)).await.unwrap();
    pond.shares("live", here(Some(at(10)))).await.unwrap();
    let to = || Update { latitude: Some(1.0), ..Update::default() };
    assert!(broken(pond.moves("bob", "live", to(), at(1)).await).contains("has no message"));
    assert!(broken(pond.moves("amy", "live", to(), at(11)).await).contains("no live location"));
    assert!(broken(pond.moves("amy", "once", to(), at(1)).await).contains("no live location"));
    let off = Update { latitude: Some(91.0), ..Update::default() };
    assert!(broken(pond.moves("amy", "live", off, at(1)).await).contains("latitude"));
}

#[tokio::test]
async fn a_location_is_a_place_on_earth_and_ends_later_and_is_shared_where_app_and_channel_do() {
    let mut pond = pond().await;
    for (wrong, rule) in [
        (Location { latitude: 90.5, ..here(None) }, "latitude"),
        (Location { longitude: f64::NAN, ..here(None) }, "longitude"),
        (Location { device: "x".repeat(256), ..here(None) }, "created_by_device_id"),
        (here(Some(Timestamp::from_micros(1))), "end_at"),
    ] {
        assert!(broken(pond.shares("x", wrong).await).contains(rule), "{rule}");
    }
    pond.set_type(|_| {}).await;
    assert!(matches!(pond.shares("x", here(None)).await, Err(Error::FeatureOff(text)) if text.contains("not enabled")));
    pond.set_type(|config| config.shared_locations = true).await;
    pond.app.settings = Arc::default();
    assert!(matches!(pond.shares("x", here(None)).await, Err(Error::FeatureOff(text)) if text.contains("not enabled")));
}

#[tokio::test]
async fn a_location_goes_with_its_message_and_with_its_user() {
    let pond = pond().await;
    for id in ["a", "b", "c"] {
        pond.shares(id, here(Some(at(10)))).await.unwrap();
    }
    let now = pond.tick();
    messages::delete_for_good(&pond.app, None, &message("a"), None, now).await.unwrap();
    assert_eq!(pond.live(at(1)).await, both("b c"));
    pond.write(async |tx| messages::delete(tx, None, &message("b"), None, now).await).await;
    assert_eq!(pond.live(at(1)).await, both("c"));
    pond.write(async |tx| forget_user(tx, &user("amy"), Limit::rows(10)).await).await;
    assert_eq!((pond.live(at(1)).await, pond.get("c").await.unwrap().location), (both(""), None));
}
