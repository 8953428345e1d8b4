//! Files and images (§5.13), and who may do what with them (§2.3, §2.4).

use std::io::Cursor;

use http::Method;
use image::{
    AnimationDecoder, Frame, ImageFormat, RgbImage, Rgba, RgbaImage,
    codecs::gif::{GifDecoder, GifEncoder},
};
use serde_json::{Value, json};

use crate::pond::{Answer, Client, Pond};

/// A form with one file.
fn form(name: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--frontier\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    [head.as_bytes(), content, b"\r\n--frontier--\r\n"].concat()
}

fn sender(client: &Client) -> Client {
    client.header("content-type", "multipart/form-data; boundary=frontier").header("host", "pond.test")
}

async fn upload(client: &Client, path: &str, name: &str, content: &[u8]) -> Answer {
    sender(client).call(Method::POST, path, form(name, content)).await
}

async fn refused(client: &Client, path: &str, name: &str, content: &[u8]) -> ((u16, i64), String) {
    let refusal = sender(client).refuses(path, form(name, content)).await;
    (refusal.error, refusal.detail)
}

fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A picture that says it is huge.
fn bomb() -> Vec<u8> {
    // A GIF says its size without a checksum.
    let mut bytes = drawn(ImageFormat::Gif);
    bytes[6..10].copy_from_slice(&[0xff; 4]);
    bytes
}

