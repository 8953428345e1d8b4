//! Attachments: kept in the classic shape, whose own fields stand beside the others (chat §6.8).

use ids::json::Object;
use serde_json::value::RawValue;
use wire::chat::dialect::{Dialect, Members};

use super::{
    error::{Error, Result},
    fields::Fields,
};

/// The members that the v2 shape has; all others are the application's own there (chat §18).
const KNOWN: &[&str] = &[
    "actions",
    "asset_url",
    "author_icon",
    "author_link",
    "author_name",
    "color",
    "fallback",
    "fields",
    "footer",
    "footer_icon",
    "giphy",
    "image_url",
    "og_scrape_url",
    "original_height",
    "original_width",
    "pretext",
    "text",
    "thumb_url",
    "title",
    "title_link",
    "type",
];

/// An attachment as it was sent, in the classic shape.
///
/// # Errors
/// 4 when `custom` is not an object in the v2 dialect.
pub(crate) fn read(sent: Fields) -> Result<String> {
    let custom = sent.custom()?;
    let mut kept = Object::default();
    for (name, value) in custom.iter().filter(|(_, value)| value.get() != "null") {
        kept.set(name, value.to_owned());
    }
    if let Some(kind) = kept.get("type")
        && !kind.get().starts_with('"')
    {
        return Err(Error::field("message.attachments", "have a type that is a string"));
    }
    Ok(kept.to_string())
}

/// Attachments as they are read.
pub(crate) fn shown(attachments: &[String], dialect: Dialect) -> Vec<Box<RawValue>> {
    attachments.iter().filter_map(|attachment| one(attachment, dialect)).collect()
}

fn one(attachment: &str, dialect: Dialect) -> Option<Box<RawValue>> {
    if dialect == Dialect::Classic {
        return RawValue::from_string(attachment.to_owned()).ok();
    }
    let (mut shown, mut custom) = (Object::default(), Object::default());
    for (name, value) in Object::parse(attachment).ok()?.iter() {
        let part = if KNOWN.contains(&name) { &mut shown } else { &mut custom };
        part.set(name, value.to_owned());
    }
    shown.set("custom", RawValue::from_string(custom.to_string()).ok()?);
    serde_json::value::to_raw_value(&Members(&shown)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_and_shown(text: &str, from: Dialect, to: Dialect) -> String {
        let attachment = read(Fields::parse(text, from).unwrap()).unwrap();
        shown(&[attachment], to)[0].get().to_owned()
    }

    #[test]
    fn an_attachment_survives_the_way_through_both_dialects() {
        let (classic, v2) =
            (r#"{"type":"image","image_url":"u","w":9.0}"#, r#"{"type":"image","image_url":"u","custom":{"w":9.0}}"#);
        assert_eq!(read_and_shown(classic, Dialect::Classic, Dialect::Classic), classic);
        assert_eq!(read_and_shown(classic, Dialect::Classic, Dialect::V2), v2);
        assert_eq!(read_and_shown(v2, Dialect::V2, Dialect::Classic), classic);
        assert_eq!(read_and_shown(v2, Dialect::V2, Dialect::V2), v2);
        assert_eq!(read_and_shown(r#"{"type":"file"}"#, Dialect::V2, Dialect::V2), r#"{"type":"file","custom":{}}"#);
    }
}
