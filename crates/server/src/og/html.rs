//! Reading the head of an HTML page.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, UTF_8};
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use reqwest::Url;

use super::{Media, Page};

/// The longest text that is taken, in characters.
const TEXT_MAX: usize = 1000;
/// The longest address that is taken, in bytes.
const URL_BYTES_MAX: usize = 2048;
/// The most pictures, films and sounds that are taken, of each.
const MEDIA_MAX: usize = 10;
/// How far into a page its own word on its encoding is looked for.
const ENCODING_WITHIN_BYTES: usize = 1024;

/// Texts that a page says once: the first time counts.
const TEXTS: [&str; 13] = [
    "description",
    "og:description",
    "og:determiner",
    "og:locale",
    "og:site",
    "og:site_name",
    "og:title",
    "og:type",
    "og:url",
    "twitter:description",
    "twitter:site",
    "twitter:title",
    "twitter:image",
];

/// What the page of these bytes, which came from `at` with this `Content-Type`, says of itself.
///
/// Whatever the bytes are, it takes time and memory in proportion to their number.
pub fn read(body: &[u8], content_type: &str, at: &str) -> Page {
    let text = decoded(body, content_type);
    let mut head = Head { at: Url::parse(at).ok(), ..Head::default() };
    let mut emitter = DefaultEmitter::default();
    // What stands in a script is no tag.
    emitter.naively_switch_states(true);
    for token in Tokenizer::new_with_emitter(&*text, emitter) {
        let Ok(token) = token;
        match token {
            Token::StartTag(tag) => match tag.name.as_slice() {
                b"body" => break,
                b"meta" => head.meta(&tag),
                b"link" => head.link(&tag),
                b"title" => head.is_in_title = head.title.is_empty(),
                _ => {}
            },
            Token::EndTag(tag) => match tag.name.as_slice() {
                b"head" => break,
                b"title" => head.is_in_title = false,
                _ => {}
            },
            Token::String(text) if head.is_in_title => head.title.extend_from_slice(&text),
            _ => {}
        }
    }
    head.page()
}

/// The text of a page, by what its first bytes, its sender or itself say of its encoding.
fn decoded<'b>(body: &'b [u8], content_type: &str) -> std::borrow::Cow<'b, str> {
    let head = String::from_utf8_lossy(&body[..body.len().min(ENCODING_WITHIN_BYTES)]).to_ascii_lowercase();
    let named = |text: &str| {
        let (_, name) = text.split_once("charset=")?;
        let name = name.trim_start_matches(['"', '\'']);
        Encoding::for_label(name.split(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).next()?.as_bytes())
    };
    let said = named(content_type).or_else(|| {
        // A page in two bytes for each letter could not have said so in letters of one.
        named(&head).filter(|encoding| encoding.is_ascii_compatible())
    });
    // A mark at the very beginning outdoes all others.
    said.unwrap_or(UTF_8).decode(body).0
}

type Tag = StartTag<()>;

/// What was found so far.
#[derive(Default)]
struct Head {
    at: Option<Url>,
    is_in_title: bool,
    title: Vec<u8>,
    texts: BTreeMap<&'static str, String>,
    canonical: Option<String>,
    favicon: Option<String>,
    images: Vec<Media>,
    videos: Vec<Media>,
    audios: Vec<Media>,
}

impl Head {
    fn meta(&mut self, tag: &Tag) {
        let Some(name) = attribute(tag, b"property").or_else(|| attribute(tag, b"name")) else { return };
        let Some(content) = attribute(tag, b"content") else { return };
        let name = name.trim().to_ascii_lowercase();
        let name = if name == "twitter:image:src" { "twitter:image" } else { name.as_str() };
        if let Some(known) = TEXTS.iter().find(|known| **known == name) {
            if let Some(text) = plain(&content) {
                self.texts.entry(known).or_insert(text);
            }
            return;
        }
        let (kind, part) = match name.split_once(':').map(|(og, rest)| (og, rest.split_once(':').unwrap_or((rest, ""))))
        {
            Some(("og", found)) => found,
            _ => return,
        };
        let at = self.at.as_ref();
        match kind {
            "image" => medium(&mut self.images, part, &content, at),
            "video" => medium(&mut self.videos, part, &content, at),
            "audio" => medium(&mut self.audios, part, &content, at),
            _ => {}
        }
    }