fn drawn(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(8, 8).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Where the answer says that the file is.
fn url(answer: &Answer, status: u16) -> String {
    answer.ok(status)["file"].as_str().unwrap().to_owned()
}

/// The file as anybody with the link gets it.
async fn fetch(client: &Client, url: &str) -> Answer {
    client.token(None).key("").get(url.strip_prefix("http://pond.test").unwrap()).await
}

fn escaped(url: &str) -> String {
    form_urlencoded::byte_serialize(url.as_bytes()).collect()
}

async fn remove(client: &Client, path: &str, url: &str) -> Answer {
    client.delete(&format!("{path}?url={}", escaped(url))).await
}

async fn process(client: &Client, url: &str, query: &str) -> Answer {
    client.header("host", "pond.test").get(&format!("images/?url={}&{query}", escaped(url))).await
}

/// The size of the picture behind a link.
async fn size(client: &Client, url: &str) -> (u32, u32) {
    let answer = fetch(client, url).await;
    assert_eq!((answer.status, answer.headers["content-type"].as_bytes()), (200, &b"image/png"[..]), "{url}");
    let picture = image::load_from_memory(&answer.bytes).unwrap();
    (picture.width(), picture.height())
}

#[tokio::test]
async fn a_file_is_uploaded_read_by_its_link_and_deleted() {
    let pond = Pond::new().await;
    for client in [pond.user("amy"), (*pond).clone(), pond.scope("files", "*", "*")] {
        let url = url(&upload(&client, "files/", "notes on ducks.txt", b"quack").await, 201);
        assert!(url.contains("notes%20on%20ducks.txt?"), "{url}");
        let file = fetch(&pond, &url).await;
        assert_eq!((file.status, file.text.as_str()), (200, "quack"));
        assert_eq!(file.headers["x-content-type-options"], "nosniff");
        assert_eq!(file.headers["content-security-policy"], "default-src 'none'; sandbox");
        remove(&client, "files/", &url).await.ok(200);
        assert_eq!(fetch(&pond, &url).await.status, 404);
        assert_eq!(remove(&client, "files/", &url).await.refusal().error, (404, 16));
    }
}

#[tokio::test]
async fn what_could_run_is_handed_out_as_mere_bytes() {
    let pond = Pond::new().await;
    for name in ["page.html", "script.js", "drawing.svg"] {
        let url = url(&upload(&pond, "files/", name, b"<script>alert(1)</script>").await, 201);
        assert_eq!(fetch(&pond, &url).await.headers["content-type"], "application/octet-stream", "{name}");
    }
}

#[tokio::test]
async fn an_image_is_what_its_content_says() {
    let pond = Pond::new().await;
    let url = url(&upload(&pond, "images/", "duck", &picture(4, 3)).await, 201);
    assert_eq!(size(&pond, &url).await, (4, 3));
    for (name, content) in [("duck.png", &b"no image"[..]), ("a.js", b"let a;"), ("a.svg", b"<svg/>")] {
        let (error, detail) = refused(&pond, "images/", name, content).await;
        assert_eq!((error, detail.as_str()), ((400, 4), "File type application/octet-stream is not supported"));
    }
    let (error, detail) = refused(&pond, "images/", "a.png", b"%PDF-1.7").await;
    assert_eq!((error, detail.as_str()), ((400, 4), "File type application/pdf is not supported"));
}

#[tokio::test]
async fn an_image_is_processed_into_the_size_that_was_asked_for() {
    let (pond, bytes) = (Pond::new().await, picture(200, 100));
    let amy = pond.user("amy");
    let image = url(&upload(&amy, "images/", "duck.png", &bytes).await, 201);
    for (query, expected) in [
        ("w=100&h=100&crop=center&resize=clip", (100, 50)),
        ("w=50&h=50&resize=crop&crop=top,left", (50, 50)),
        ("w=50&h=50&resize=scale", (50, 50)),
        ("w=50&h=80&resize=fill", (50, 80)),
        ("h=50", (100, 50)),
    ] {
        let made = url(&process(&amy, &image, query).await, 200);
        assert!(made != image && made.contains("duck.png?"), "{made}");
        assert_eq!(size(&pond, &made).await, expected, "{query}");
        // The second time it is there already.
        assert_eq!(url(&process(&amy, &made, query).await, 200), made);
    }
    assert_eq!(size(&pond, &image).await, (200, 100));
}

#[tokio::test]
async fn a_gif_that_moves_goes_on_moving_and_a_longer_one_stands_still() {
    let pond = Pond::new().await;
    for (frames, left) in [(1, 1), (3, 3), (501, 1)] {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for at in 0..frames {
            let colour = Rgba([u8::try_from(at % 2).unwrap() * 255, 0, 0, 255]);
            encoder.encode_frame(Frame::new(RgbaImage::from_pixel(16, 8, colour))).unwrap();
        }
        drop(encoder);
        let image = url(&upload(&pond, "images/", "duck.gif", &bytes).await, 201);
        let made = fetch(&pond, &url(&process(&pond, &image, "w=4&h=4").await, 200)).await;
        assert_eq!(made.headers["content-type"], "image/gif");
        let found = GifDecoder::new(Cursor::new(&made.bytes[..])).unwrap().into_frames().collect_frames().unwrap();
        assert_eq!(found.len(), left, "of {frames} frames");
        assert!(found.iter().all(|frame| frame.buffer().dimensions() == (4, 2)));
        let reds = found.iter().map(|frame| frame.buffer().get_pixel(2, 1)[0] > 200);
        assert_eq!(reds.collect::<Vec<_>>(), [false, true, false][..left]);
    }
}

#[tokio::test]
async fn what_cannot_be_processed_is_refused() {
    let pond = Pond::new().await;
    let image = url(&upload(&pond, "images/", "duck.png", &picture(9, 9)).await, 201);
    for (query, field) in [
        ("w=0&h=10", "w"),
        ("w=10&h=-1", "h"),
        ("w=ten", "w"),
        ("w=5000", "w"),
        ("w=10&h=10&resize=stretch", "resize"),
        ("w=10&h=10&crop=outside", "crop"),
        ("", "w"),
    ] {
        let refusal = process(&pond, &image, query).await.refusal();
        assert_eq!((refusal.error, refusal.fields), ((400, 4), vec![field.to_owned()]), "{query}");
    }
    let file = url(&upload(&pond, "files/", "duck.txt", b"quack").await, 201);
    let refusal = process(&pond, &file, "w=10").await.refusal();
    assert_eq!((refusal.error, refusal.detail.as_str()), ((400, 4), "File type text/plain is not supported"));
    assert_eq!(process(&pond, "http://elsewhere/duck.png", "w=10").await.refusal().error, (404, 16));
    assert_eq!(pond.get("images/?w=10").await.refusal().error, (400, 4));
    assert_eq!(pond.delete("images/").await.refusal().error, (400, 4));
}

#[tokio::test]
async fn a_picture_that_says_it_is_huge_is_kept_and_never_decoded() {
    let pond = Pond::new().await;
    let image = url(&upload(&pond, "images/", "bomb.gif", &bomb()).await, 201);
    let refusal = process(&pond, &image, "w=10").await.refusal();
    assert_eq!(refusal.error, (400, 4));
    assert!(refusal.detail.contains("65535 × 65535"), "{}", refusal.detail);
    let link = fetch(&pond, &format!("{image}&w=10")).await;
    assert_eq!((link.status, link.headers["content-type"].as_bytes()), (400, &b"text/plain; charset=utf-8"[..]));
}

#[tokio::test]
async fn a_huge_picture_of_any_format_is_the_contracts_error() {
    let pond = Pond::new().await;
    let (mut jpeg, mut webp) = (drawn(ImageFormat::Jpeg), drawn(ImageFormat::WebP));
    let size =
        |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).position(|part| part == mark).unwrap() + mark.len();
    // Behind the length of the segment and the depth of a colour; behind the length of the chunk and its mark.
    let (of_jpeg, of_webp) = (size(&jpeg, &[0xff, 0xc0]) + 3, size(&webp, b"VP8L") + 5);
    jpeg[of_jpeg..of_jpeg + 4].fill(0x7f);
    webp[of_webp..of_webp + 4].fill(0x0f);
    let mut png = drawn(ImageFormat::Png);
    // Its checksum is wrong now, too; with a right one it is a test of `images`.
    png[16..24].fill(0x7f);
    for (name, bytes) in [("a.jpg", jpeg), ("a.webp", webp), ("a.gif", bomb()), ("a.png", png)] {
        let answer = upload(&pond, "images/", name, &bytes).await;
        let error = match answer.status {
            201 => process(&pond, &url(&answer, 201), "w=10").await.refusal().error,
            _ => answer.refusal().error,
        };
        assert_eq!(error, (400, 4), "{name}");
    }
}

