//! Which link of a text is shown with what it leads to (chat §12.12), for messages, activities and comments alike.
//!
//! Nobody waits for the page: the text is stored first, and what is found hangs on it when the answer is there.

use ids::json::Object;

/// The longest link that is looked up, in bytes.
const LINK_BYTES_MAX: usize = 2048;
/// The most attachments with a preview among them.
const ATTACHMENTS_MAX: usize = 30;

/// The first link in a text.
pub fn first_link(text: &str) -> Option<&str> {
    let start = ["http://", "https://"].into_iter().filter_map(|scheme| text.find(scheme)).min()?;
    let link = text[start..].split(|c: char| c.is_whitespace() || "<>\"`".contains(c)).next()?;
    let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
    let has_host = link.split_once("://").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_alphanumeric()));
    (has_host && link.len() <= LINK_BYTES_MAX).then_some(link)
}

/// Whether what was found at `link` is to hang on a text with these attachments: it still says that link, and has no
/// attachment that was found there.
pub(crate) fn is_wanted(text: &str, attachments: &[String], link: &str) -> bool {
    let quoted = serde_json::json!(link).to_string();
    let is_known = |attachment: &String| {
        let shown = Object::parse(attachment).unwrap_or_default();
        shown.get("og_scrape_url").is_some_and(|known| known.get() == quoted)
    };
    first_link(text) == Some(link) && attachments.len() < ATTACHMENTS_MAX && !attachments.iter().any(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_link_ends_before_what_ends_a_sentence() {
        for (text, link) in [
            ("see https://a.b/c?d=e, and http://x.y", Some("https://a.b/c?d=e")),
            ("(http://x.y/)", Some("http://x.y/")),
            ("<https://a.b>", Some("https://a.b")),
            ("https:// nothing", None),
            ("a.b/c", None),
        ] {
            assert_eq!(first_link(text), link, "{text}");
        }
    }

    #[test]
    fn what_was_found_hangs_on_a_text_once_and_while_it_says_the_link() {
        let found = r#"{"og_scrape_url":"https://a.b"}"#.to_owned();
        assert!(is_wanted("see https://a.b", &[r#"{"type":"image"}"#.to_owned()], "https://a.b"));
        assert!(!is_wanted("see https://a.b", std::slice::from_ref(&found), "https://a.b"));
        assert!(!is_wanted("see https://c.d", &[], "https://a.b"));
        assert!(!is_wanted("see https://a.b", &vec!["{}".to_owned(); ATTACHMENTS_MAX], "https://a.b"));
    }
}
