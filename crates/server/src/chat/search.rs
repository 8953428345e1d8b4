//! Finding messages (chat §11.4).

use domain::{
    chat::{
        messages,
        search::{self, Asked, CHANNELS, MESSAGES},
    },
    filter::{Cursor, Filter, Question, Sort},
    users::People,
};
use wire::chat::search::{Found, Hit};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::{place, read_member_custom},
    to_wire::messages::Frame,
};
use crate::reply::Reply;

/// How many messages are answered where nobody says, and the most (chat §4.2).
const LIMIT: i64 = 100;
/// How far in a reader can page by number.
const OFFSET_MAX: i64 = 1000;

/// `GET /search`: messages that say words, or fit a filter.
pub(crate) async fn search(call: Call, _: Fields) -> Result<Reply> {
    let asked = Payload::read(&mut call.payload()?)?;
    let mut tx = call.snapshot();
    let page = search::search(&mut tx, call.user(), &asked.borrowed(), call.now()).await?;
    let (mut people, mut places) = (People::default(), Vec::with_capacity(page.rows.len()));
    let found: messages::Page = page.rows.into_iter().map(|hit| (hit.id, hit.message)).collect();
    for (_, message) in &found {
        places.push(place(&call, &mut tx, &message.channel, &mut people).await?);
    }
    let mut shown = messages::gather(&mut tx, found, call.user(), &mut people).await?;
    messages::include_member_custom(&mut shown, &asked.member_custom);
    let frame = Frame { dialect: call.dialect, people: &people, now: call.now(), shows_deleted: false };
    let hits = shown.iter().zip(&places).map(|(shown, place)| Hit { message: frame.in_channel(shown, place.as_ref()) });
    let place = |cursor: Option<String>| cursor.map(|cursor| asked.question.seal(&cursor));
    call.answer(&Found { results: hits.collect(), next: place(page.next), previous: place(page.prev) })
}

/// What a search asks for.
struct Payload {
    channels: Filter,
    messages: Filter,
    text: Option<String>,
    sort: Sort,
    cursor: Option<Cursor>,
    limit: i64,
    offset: i64,
    member_custom: Vec<String>,
    /// What its cursors belong to.
    question: Question,
}

impl Payload {
    fn read(sent: &mut Fields) -> Result<Self> {
        let raw = |sent: &mut Fields, name: &str| sent.raw(name).map(|value| value.get().to_owned());
        let is_given = |text: &String| !matches!(text.as_str(), "{}" | "[]");
        let channels = raw(sent, "filter_conditions").filter(is_given);
        let channels = channels.ok_or_else(|| Error::field("filter_conditions", "is a required field"))?;
        let conditions = raw(sent, "message_filter_conditions").filter(is_given);
        let text = sent.filled("query")?;
        match (&text, &conditions) {
            (Some(_), Some(_)) => {
                return Err(Error::input("query and message_filter_conditions cannot be used together"));
            }
            (None, None) => return Err(Error::input("either query or message_filter_conditions must be provided")),
            _ => {}
        }
        let limit = number(sent, "limit", LIMIT)?.unwrap_or(LIMIT);
        let offset = number(sent, "offset", OFFSET_MAX)?.unwrap_or_default();
        let cursor = sent.filled("next")?;
        let member_custom = match sent.object("message_options")? {
            Some(mut options) => read_member_custom(&mut options)?,
            None => Vec::new(),
        };
        if offset > 0 && cursor.is_some() {
            return Err(Error::input("offset and next cannot be used together"));
        }
        let conditions = conditions.unwrap_or_else(|| "{}".to_owned());
        let question = Question::of(&[&channels, &conditions, text.as_deref().unwrap_or_default()]);
        Ok(Payload {
            channels: Filter::parse(&channels, CHANNELS)?,
            messages: Filter::parse(&conditions, MESSAGES)?,
            text,
            sort: Sort::parse(&raw(sent, "sort").unwrap_or_default())?.or(&["-relevance"]),
            cursor: cursor.map(|text| Cursor::parse(question.open(&text)?)).transpose()?,
            limit: if limit == 0 { LIMIT } else { limit },
            offset,
            member_custom,
            question,
        })
    }

    fn borrowed(&self) -> Asked<'_> {
        Asked {
            channels: &self.channels,
            messages: &self.messages,
            text: self.text.as_deref(),
            sort: &self.sort,
            cursor: self.cursor.as_ref(),
            limit: usize::try_from(self.limit).unwrap_or_default(),
            offset: usize::try_from(self.offset).unwrap_or_default(),
        }
    }
}

fn number(sent: &mut Fields, name: &str, max: i64) -> Result<Option<i64>> {
    match sent.number(name)? {
        Some(number) if !(0..=max).contains(&number) => {
            Err(Error::field(name, &format!("must be between 0 and {max}")))
        }
        number => Ok(number),
    }
}
