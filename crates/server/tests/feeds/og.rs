//! What pages say of themselves (§5.14).

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::pond::{Answer, Client, Pond};

const PAGE: &str = r#"<html><head><title>Ducks</title>
    <meta property="og:title" content="Ducks &amp; more"><meta property="og:type" content="article">
    <meta property="og:url" content="https://pond.test/ducks"><meta property="og:site_name" content="Pond">
    <meta name="twitter:site" content="@pond"><meta property="og:description" content="All of them.">
    <meta property="og:locale" content="en_GB"><meta property="og:determiner" content="the">
    <meta property="og:image" content="https://pond.test/duck.png"><meta property="og:image:width" content="40">
    <meta property="og:image:alt" content="A duck"><meta property="og:video" content="https://pond.test/duck.mp4">
    <meta property="og:audio" content="https://pond.test/quack.mp3"><link rel="icon" href="https://pond.test/i.png">"#;

/// An address of this machine where this page is.
async fn page(html: &'static str) -> String {
    serve(format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n{html}")).await
}

async fn serve(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/ducks", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    url
}

async fn og(client: &Client, url: &str) -> Answer {
    let url: String = form_urlencoded::byte_serialize(url.as_bytes()).collect();
    client.get(&format!("og/?url={url}")).await
}

#[tokio::test]
async fn a_page_is_told_in_the_words_of_the_contract() {
    let (pond, url) = (Pond::reaching_this_machine().await, page(PAGE).await);
    let expected = json!({
        "title": "Ducks & more", "type": "article", "url": "https://pond.test/ducks", "site": "@pond",
        "site_name": "Pond", "description": "All of them.", "determiner": "the", "locale": "en_GB",
        "favicon": "https://pond.test/i.png", "original_url": url,
        "images": [{ "image": "https://pond.test/duck.png", "url": "https://pond.test/duck.png", "width": 40,
            "alt": "A duck" }],
        "videos": [{ "video": "https://pond.test/duck.mp4", "url": "https://pond.test/duck.mp4" }],
        "audios": [{ "audio": "https://pond.test/quack.mp3", "url": "https://pond.test/quack.mp3" }],
    });
    for client in [pond.user("amy"), pond.scope("feed", "read", "user1"), (*pond).clone()] {
        assert_eq!(og(&client, &url).await.ok(200), expected);
    }
    assert_eq!(og(&pond, &page("<title>Plain</title>").await).await.ok(200)["title"], "Plain");
}

#[tokio::test]
async fn a_page_that_says_nothing_or_is_not_there_is_a_400() {
    let pond = Pond::reaching_this_machine().await;
    let gone = serve("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n<title>Gone</title>".to_owned()).await;
    let other =
        serve("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n{}".to_owned()).await;
    for url in [page("<p>nothing").await, gone, other, "http://127.0.0.1:1/".to_owned()] {
        let refusal = og(&pond, &url).await.refusal();
        assert_eq!(refusal.error, (400, 4), "{url}");
        assert_eq!(refusal.detail, "couldn't find og data for the provided url", "{url}");
    }
}

#[tokio::test]
async fn a_page_of_this_machine_or_its_neighbours_is_nobodys_business() {
    let (pond, url) = (Pond::new().await, page(PAGE).await);
    let spellings = [
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://localhost./",
    ];
    let others = ["http://169.254.169.254/", "http://10.0.0.1/", "http://localhost:1/", "http://[fd00::1]/"];
    for url in spellings.iter().chain(&others).copied().chain([url.as_str()]) {
        assert_eq!(og(&pond, url).await.refusal().error, (400, 4), "{url}");
    }
    for to in
        ["http://169.254.169.254/", "http://0xa9fea9fe/", "http://[::ffff:10.0.0.1]/", "//10.1/", "file:///etc/passwd"]
    {
        let moved = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nConnection: close\r\n\r\n");
        let moved = serve(moved).await;
        assert_eq!(og(&*Pond::reaching_this_machine().await, &moved).await.refusal().error, (400, 4), "{to}");
    }
}

#[tokio::test]
async fn only_an_address_of_the_web_is_looked_up() {
    let pond = Pond::new().await;
    for url in ["nonsense", "file:///etc/passwd", "ftp://a.b/", "javascript:alert(1)"] {
        let refusal = og(&pond, url).await.refusal();
        assert_eq!((refusal.error, refusal.fields), ((400, 4), vec!["url".to_owned()]), "{url}");
    }
    assert_eq!(pond.get("og/").await.refusal().error, (400, 4));
    assert_eq!(pond.token(None).get("og").await.refusal().error, (403, 17));
}
