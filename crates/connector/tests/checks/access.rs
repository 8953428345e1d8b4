//! Access: §8, §9, §10.

use std::io::{Cursor, Write as _};

use connector::{
    NewRequest,
    package::{self, Error},
    requests::{Flag, Kind},
    status::{Outcome, Reason, Status},
};
use serde_json::json;
use testing::upstream::{Fault, calls};
use zip::write::SimpleFileOptions;

use crate::place::*;

#[tokio::test]
async fn check_01_calls_carry_key_and_token_and_no_bearer() {
    let place = Place::new().await;
    place.access(user_id("amy")).await;
    for seen in place.upstream.seen() {
        assert_eq!(seen.query["api_key"], KEY);
        assert_eq!(seen.headers["stream-auth-type"], "jwt");
        assert!(seen.headers["authorization"].starts_with("eyJ"), "no scheme before the token");
        assert_eq!(seen.headers["accept-encoding"], "gzip, deflate");
        assert!(seen.headers.contains_key("x-client-request-id"));
    }
}

#[tokio::test]
async fn check_06_access_is_three_calls_in_order_and_every_byte_is_kept() {
    let place = Place::new().await;
    let raw = br#"{"user":{"id":"amy","x":1.50},"messages":[{"id":"1","n":12345678901234567890}],"new":[1e400]}"#;
    place.upstream.set(|world| world.raw_exports.insert("amy".into(), raw.to_vec()));
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    assert_eq!(place.upstream.calls(), [calls::QUERY, calls::EXPORT, calls::REPORT]);
    let package = place.package(&request).await;
    assert_eq!(package.bytes("users/1/export.json"), raw);
    assert_eq!(package.json("users/1/user.json")["email"], "amy@example.com");
    assert_eq!(package.json("users/1/moderation_report.json")["flags_received"][0]["reason"], "spam");
    let manifest = package.json("manifest.json");
    assert_eq!((&manifest["complete"], &manifest["subjects"][0]["user_id"]), (&json!(true), &json!("amy")));
    assert!(package.text("users/1/messages.jsonl").contains("12345678901234567890"));
}

#[tokio::test]
async fn a_package_tells_every_call_with_its_path_and_how_many_records_each_file_holds() {
    let place = Place::new().await;
    place.upstream.fail(calls::EXPORT, 1, Fault::Status(500, -1));
    let request = place.access(user_id("amy")).await;
    let package = place.package(&request).await;
    let told = package.json("calls.json");
    let told = told.as_array().unwrap().iter().map(|call| (&call["call"], &call["path"], &call["status"]));
    let expected = [
        (json!("resolve"), json!("/users"), json!(200)),
        (json!("export_user"), json!("/users/{id}/export"), json!(500)),
        (json!("export_user"), json!("/users/{id}/export"), json!(200)),
        (json!("user_report"), json!("/moderation/user_report"), json!(200)),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
    let manifest = package.json("manifest.json");
    let files = manifest["files"].as_array().unwrap();
    let records = |path: &str| files.iter().find(|file| file["path"] == path).unwrap()["records"].clone();
    for (path, count) in [
        ("users/1/user.json", json!(1)),
        ("users/1/export.json", json!(2)),
        ("users/1/messages.jsonl", json!(1)),
        ("users/1/messages.csv", json!(1)),
        ("users/1/reactions.jsonl", json!(1)),
        ("users/1/moderation_report.json", json!(1)),
        ("calls.json", json!(null)),
    ] {
        assert_eq!(records(path), count, "{path}");
    }
    // To the two seconds that an archive knows.
    let mut zip = zip::ZipArchive::new(Cursor::new(&package.0)).unwrap();
    let times: Vec<String> =
        (0..zip.len()).map(|at| zip.by_index(at).unwrap().last_modified().unwrap().to_string()).collect();
    let generated_at = manifest["generated_at"].as_str().unwrap();
    let minute = generated_at[..16].replace('T', " ");
    assert!(times.iter().all(|time| time.starts_with(&minute)), "{generated_at}: {times:?}");
}

#[tokio::test]
async fn check_07_an_email_address_finds_its_user_whatever_its_case() {
    let place = Place::new().await;
    let request = place.access(email("Amy@Example.COM")).await;
    assert_eq!(state(&request), FOUND);
    let payload = &place.upstream.seen()[0].query["payload"];
    assert!(payload.contains(r#""include_deactivated_users":true"#), "{payload}");
}

#[tokio::test]
async fn check_08_nobody_is_no_records_and_an_error_is_an_error() {
    let place = Place::new().await;
    let request = place.access(email("bob@example.com")).await;
    assert_eq!(state(&request), (Status::Complete, Some(Outcome::NoRecordsFound), None));
    place.upstream.fail(calls::QUERY, usize::MAX, Fault::Status(500, -1));
    let request = place.access(email("eve@example.com")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::None), Some(Reason::UpstreamTrouble)));
}

#[tokio::test]
async fn check_09_three_users_for_one_email_are_three_folders_of_an_access() {
    let place = Place::new().await;
    place.upstream.set(|world| ["bob", "eve"].map(|id| world.add(id, "amy@example.com")));
    let request = place.access(email("amy@example.com")).await;
    assert_eq!(state(&request), FOUND);
    assert!(place.detail(&request).await.execution.flags.contains(&Flag::MultipleMatches));
    let names = place.package(&request).await.names();
    for folder in 1..=3 {
        assert!(names.contains(&format!("users/{folder}/export.json")), "{names:?}");
    }
}

#[tokio::test]
async fn check_10_pages_are_read_to_the_end_and_loops_are_noticed() {
    let place = Place::new().await;
    place.upstream.set(|world| (0..250).for_each(|n| world.add(&format!("u{n:03}"), "all@example.com")));
    let asked = place.ask(&NewRequest::new(Kind::Access, vec![email("all@example.com")])).await;
    let request = place.finish(&asked.id).await;
    assert_eq!(state(&request), (Status::Held, None, Some(Reason::MultipleMatches)), "more than 25 are held");
    let detail = place.detail(&request).await;
    assert_eq!(detail.targets.len(), 250);
    assert_eq!(place.upstream.count(calls::QUERY), 3);
    place.upstream.set(|world| world.loops = true);
    let request = place.delete(email("all@example.com")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::None), Some(Reason::PaginationLoop)));
}