    fn link(&mut self, tag: &Tag) {
        let (Some(relation), Some(to)) = (attribute(tag, b"rel"), attribute(tag, b"href")) else { return };
        let relation = relation.to_ascii_lowercase();
        let has = |name: &str| relation.split_ascii_whitespace().any(|known| known == name);
        if has("icon") && self.favicon.is_none() {
            self.favicon = web(&to, self.at.as_ref());
        }
        if has("canonical") && self.canonical.is_none() {
            self.canonical = web(&to, self.at.as_ref());
        }
    }

    fn page(mut self) -> Page {
        let at = self.at.take();
        let title = plain(&String::from_utf8_lossy(&self.title));
        let mut said = |names: &[&str]| names.iter().find_map(|name| self.texts.remove(*name));
        let picture = said(&["twitter:image"]).and_then(|url| web(&url, at.as_ref()));
        let page = Page {
            title: said(&["og:title", "twitter:title"]).or(title),
            kind: said(&["og:type"]),
            url: said(&["og:url"]).and_then(|url| web(&url, at.as_ref())).or(self.canonical),
            site: said(&["og:site", "twitter:site"]),
            site_name: said(&["og:site_name"]),
            description: said(&["og:description", "twitter:description", "description"]),
            determiner: said(&["og:determiner"]),
            locale: said(&["og:locale"]),
            favicon: self.favicon,
            images: self.images,
            videos: self.videos,
            audios: self.audios,
        };
        match picture {
            Some(url) if page.images.is_empty() => Page { images: vec![Media { url, ..Media::default() }], ..page },
            _ => page,
        }
    }
}

/// Takes what is said of a picture, a film or a sound: its address begins a new one, the rest is about the last one.
fn medium(list: &mut Vec<Media>, part: &str, content: &str, at: Option<&Url>) {
    if matches!(part, "" | "url") {
        if let Some(url) = web(content, at)
            && list.len() < MEDIA_MAX
            && list.last().is_none_or(|last| last.url != url)
        {
            list.push(Media { url, ..Media::default() });
        }
        return;
    }
    let Some(last) = list.last_mut() else { return };
    match part {
        "secure_url" => last.secure_url = web(content, at).filter(|url| url.starts_with("https:")),
        "width" => last.width = content.trim().parse().ok(),
        "height" => last.height = content.trim().parse().ok(),
        "type" => last.kind = plain(content),
        "alt" => last.alt = plain(content),
        _ => {}
    }
}

