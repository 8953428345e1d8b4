//! Open Graph (feeds-v1 §5.14): whatever a page is, what it says of itself is short, printable and of the web.
//!
//! An input is the `Content-Type` of the page, the end of the line, and the page.

use server::og::{Media, read};

use crate::Target;

/// Where the page is.
const AT: &str = "https://pond.test/ducks/";
/// The longest text, in characters.
const TEXT_MAX: usize = 1000;
/// The longest address, in bytes.
const URL_BYTES_MAX: usize = 2048;
/// The most pictures, films and sounds, of each.
const MEDIA_MAX: usize = 10;

/// The target.
pub const TARGET: Target = Target {
    name: "og",
    about: "what HTML pages say of themselves",
    words: &[
        "<meta property=\"og:",
        "<meta name=",
        "og:image",
        "og:image:width",
        "og:video:secure_url",
        "twitter:image:src",
        " content=\"",
        "<title>",
        "</title>",
        "<link rel=\"icon\" href=",
        "canonical",
        "<script>",
        "</script>",
        "<style>",
        "<!--",
        "-->",
        "<![CDATA[",
        "<body>",
        "</head>",
        "<plaintext>",
        "<noscript>",
        "<svg>",
        "&amp;",
        "&#x110000;",
        "&#0;",
        "javascript:",
        "data:,",
        "//",
        "http://[::1]/",
        "charset=",
        "utf-16",
        "shift_jis",
        "\u{feff}",
        "\u{202e}",
    ],
    changed_seeds: 4000,
    run,
};

fn run(input: &[u8]) {
    let Some((kind, body)) = super::line_and_rest(input) else { return };
    let page = read(body, kind, AT);
    assert_eq!(read(body, kind, AT), page, "a page says something else the second time");
    let texts =
        [&page.title, &page.kind, &page.site, &page.site_name, &page.description, &page.determiner, &page.locale];
    texts.into_iter().flatten().for_each(|text| check_text(text));
    [&page.url, &page.favicon].into_iter().flatten().for_each(|url| check_url(url));
    for list in [&page.images, &page.videos, &page.audios] {
        assert!(list.len() <= MEDIA_MAX, "{} of one kind", list.len());
        list.iter().for_each(check_media);
    }
}

fn check_media(media: &Media) {
    check_url(&media.url);
    if let Some(url) = &media.secure_url {
        check_url(url);
        assert!(url.starts_with("https:"), "{url} is not secure");
    }
    [&media.kind, &media.alt].into_iter().flatten().for_each(|text| check_text(text));
}

fn check_text(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= TEXT_MAX, "a text of {} characters", text.chars().count());
    assert!(!text.chars().any(char::is_control), "what cannot be printed: {text:?}");
    assert_eq!(text.trim(), text, "room around a text");
}

fn check_url(url: &str) {
    assert!(url.starts_with("http://") || url.starts_with("https://"), "{url} is not of the web");
    assert!(url.len() <= URL_BYTES_MAX && url.is_ascii(), "{url} is too long, or not as it is sent");
}