#[tokio::test]
async fn check_11_strangers_are_neither_exported_nor_deleted() {
    let place = Place::new().await;
    place.upstream.set(|world| {
        world.add("bob", "bob@example.com");
        world.ignores_filters = true;
    });
    for request in [place.access(email("amy@example.com")).await, place.delete(email("amy@example.com")).await] {
        assert_eq!(state(&request), (Status::Failed, Some(Outcome::None), Some(Reason::FilterIgnored)));
    }
    assert_eq!(place.upstream.count(calls::EXPORT), 0);
    assert!(place.upstream.deletions().is_empty());
}

/// The archive again, with one file changed, left out or added.
fn forged(package: &Package, change: &str, text: Option<&[u8]>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in package.names() {
        let bytes = package.bytes(&name);
        let bytes = if name == change { text.map(<[u8]>::to_vec) } else { Some(bytes) };
        if let Some(bytes) = bytes {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
            zip.write_all(&bytes).unwrap();
        }
    }
    if !package.names().iter().any(|name| name == change) {
        zip.start_file(change, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.unwrap()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn check_12_a_changed_missing_or_extra_file_is_found() {
    let place = Place::new().await;
    let request = place.access(user_id("amy")).await;
    let package = place.package(&request).await;
    let whole = package::verify(Cursor::new(&package.0)).unwrap();
    assert_eq!((whole.request_id, whole.public_key), (request.id, place.connector().public_key()));
    let verify = |bytes: Vec<u8>| package::verify(Cursor::new(bytes)).unwrap_err();
    let mut user = package.bytes("users/1/user.json");
    user[3] ^= 1;
    assert!(matches!(verify(forged(&package, "users/1/user.json", Some(&user))), Error::Changed(_)));
    assert!(matches!(verify(forged(&package, "users/1/user.json", None)), Error::Missing(_)));
    assert!(matches!(verify(forged(&package, "users/1/extra", Some(b"x"))), Error::Extra(_)));
    let manifest = package.text("manifest.json").replace("true", "false");
    assert!(matches!(verify(forged(&package, "manifest.json", Some(manifest.as_bytes()))), Error::Signature));
}

#[tokio::test]
async fn check_12_a_bit_that_was_turned_anywhere_is_found() {
    let place = Place::new().await;
    let request = place.access(user_id("amy")).await;
    let whole = place.package(&request).await.0;
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        assert!(package::verify(Cursor::new(changed)).is_err(), "byte {at} of {}", whole.len());
    }
    for changed in [[&whole[..], b"x"].concat(), [b"x", &whole[..]].concat(), whole[..whole.len() - 1].to_vec()] {
        assert!(package::verify(Cursor::new(changed)).is_err());
    }
}

#[tokio::test]
async fn check_12_an_archive_with_the_same_files_that_was_packed_anew_is_found() {
    let place = Place::new().await;
    let request = place.access(user_id("amy")).await;
    let package = place.package(&request).await;
    let readme = package.bytes("README.txt");
    let anew = forged(&package, "README.txt", Some(&readme));
    assert!(matches!(package::verify(Cursor::new(anew)), Err(Error::Repacked)));
    // A comment of somebody else's is none of ours either.
    let mut zip = zip::ZipWriter::new_append(Cursor::new(package.0.clone())).unwrap();
    zip.set_comment("millpond.privacy.archive/1 ".to_owned() + &"A".repeat(88)).unwrap();
    let anew = zip.finish().unwrap().into_inner();
    assert!(matches!(package::verify(Cursor::new(anew)), Err(Error::Repacked)));
}

#[tokio::test]
async fn the_page_shows_profile_messages_by_channel_reactions_and_reports() {
    let place = Place::new().await;
    place.upstream.set(|world| {
        world.users.get_mut("amy").unwrap()["shoe_size"] = json!({"eu": 39});
        let said =
            |channel: &str, text: &str| json!({"cid": channel, "text": text, "created_at": "2026-01-01T00:00:00Z"});
        let messages =
            json!([said("messaging:ice", "first"), said("messaging:snow", "second"), said("messaging:ice", "third")]);
        let many: Vec<_> = (0..2_000).map(|n| json!({"type": format!("clap-{n}"), "message_id": "m"})).collect();
        world.exports.insert("amy".into(), json!({"messages": messages, "reactions": many}));
    });
    let request = place.access(user_id("amy")).await;
    let page = place.package(&request).await.text("index.html");
    let order = [
        "<h3>Profile",
        "shoe_size",
        "Messages in messaging:ice",
        "first",
        "third",
        "Messages in messaging:snow",
        "second",
        "<h3>Reactions",
        "clap-999",
        "all of them are in reactions.jsonl",
        "<h3>Reports",
        "flags_received",
        "spam",
    ];
    let places: Vec<usize> =
        order.iter().map(|text| page.find(text).unwrap_or_else(|| panic!("no {text}: {page}"))).collect();
    assert!(places.is_sorted(), "{order:?} at {places:?}");
    assert!(!page.contains("clap-1000"));
}

/// Texts that programs take for something else: tables, pages, terminals, file systems, and readers of right-to-left.
const HOSTILE: &[&str] = &[
    "../../x",
    "..\\..\\x",
    "/etc/passwd",
    "C:\\x",
    "CON",
    "nul.txt",
    "a\0b",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</title><script>",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "a\r\nb,c",
    "amy\u{202e}piz.exe",
    "\u{2066}x\u{2069}",
    "\u{1b}[2J",
    "'; DROP TABLE users; --",
    "{{7*7}}",
];

#[tokio::test]
async fn check_12_every_hostile_id_and_text_is_inert_in_every_file() {
    let place = Place::new().await;
    let long = "x".repeat(1_000);
    for (number, hostile) in HOSTILE.iter().copied().chain([long.as_str()]).enumerate() {
        let address = format!("h{number}@example.com");
        place.upstream.set(|world| {
            world.add(hostile, &address);
            let message =
                json!({"id": hostile, "text": hostile, "cid": hostile, "type": hostile, "created_at": hostile});
            world.exports.insert(hostile.into(), json!({"messages": [message], "reactions": [{"type": hostile}]}));
        });
        let request = place.access(email(&address)).await;
        assert_eq!(state(&request), FOUND, "{hostile:?}");
        let package = place.package(&request).await;
        assert!(package::verify(Cursor::new(&package.0)).is_ok(), "{hostile:?}");
        let is_ours = |name: &String| {
            name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'))
                && !name.contains("..")
                && !name.starts_with('/')
                && name.len() < 64
        };
        assert!(package.names().iter().all(is_ours), "{hostile:?}: {:?}", package.names());
        let page = package.text("index.html");
        for harm in ["<script", "<img", "\0", "\u{1b}", "\u{202e}", "\u{2066}"] {
            assert!(!page.contains(harm), "{hostile:?}: {page}");
            assert!(!package.text("README.txt").contains(harm));
        }
        // Each message is one row of as many cells as the head has, none of which is a formula.
        let table = package.text("users/1/messages.csv");
        for row in cells(&table) {
            assert_eq!(row.len(), cells(&table)[0].len(), "{hostile:?}: {table:?}");
            assert!(
                row.iter().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])),
                "{hostile:?}: {table:?}"
            );
        }
        assert_eq!(cells(&table).len(), 2, "{hostile:?}: {table:?}");
        assert_eq!(package.text("users/1/messages.jsonl").lines().count(), 1);
        assert_eq!(package.json("manifest.json")["subjects"][0]["user_id"], hostile, "what came is kept as it came");
    }
}

