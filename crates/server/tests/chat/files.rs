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

pub(crate) async fn upload(client: &Client, path: &str, fields: &[(&str, Option<&str>, &str)]) -> Answer {
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

fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(width, height).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn upload_picture(client: &Client, name: &str, content: &[u8]) -> Value {
    let head = format!("--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    let form = [head.as_bytes(), content, b"\r\n--frontier--\r\n"].concat();
    sender(client).call(Method::POST, &format!("{ROOM}/image"), form).await.ok(201)
}

#[tokio::test]
async fn a_link_to_an_image_takes_a_size_and_an_upload_tells_a_small_one() {
    let lake = room().await;
    let answer = upload_picture(&lake, "duck.png", &picture(800, 400)).await;
    let nobody = lake.token(None);
    let size = async |path: &str| {
        let file = nobody.get(path).await;
        assert_eq!((file.status, &file.headers["content-type"]), (200, &"image/png".parse().unwrap()), "{path}");
        let picture = image::load_from_memory(&file.bytes).unwrap();
        (picture.width(), picture.height())
    };
    let thumbnail = json!({ "file": answer["thumb_url"] });
    assert_eq!(size(&path(&thumbnail)).await, (320, 160));
    for (query, expected) in [
        ("w=100&h=100", (100, 50)),
        ("w=100&h=100&resize=crop&crop=left", (100, 100)),
        ("h=100&resize=scale", (200, 100)),
        ("w=100&h=100&resize=fill", (100, 100)),
        ("unknown=1", (800, 400)),
    ] {
        assert_eq!(size(&format!("{}&{query}", path(&answer))).await, expected, "{query}");
    }
    for query in ["w=0", "w=10&resize=stretch", "h=10&crop=x", "w=99999", "resize=crop"] {
        assert_eq!(nobody.get(&format!("{}&{query}", path(&answer))).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_file_may_have_many_megabytes() {
    let lake = room().await;
    let content = "x".repeat(12 << 20);
    let answer = upload(&lake, &format!("{ROOM}/file"), &[("file", Some("long.txt"), &content)]).await.ok(201);
    assert_eq!(lake.token(None).get(&path(&answer)).await.text.len(), content.len());
}

#[tokio::test]
async fn an_image_that_is_none_has_no_small_one_and_no_sizes() {
    let lake = room().await;
    let answer = upload_picture(&lake, "duck.png", b"no image at all").await;
    assert_eq!(answer.get("thumb_url"), None);
    let nobody = lake.token(None);
    assert_eq!(nobody.get(&path(&answer)).await.status, 200);
    let refused = nobody.get(&format!("{}&w=10", path(&answer))).await;
    assert_eq!((refused.status, refused.text.contains("no picture")), (400, true), "{}", refused.text);
    for sizes in ["all", "{}", r#"[{"width":0}]"#, r#"[{"width":"10"}]"#, r#"[{"height":5,"resize":"x"}]"#] {
        let fields = [("upload_sizes", None, sizes), ("file", Some("duck.png"), "x")];
        assert_eq!(upload(&lake, &format!("{ROOM}/image"), &fields).await.refusal(), (400, 4), "{sizes}");
    }
}

#[tokio::test]
async fn a_message_that_is_changed_to_say_a_link_gets_a_preview_of_it() {
    let lake = room().await;
    let pages = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", pages.local_addr().unwrap());
    let page = axum::Router::new().fallback(async || axum::response::Html("<title>Ducks</title>"));
    tokio::spawn(async move { axum::serve(pages, page).await });
    let mut amy = lake.connect("amy").await;
    let body = json!({ "watch": true, "connection_id": amy.id });
    lake.user("amy").post(&format!("{ROOM}/query"), body).await.ok(201);
    lake.say(json!({ "id": "m", "text": "hi", "user_id": "amy" })).await;
    let change = json!({ "set": { "text": format!("look: {url}") }, "user_id": "amy" });
    lake.call(Method::PUT, "messages/m", change.to_string()).await.ok(201);
    assert_eq!(amy.find("message.updated").await["message"]["attachments"], json!([]));
    let attachments = amy.find("message.updated").await["message"]["attachments"].clone();
    assert_eq!((&attachments[0]["title"], &attachments[0]["og_scrape_url"]), (&json!("Ducks"), &json!(url)));
    let skips = json!({ "message": { "text": format!("{url}#2"), "user_id": "amy" }, "skip_enrich_url": true });
    lake.post("messages/m", skips).await.ok(201);
    assert_eq!(amy.find("message.updated").await["message"]["attachments"], json!([]));
}
