//! Markdown of messages as HTML that is safe to show (chat §6.7).
//!
//! HTML in the text is text, and a link leads nowhere but to the web, a mailbox or a telephone.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html::push_html};

/// How links may begin.
const SCHEMES: &[&str] = &["http://", "https://", "mailto:", "tel:"];

/// `text` as HTML, with a line break at its end; nothing for an empty text.
pub(super) fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    push_html(&mut html, Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH).map(safe));
    if !html.is_empty() && !html.ends_with('\n') {
        html.push('\n');
    }
    html
}

fn safe(event: Event<'_>) -> Event<'_> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: outward(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Image { link_type, dest_url: outward(dest_url), title, id })
        }
        event => event,
    }
}

fn outward(url: CowStr<'_>) -> CowStr<'_> {
    let start = url.to_ascii_lowercase();
    if SCHEMES.iter().any(|scheme| start.starts_with(scheme)) { url } else { CowStr::Borrowed("") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_paragraph_with_a_line_break_at_its_end() {
        assert_eq!(html("hi *there*"), "<p>hi <em>there</em></p>\n");
        assert_eq!(html(""), "");
    }

    #[test]
    fn html_in_a_text_is_text() {
        for text in ["<script>alert(1)</script>", "a <img src=x onerror=alert(1)> b", "<div onclick='x'>\n\nhi"] {
            let html = html(text);
            assert!(!html.contains("<script") && !html.contains("<img") && !html.contains("<div"), "{html}");
        }
    }

    #[test]
    fn links_lead_outward_only() {
        assert_eq!(html("[a](https://b.c)"), "<p><a href=\"https://b.c\">a</a></p>\n");
        for url in ["javascript:alert(1)", "JaVaScRiPt:x", "data:text/html,x", "&#106;avascript:x", "vbscript:x"] {
            assert_eq!(html(&format!("[a]({url})")), "<p><a href=\"\">a</a></p>\n", "{url}");
        }
    }
}