#[test]
fn identifiers_that_no_service_has_are_refused_before_anything_is_asked() {
    use connector::requests::{Category, GivenIdentifier};
    let long = "x".repeat(256);
    for bad in ["", "a\0b", "a\u{1b}[2J", "a\r\nb", "a\tb", &long] {
        assert!(GivenIdentifier::new(Category::UserId, bad).is_err(), "{bad:?}");
    }
    for bad in ["", "amy", "@", "a@b@c", "amy@example.com\0", "amy@\r\nexample.com", &format!("{long}@example.com")] {
        assert!(GivenIdentifier::new(Category::Email, bad).is_err(), "{bad:?}");
    }
}

/// A table as RFC 4180 reads it.
fn cells(table: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = table.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.push(chars.next().unwrap()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    rows
}

#[tokio::test]
async fn check_12_hostile_ids_and_texts_are_inert() {
    let place = Place::new().await;
    place.upstream.set(|world| {
        world.add("../../x", "x@example.com");
        let hostile = json!({"messages": [
            {"id": "=1+1", "text": "<script>alert(1)</script>", "cid": "a\r\nb"},
            {"id": "2", "text": "@SUM(A1)"},
        ]});
        world.exports.insert("../../x".into(), hostile);
    });
    let request = place.access(user_id("../../x")).await;
    assert_eq!(state(&request), FOUND);
    let package = place.package(&request).await;
    assert!(package.names().iter().all(|name| !name.contains("..") && !name.starts_with('/')), "{:?}", package.names());
    assert!(!package.text("index.html").contains("<script"));
    let table = package.text("users/1/messages.csv");
    assert!(table.contains("'=1+1") && table.contains("'@SUM(A1)"), "{table}");
    assert!(package::verify(Cursor::new(&package.0)).is_ok());
}

#[tokio::test]
async fn check_13_a_body_that_is_cut_off_is_fetched_again() {
    let place = Place::new().await;
    place.upstream.fail(calls::EXPORT, 2, Fault::Truncate);
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    assert_eq!(place.upstream.count(calls::EXPORT), 3);
}

#[tokio::test]
async fn check_14_what_is_too_large_is_exported_as_a_file_and_links_are_refreshed() {
    let place = Place::new().await;
    place.upstream.set(|world| {
        world.too_large.insert("amy".into());
        world.expired_links = 1;
    });
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    let package = place.package(&request).await;
    assert!(package.text("users/1/async/export.jsonl").contains("old"));
    let files: Vec<_> = place.upstream.seen().into_iter().filter(|seen| seen.call == calls::FILE).collect();
    assert_eq!(files.len(), 2);
    assert!(
        files.iter().all(|seen| !seen.headers.contains_key("authorization") && !seen.query.contains_key("api_key"))
    );
}

#[tokio::test]
async fn a_call_that_fails_for_good_makes_the_package_incomplete_and_the_request_failed() {
    let place = Place::new().await;
    place.upstream.fail(calls::REPORT, usize::MAX, Fault::Status(403, 17));
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), (Status::Failed, Some(Outcome::Partial), Some(Reason::PermissionMissing)));
    let package = place.package(&request).await;
    assert!(package.text("index.html").contains("INCOMPLETE"));
    assert_eq!(package.json("manifest.json")["complete"], false);
}

