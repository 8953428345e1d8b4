//! The connector looks after itself: backup and restore, doctor, the check of its key.

use std::io::Cursor;

use connector::backup;
use serde_json::{Value, json};

use crate::place::*;

async fn called(place: &Place, path: &str) -> Value {
    let reply = place.call("POST", path, &json!({})).await;
    assert_eq!(reply.status, 200, "{path}");
    reply.json()
}

#[tokio::test]
async fn a_backup_brings_back_requests_packages_and_the_audit_log() {
    let mut place = Place::new().await;
    let request = place.access(user_id("amy")).await;
    let mut file = Cursor::new(Vec::new());
    let summary = place.connector().backup(&mut file).unwrap();
    assert!(summary.rows > 10 && summary.bodies >= 4, "{summary:?}");
    let text = String::from_utf8_lossy(file.get_ref()).into_owned();
    assert!(!text.contains(SECRET) && !text.contains("amy@example.com"), "it is as sealed as the directory");
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(backup::restore(&mut file, dir.path()).unwrap(), summary);
    let old = std::mem::replace(&mut place.dir, dir);
    place.reopen().await;
    drop(old);
    assert_eq!(state(&place.request(&request.id).await), FOUND);
    let package = place.package(&request).await;
    assert!(connector::package::verify(Cursor::new(&package.0)).is_ok());
    assert!(connector::audit::verify(place.connector().store()).await.unwrap().is_ok());
    assert_eq!(state(&place.access(user_id("amy")).await), FOUND, "its credentials open");
}

#[tokio::test]
async fn a_damaged_backup_and_a_full_directory_are_refused() {
    let place = Place::new().await;
    place.access(user_id("amy")).await;
    let mut file = Cursor::new(Vec::new());
    place.connector().backup(&mut file).unwrap();
    let bytes = file.into_inner();
    let half = bytes.len() / 2;
    let mut flipped = bytes.clone();
    flipped[half] ^= 1;
    let empty = tempfile::tempdir().unwrap();
    assert!(backup::restore(Cursor::new(flipped), empty.path()).is_err());
    assert!(backup::restore(Cursor::new(&bytes[..half]), empty.path()).is_err());
    assert!(backup::restore(Cursor::new(&bytes), place.dir.path()).is_err(), "there is a connector");
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong() {
    let place = Place::new().await;
    let fine = called(&place, "/v1/doctor").await;
    assert_eq!(fine["ok"], true, "{fine}");
    let what: Vec<&str> =
        fine["findings"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["lock", "disk", "key", "audit", "integration Stream", "clock", "overdue"]);
    place.ask(&connector::NewRequest::new(connector::requests::Kind::Access, vec![user_id("amy")])).await;
    place.clock.advance(60 * DAY);
    place.upstream.set(|world| world.secret = "another".to_owned());
    let ill = called(&place, "/v1/doctor").await;
    assert_eq!(ill["ok"], false);
    let wrong: Vec<&Value> = ill["findings"].as_array().unwrap().iter().filter(|one| one["ok"] == false).collect();
    assert_eq!(wrong.len(), 2, "{ill}");
    assert!(wrong[0]["message"].as_str().unwrap().contains("does not belong to this key"), "{ill}");
    assert_eq!(wrong[1]["message"], "1 of 1 open requests are overdue");
}

#[tokio::test]
async fn the_key_is_seen_to_open_everything() {
    let place = Place::new().await;
    place.access(user_id("amy")).await;
    let shown = called(&place, "/v1/keys/verify").await;
    assert_eq!(shown["ok"], true);
    assert_eq!(shown["kek_id"], kek().id());
    assert!(shown["data_keys"].as_u64().unwrap() >= 4, "pepper, signing key, integration and request: {shown}");
}

#[tokio::test]
async fn check_41_the_log_is_mirrored_to_a_file_that_goes_on_where_it_ended() {
    let place = Place::new().await;
    let (dir, file) = (tempfile::tempdir().unwrap(), tempfile::NamedTempFile::new().unwrap());
    let open = async || place.open(dir.path()).await.unwrap().with_audit_mirror(file.path()).await;
    let lines = |connector: connector::Connector| async move {
        while connector.mirror_audit().await.unwrap() > 0 {}
        let entries = connector::audit::list(connector.store(), 0).await.unwrap();
        entries.iter().map(|entry| entry.to_json() + "\n").collect::<String>()
    };
    let first = lines(open().await.unwrap()).await;
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), first);
    // The power went while a line was written.
    std::fs::write(file.path(), &first[..first.len() - 10]).unwrap();
    let second = lines(open().await.unwrap()).await;
    assert!(second.len() > first.len(), "every start is an entry");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), second);
    let mirrored = connector::audit::verify_mirror(second.as_bytes()).unwrap().unwrap();
    assert_eq!(mirrored.entries, second.lines().count() as u64);
    // A file of somebody else, and one of another log, stay as they are.
    let foreign = second.replace("\"hash\":\"", "\"hash\":\"0");
    for text in ["passwords", "passwords\n", &foreign] {
        std::fs::write(file.path(), text).unwrap();
        let refused = open().await.err().unwrap().to_string();
        assert!(refused.contains("name another file"), "{refused}");
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
    }
}
