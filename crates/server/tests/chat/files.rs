//! Uploads (§11.10, v2 §7.5).

use http::Method;
use serde_json::{Value, json};

use crate::{
    messages::{ROOM, room},
    pond::{Answer, Client},
};

/// A form with these fields: name, file name if it is a file, content.
fn form(fields: &[(&str, Option<&str>, &str)]) -> String {
    let mut form = String::new();
    for (name, file, content) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        form += &format!("--frontier\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n");
    }
    form + "--frontier--\r\n"
}

fn sender(client: &Client) -> Client {
    client.header("content-type", "multipart/form-data; boundary=frontier").header("host", "pond.test")
}

async fn upload(client: &Client, path: &str, fields: &[(&str, Option<&str>, &str)]) -> Answer {
    sender(client).call(Method::POST, path, form(fields)).await
}

/// The path and query of a URL that the server answered, as the tests call it.
fn path(answer: &Value) -> String {
    answer["file"].as_str().unwrap().strip_prefix("http://pond.test/").unwrap().to_owned()
}

fn escaped(url: &str) -> String {
    form_urlencoded::byte_serialize(url.as_bytes()).collect()
}

#[tokio::test]
async fn a_file_is_uploaded_read_back_and_deleted() {
    let lake = room().await;
    let user = r#"{"id":"amy"}"#;
    let fields = [("user", None, user), ("file", Some("/home/amy/HelloWorld.txt"), "hello")];
    let answer = upload(&lake, &format!("{ROOM}/file"), &fields).await.ok(201);
    let path = path(&answer);
    assert!(path.contains("/HelloWorld.txt?") && path.contains("Expires=1768435200"), "{path}");
    let nobody = lake.token(None);
    let file = nobody.get(&path).await;
    assert_eq!((file.status, file.text.as_str()), (200, "hello"));
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-length", "5"),
        ("content-disposition", "attachment; filename*=UTF-8''HelloWorld.txt"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "default-src 'none'; sandbox"),
    ] {
        assert_eq!(file.headers[name], value, "{name}");
    }
    let url = escaped(answer["file"].as_str().unwrap());
    assert_eq!(lake.delete(&format!("{ROOM}/file?url={url}")).await.ok(200), json!({}));
    assert_eq!(nobody.get(&path).await.status, 404);
    assert_eq!(lake.delete(&format!("{ROOM}/file?url={url}")).await.ok(200), json!({}));
    assert_eq!(lake.delete(&format!("{ROOM}/file")).await.refusal(), (400, 4));
}