#[tokio::test]
async fn only_who_uploaded_a_file_processes_and_deletes_it() {
    let pond = Pond::new().await;
    let image = url(&upload(&pond.user("amy"), "images/", "duck.png", &picture(9, 9)).await, 201);
    let bob = pond.user("bob");
    assert_eq!(process(&bob, &image, "w=5").await.refusal().error, (403, 17));
    let delete = format!("images/?url={}", escaped(&image));
    assert_eq!(bob.refuses_to(Method::DELETE, &delete, "").await.error, (403, 17));
    assert_eq!(pond.scope("feed", "*", "*").refuses_to(Method::DELETE, &delete, "").await.error, (403, 17));
    assert_eq!(refused(&pond.scope("files", "read", "*"), "files/", "a.txt", b"x").await.0, (403, 17));
    process(&pond.user("amy"), &image, "w=5").await.ok(200);
    pond.delete(&delete).await.ok(200);
}

#[tokio::test]
async fn what_was_made_of_an_image_goes_with_it() {
    let pond = Pond::new().await;
    let image = url(&upload(&pond, "images/", "duck.png", &picture(9, 9)).await, 201);
    let made = url(&process(&pond, &image, "w=5").await, 200);
    remove(&pond, "images/", &image).await.ok(200);
    assert_eq!(fetch(&pond, &made).await.status, 404);
    assert_eq!(process(&pond, &image, "w=5").await.refusal().error, (404, 16));
}

#[tokio::test]
async fn uploads_and_what_was_made_of_them_go_with_the_user() {
    let pond = Pond::new().await;
    let amy = pond.user("amy");
    let image = url(&upload(&amy, "images/", "duck.png", &picture(9, 9)).await, 201);
    let made = url(&process(&amy, &image, "w=5").await, 200);
    let kept = url(&upload(&pond.user("bob"), "files/", "a.txt", b"x").await, 201);
    let erase = json!({ "user_ids": ["amy"], "user": "hard", "messages": "hard" });
    assert_eq!(pond.post("/api/v2/users/delete", erase).await.status, 201);
    pond.run_tasks().await;
    assert_eq!((fetch(&pond, &image).await.status, fetch(&pond, &made).await.status), (404, 404));
    assert_eq!(fetch(&pond, &kept).await.status, 200);
}

#[tokio::test]
async fn the_app_says_how_large_files_may_be() {
    let pond = Pond::new().await;
    assert_eq!(refused(&pond, "files/", "a.bin", &vec![0; (20 << 20) + 1]).await.0, (413, 18));
    let limit = json!({ "file_upload_config": { "size_limit": 3, "blocked_file_extensions": ["exe"] } });
    assert_eq!(pond.call(Method::PATCH, "/api/v2/app", limit.to_string()).await.status, 201);
    upload(&pond, "files/", "a.txt", b"123").await.ok(201);
    assert_eq!(refused(&pond, "files/", "a.txt", b"1234").await.0, (413, 18));
    assert_eq!(refused(&pond, "files/", "a.exe", b"123").await.0, (400, 4));
}

#[tokio::test]
async fn what_is_no_form_with_a_file_is_refused() {
    let pond = Pond::new().await;
    assert_eq!(pond.refuses("files/", "{}").await.error, (400, 4));
    let other = "--frontier\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--frontier--\r\n";
    let refusal = sender(&pond).refuses("files/", other).await;
    assert_eq!((refusal.error, refusal.fields), ((400, 4), vec!["file".to_owned()]));
    let answer: Value = pond.get("files/").await.json();
    assert_eq!(answer["code"], 17);
}