#[tokio::test]
async fn a_user_who_vanishes_meanwhile_is_stated() {
    let place = Place::new().await;
    place.upstream.fail(calls::EXPORT, 1, Fault::Status(404, 16));
    let request = place.access(user_id("amy")).await;
    assert!(place.detail(&request).await.execution.flags.contains(&Flag::Gone));
    let manifest = place.package(&request).await.json("manifest.json");
    assert_eq!(manifest["gaps"][0]["why"], "gone");
}

#[tokio::test]
async fn files_that_messages_name_are_fetched_from_allowed_hosts_and_what_fails_is_listed() {
    let place = Place::with(|new| new.contents.include_files = true).await;
    let url = place.upstream.url();
    place.upstream.set(|world| {
        world.files.insert("/files/pic".into(), b"a picture".to_vec());
        let message = json!({"id": "1", "text": "look", "attachments": [
            {"image_url": format!("{url}/files/pic")},
            {"asset_url": "https://elsewhere.example/x"},
            {"asset_url": format!("{url}/gone")},
            {"image_url": format!("{url}/files/pic")},
        ]});
        world.exports.insert("amy".into(), json!({"messages": [message]}));
    });
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    let package = place.package(&request).await;
    assert_eq!(package.text("users/1/files/0001"), "a picture");
    let listed = package.json("users/1/files.json");
    assert_eq!(listed.as_array().unwrap().len(), 3, "each is named once");
    let gaps = package.json("manifest.json")["gaps"].clone();
    let why: Vec<&str> = gaps.as_array().unwrap().iter().map(|gap| gap["why"].as_str().unwrap()).collect();
    assert_eq!(why, ["its host is not allowed", "it cannot be fetched: status 401"]);
    let files: Vec<_> = place.upstream.seen().into_iter().filter(|seen| seen.path.starts_with("/files/")).collect();
    assert!(files.iter().all(|seen| !seen.headers.contains_key("authorization")));
    // The log has the attempts, and no address.
    let fetched = place.fetched("attachment").await;
    assert_eq!(fetched, [("1".to_owned(), "200".to_owned()), ("1".to_owned(), "401".to_owned())]);
    assert!(package::verify(Cursor::new(&package.0)).is_ok());
}

