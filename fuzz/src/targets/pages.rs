//! Pages of strangers (feeds-v1 §5.14): of what one says of itself only short texts and web addresses are taken.
//!
//! An input is its `Content-Type`, an empty line, and the page.

use server::og::{self, Media};

use crate::Target;

/// The longest text, in characters, and the longest address, in bytes.
const LONGEST: usize = 2048;
/// The most pictures, films or sounds.
const MEDIA_MAX: usize = 10;

/// The target.
pub const TARGET: Target = Target {
    name: "pages",
    about: "HTML pages of strangers, read for Open Graph",
    words: &[
        "<meta property=\"og:",
        "<meta name=\"twitter:",
        "content=\"",
        "\">",
        "<title>",
        "</title>",
        "<link rel=\"icon\" href=\"",
        "</head>",
        "<body>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<![CDATA[",
        "&#x",
        "&amp;",
        "charset=",
        "utf-16",
        "shift_jis",
        "og:image:width",
        "javascript:",
        "data:",
        "//",
        "http://[::1]/",
        "og:video",
        "og:audio",
        "\u{feff}",
        "'",
        "=",
    ],
    changed_seeds: 10_000,
    run,
};

fn run(input: &[u8]) {
    let gap = input.windows(2).position(|two| two == b"\n\n");
    let (kind, body) = gap.map_or((&b""[..], input), |gap| (&input[..gap], &input[gap + 2..]));
    let page = og::read(body, &String::from_utf8_lossy(kind), "https://pond.example/a/page");
    let texts =
        [&page.title, &page.kind, &page.site, &page.site_name, &page.description, &page.determiner, &page.locale];
    assert!(texts.into_iter().flatten().all(|text| text.chars().count() <= LONGEST), "a text is too long");
    [&page.url, &page.favicon].into_iter().flatten().for_each(|url| assert_web(url));
    for list in [&page.images, &page.videos, &page.audios] {
        assert!(list.len() <= MEDIA_MAX, "{} are too many", list.len());
        list.iter().for_each(assert_media);
    }
}

fn assert_media(media: &Media) {
    assert_web(&media.url);
    if let Some(url) = &media.secure_url {
        assert_web(url);
    }
}

fn assert_web(url: &str) {
    let is_web = url.starts_with("http://") || url.starts_with("https://");
    assert!(is_web && url.len() <= LONGEST, "not an address to show: {url}");
}