fn attribute(tag: &Tag, name: &[u8]) -> Option<String> {
    let value = tag.attributes.get(name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// A text without what only layout or harm is made of; none if nothing is left.
fn plain(text: &str) -> Option<String> {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let mut plain = String::new();
    let mut left = TEXT_MAX;
    for word in words {
        let gap = usize::from(!plain.is_empty());
        if left <= gap {
            break;
        }
        plain.push_str(&" "[..gap]);
        let taken: String = word.chars().take(left - gap).collect();
        left -= gap + taken.chars().count();
        plain.push_str(&taken);
    }
    (!plain.is_empty()).then_some(plain)
}

/// An address of the web, whole.
fn web(text: &str, at: Option<&Url>) -> Option<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > URL_BYTES_MAX {
        return None;
    }
    let url = match at {
        Some(at) => at.join(text).ok()?,
        None => Url::parse(text).ok()?,
    };
    let url: String = Some(url).filter(|url| matches!(url.scheme(), "http" | "https"))?.into();
    (url.len() <= URL_BYTES_MAX).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "https://pond.test/ducks/";

    fn said(html: &str) -> Page {
        read(html.as_bytes(), "text/html", AT)
    }

    fn title(html: &str) -> Option<String> {
        said(html).title
    }

    fn image(url: &str) -> Media {
        Media { url: url.to_owned(), ..Media::default() }
    }

    #[test]
    fn a_page_says_its_title_its_text_and_its_picture() {
        let html = r#"<html><head><TITLE>Old &amp; plain</TITLE>
            <meta property="og:title" content="Ducks &lt;3 &eacute;"><meta content='All of "them"' name=description>
            <meta property="og:image" content="/duck.png"/><meta property="og:image:width" content=" 40 ">
            <meta property="og:image:alt" content="A duck"><meta property="og:site_name" content="Pond">
            <link rel="shortcut icon" href="icon.ico"><link rel=canonical href="https://pond.test/d">"#;
        let duck = Media { width: Some(40), alt: Some("A duck".into()), ..image("https://pond.test/duck.png") };
        let page = Page {
            title: Some("Ducks <3 é".into()),
            description: Some("All of \"them\"".into()),
            site_name: Some("Pond".into()),
            url: Some("https://pond.test/d".into()),
            favicon: Some("https://pond.test/ducks/icon.ico".into()),
            images: vec![duck],
            ..Page::default()
        };
        assert_eq!(said(html), page);
        assert_eq!(title("<title>\n Old &amp;\t plain </title>").as_deref(), Some("Old & plain"));
        assert_eq!(said("<meta name=twitter:image content=http://a.b/c>").images, [image("http://a.b/c")]);
    }

    #[test]
    fn pictures_films_and_sounds_are_each_a_list() {
        let html = r#"<meta property=og:image content=http://a.b/1><meta property=og:image:url content=http://a.b/1>
            <meta property=og:image:secure_url content=https://a.b/1><meta property=og:image content=http://a.b/2>
            <meta property=og:video content=http://a.b/f><meta property=og:video:type content=video/mp4>
            <meta property=og:audio content=http://a.b/s><meta property=og:audio:secure_url content=http://not.safe/>"#;
        let page = said(html);
        let first = Media { secure_url: Some("https://a.b/1".into()), ..image("http://a.b/1") };
        assert_eq!(page.images, [first, image("http://a.b/2")]);
        assert_eq!(page.videos, [Media { kind: Some("video/mp4".into()), ..image("http://a.b/f") }]);
        assert_eq!(page.audios, [image("http://a.b/s")]);
    }

    #[test]
    fn only_what_stands_in_the_head_as_a_tag_counts() {
        for html in [
            "<script>'<title>no</title>'</script>",
            "<!-- <title>no</title> -->",
            "<body><title>no</title>",
            "</head><title>no</title>",
            "<style><title>no</title></style>",
            "<meta property=og:title>",
            "<meta content=no>",
            "<title>  </title>",
            "",
        ] {
            assert!(said(html).is_empty(), "{html}");
        }
    }

    #[test]
    fn only_addresses_of_the_web_are_taken() {
        for url in ["javascript:alert(1)", "data:image/png;base64,AA", "file:///etc/passwd", "http://", "  "] {
            let html = format!("<meta property=og:image content=\"{url}\"><link rel=icon href=\"{url}\">");
            assert!(said(&html).is_empty() && said(&html).favicon.is_none(), "{url}");
        }
    }

    #[test]
    fn a_page_may_be_in_any_encoding() {
        let page = |body: &[u8], kind: &str| read(body, kind, AT).title;
        assert_eq!(page(b"<title>caf\xe9</title>", "text/html; charset=ISO-8859-1").as_deref(), Some("café"));
        let own = b"<meta charset='windows-1251'><title>\xef\xf0\xf3\xe4</title>";
        assert_eq!(page(own, "text/html").as_deref(), Some("пруд"));
        assert_eq!(page("\u{feff}<title>é</title>".as_bytes(), "text/html; charset=latin1").as_deref(), Some("é"));
        assert_eq!(page(b"<meta charset=utf-16><title>a</title>", "").as_deref(), Some("a"));
    }

    #[test]
    fn hostile_pages_end() {
        let texts = [
            "<".repeat(500_000),
            "<meta ".repeat(80_000),
            "<title>".repeat(70_000),
            format!("<meta {}>", "a ".repeat(250_000)),
            format!("<meta property=og:title content='{}'>", "&".repeat(400_000)),
            "<meta property=og:image content=http://a.b/x>\n<meta property=og:image content=/y>".repeat(6_000),
            format!("<title>{}</title>", "\u{202e}\u{0}x ".repeat(90_000)),
            "<![CDATA[<!--<script></style><svg><title>".repeat(10_000),
        ];
        for html in texts {
            let page = said(&html);
            assert!(page.images.len() <= MEDIA_MAX);
            assert!(page.title.is_none_or(|title| title.chars().count() <= TEXT_MAX), "{}", &html[..20]);
        }
    }
}