#[tokio::test]
async fn others_are_masked_in_what_is_made_for_people_and_with_raw_false_everywhere() {
    let with_others = |place: &Place| {
        place.upstream.set(|world| {
            let message = json!({
                "id": "1", "text": "hi Robert", "user": {"id": "amy", "name": "Amy"},
                "mentioned_users": [{"id": "bob-7", "name": "Robert"}],
            });
            world.exports.insert("amy".into(), json!({"messages": [message], "reactions": []}));
            world.reports.insert("amy".into(), json!({"flags": [{"user": {"id": "bob-7"}, "reason": "spam"}]}));
        });
    };
    let place = Place::with(|new| new.contents.redact_others = true).await;
    with_others(&place);
    let request = place.access(user_id("amy")).await;
    let package = place.package(&request).await;
    for view in ["users/1/messages.jsonl", "users/1/messages.csv"] {
        let text = package.text(view);
        assert!(!text.contains("bob-7") && !text.contains("Robert") && text.contains("person-"), "{view}: {text}");
    }
    assert!(package.text("users/1/export.json").contains("bob-7"), "what came stays as it came");
    let place = Place::with(|new| {
        new.contents.redact_others = true;
        new.contents.raw = false;
    })
    .await;
    with_others(&place);
    let request = place.access(user_id("amy")).await;
    assert_eq!(state(&request), FOUND);
    let package = place.package(&request).await;
    assert!(!package.names().contains(&"users/1/export.json".to_owned()));
    assert!(!package.text("users/1/moderation_report.json").contains("bob-7"));
    let manifest = package.json("manifest.json");
    assert_eq!((&manifest["complete"], &manifest["gaps"][0]["what"]), (&json!(true), &json!("export.json")));
    let mut half = place.stream();
    (half.name, half.contents.raw) = ("half".into(), false);
    assert!(place.connector().connect(&half, pair(KEY, SECRET)).await.is_err(), "raw=false needs redact_others");
}