#[tokio::test]
async fn an_image_is_called_like_one_and_need_not_be_one() {
    let lake = room().await;
    let sizes = r#"[{"width":100,"height":50,"resize":"clip"}]"#;
    let fields = [
        ("user", None, r#"{"id":"amy"}"#),
        ("upload_sizes", None, sizes),
        ("file", Some("duck.jpg"), "no image at all"),
    ];
    let answer = upload(&lake.v2(), &format!("chat/{ROOM}/image"), &fields).await.ok(201);
    assert_eq!(answer["upload_sizes"], json!([{ "width": 100, "height": 50, "resize": "clip" }]));
    assert!(answer["file"].as_str().unwrap().contains("duck.jpg"));
    let fields = [("file", Some("duck.exe"), "x")];
    assert_eq!(upload(&lake, &format!("{ROOM}/image"), &fields).await.refusal(), (400, 4));
}

#[tokio::test]
async fn uploads_outside_of_channels_work_in_both_dialects() {
    let lake = room().await;
    let fields = [("file", Some("a b.txt"), "x"), ("user", None, r#"{"id":"new-user"}"#)];
    let answer = upload(&lake.v2(), "uploads/file", &fields).await.ok(201);
    assert!(answer["file"].as_str().unwrap().contains("a%20b.txt"), "{answer}");
    let url = escaped(answer["file"].as_str().unwrap());
    assert_eq!(lake.v2().delete(&format!("uploads/file?url={url}")).await.ok(200), json!({}));
    upload(&lake.user("amy"), "uploads/image", &[("file", Some("a.png"), "x")]).await.ok(201);
}

#[tokio::test]
async fn what_could_run_is_handed_out_as_mere_bytes() {
    let lake = room().await;
    for name in ["page.html", "script.js", "drawing.svg"] {
        let answer = upload(&lake, &format!("{ROOM}/file"), &[("file", Some(name), "<script>")]).await.ok(201);
        let file = lake.get(&path(&answer)).await;
        assert_eq!(file.headers["content-type"], "application/octet-stream", "{name}");
    }
}

#[tokio::test]
async fn a_link_that_is_changed_or_old_leads_nowhere() {
    let lake = room().await;
    let answer = upload(&lake, &format!("{ROOM}/file"), &[("file", Some("a.txt"), "x")]).await.ok(201);
    let path = path(&answer);
    assert_eq!(lake.get(&path.replace("Expires=1", "Expires=2")).await.status, 403);
    assert_eq!(lake.get(path.split('?').next().unwrap()).await.status, 403);
    lake.clock.advance(15 * 24 * 3600 * 1_000_000);
    assert_eq!(lake.token(None).get(&path).await.status, 403);
}

#[tokio::test]
async fn a_user_uploads_where_it_may_write_and_deletes_what_is_its_own() {
    let lake = room().await;
    let (to_room, file) = (format!("{ROOM}/file"), ("file", Some("a.txt"), "x"));
    let answer = upload(&lake.user("amy"), &to_room, &[file]).await.ok(201);
    assert_eq!(upload(&lake.user("eve"), &to_room, &[file]).await.refusal(), (403, 17));
    let bob = ("user", None, r#"{"id":"bob"}"#);
    assert_eq!(upload(&lake.user("amy"), &to_room, &[bob, file]).await.refusal(), (403, 17));
    assert_eq!(upload(&lake, "channels/messaging/none/file", &[file]).await.refusal(), (404, 16));
    let url = escaped(answer["file"].as_str().unwrap());
    let delete = format!("{ROOM}/file?url={url}");
    assert_eq!(lake.user("bob").refuses(Method::DELETE, &delete, "null").await, (403, 17));
    lake.user("amy").delete(&delete).await.ok(200);
}

#[tokio::test]
async fn what_is_no_form_with_a_file_is_refused() {
    let lake = room().await;
    let path = format!("{ROOM}/file");
    assert_eq!(lake.refuses(Method::POST, &path, "{}").await, (400, 4));
    let refuses =
        async |fields: &[(&str, Option<&str>, &str)]| sender(&lake).refuses(Method::POST, &path, form(fields)).await;
    assert_eq!(refuses(&[("user", None, "{}")]).await, (400, 4));
    assert_eq!(refuses(&[("file", Some("a.txt"), "x"), ("user", None, "amy")]).await, (400, 4));
    assert_eq!(refuses(&[("user", None, &"x".repeat(20_000))]).await, (413, 22));
    assert_eq!(sender(&lake).refuses(Method::POST, &path, "--frontier\r\nbroken").await, (400, 4));
}

#[tokio::test]
async fn a_page_of_this_machine_is_nobodys_preview() {
    let lake = room().await;
    for url in ["http://127.0.0.1:1/", "http://169.254.169.254/latest", "file:///etc/passwd", "nonsense"] {
        assert_eq!(lake.get(&format!("og?url={}", escaped(url))).await.refusal(), (400, 4), "{url}");
    }
    assert_eq!(lake.get("og").await.refusal(), (400, 4));
}

#[tokio::test]
async fn uploads_go_with_a_softly_deleted_user_only_if_that_is_asked_for() {
    let lake = room().await;
    let answer = upload(&lake.user("amy"), "uploads/file", &[("file", Some("a.txt"), "x")]).await.ok(201);
    let (link, nobody) = (path(&answer), lake.token(None));
    let refused = json!({ "user_ids": ["amy"], "files": "perhaps" }).to_string();
    assert_eq!(lake.refuses(Method::POST, "users/delete", refused).await, (400, 4));
    for (files, status) in [(json!(false), 200), (json!(true), 404)] {
        lake.post("users/delete", json!({ "user_ids": ["amy"], "files": files })).await.ok(201);
        lake.run_tasks().await;
        assert_eq!(nobody.get(&link).await.status, status);
    }
}
