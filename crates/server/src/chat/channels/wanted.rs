//! How much of a channel's state a call asks for (chat §11.3).

use domain::chat::{members, messages::Part};

use crate::chat::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages,
};

/// How many messages are answered where nobody says.
const MESSAGES: i64 = 25;
/// How many watchers are answered where nobody says.
const WATCHERS: i64 = 100;
/// The most that a page of members, messages or watchers of one channel can ask for.
const PAGE_MAX: i64 = 300;
/// The most that such a page can skip.
const OFFSET_MAX: i64 = 10_000;

/// How much of a channel's state is wanted.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// Whether messages, members and marks are wanted at all.
    pub(crate) state: bool,
    /// Which messages.
    pub(crate) messages: Part,
    /// Which members.
    pub(crate) members: Slice,
    /// Which watchers; none are counted or listed, if absent.
    pub(crate) watchers: Option<Slice>,
    /// Whether threads are wanted in which the acting user has something to read.
    pub(crate) unread_threads: bool,
    /// Own fields of the memberships of those who said something.
    pub(crate) member_custom: Vec<String>,
}

/// A part of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Slice {
    /// The most.
    pub(crate) limit: usize,
    /// After how many.
    pub(crate) offset: usize,
}

impl Wanted {
    /// Nothing but the channel.
    pub(crate) fn nothing() -> Self {
        let members = Slice { limit: members::LIST_MAX, offset: 0 };
        Wanted {
            state: false,
            messages: Part::newest(0),
            members,
            watchers: None,
            unread_threads: false,
            member_custom: Vec::new(),
        }
    }

    /// What a body asks for; all of it, if it does not say.
    ///
    /// # Errors
    /// 4 when a member is not what the contract says.
    pub(crate) fn read(sent: &mut Fields) -> Result<Self> {
        let state = sent.flag("state")?.unwrap_or(true);
        let messages = match sent.object("messages")? {
            Some(mut page) => messages::part(&mut page, MESSAGES)?,
            None => Part::newest(usize::try_from(MESSAGES).unwrap_or_default()),
        };
        let members = slice(sent, "members", members::LIST_MAX as i64)?;
        let watchers = slice(sent, "watchers", WATCHERS)?;
        let everything = Slice { limit: members::LIST_MAX, offset: 0 };
        let unread_threads = sent.flag("thread_unread_counts")?.unwrap_or(false);
        let member_custom = messages::read_member_custom(sent)?;
        let members = members.unwrap_or(everything);
        Ok(Wanted { state, messages, members, watchers, unread_threads, member_custom })
    }

    /// What the query of a `GET` asks for; nothing but the channel, if it does not say.
    ///
    /// # Errors
    /// 4 when a parameter is not what the contract says.
    pub(crate) fn query(call: &Call) -> Result<Self> {
        let wrong = |error: crate::error::Error| Error::input(error.detail);
        let state = call.query.flag("state").map_err(wrong)?;
        let most = usize::try_from(PAGE_MAX).unwrap_or_default();
        let number = |name, default| call.query.number(name, default, 0..=most).map_err(wrong);
        let mut page = serde_json::Map::new();
        for (name, value) in call.query.iter() {
            if let Some(name) = name.strip_prefix("messages_") {
                page.insert(name.to_owned(), value.into());
            }
        }
        let mut page = Fields::parse(&serde_json::Value::Object(page).to_string(), call.dialect)?;
        let watchers = call.query.get("watchers_limit").map(|_| number("watchers_limit", most)).transpose()?;
        Ok(Wanted {
            state,
            messages: messages::part(&mut page, MESSAGES)?,
            members: Slice { limit: number("members_limit", members::LIST_MAX)?, offset: 0 },
            watchers: watchers.map(|limit| Slice { limit, offset: 0 }),
            unread_threads: false,
            member_custom: messages::member_custom(call.query.list("member_custom_include"))?,
        })
    }
}

/// A `limit` and an `offset`.
fn slice(sent: &mut Fields, name: &str, limit: i64) -> Result<Option<Slice>> {
    let Some(mut page) = sent.object(name)? else { return Ok(None) };
    let limit = page.number("limit")?.filter(|limit| *limit != 0).unwrap_or(limit);
    let offset = page.number("offset")?.unwrap_or(0);
    if !(0..=PAGE_MAX).contains(&limit) || !(0..=OFFSET_MAX).contains(&offset) {
        let rule = format!("takes a limit up to {PAGE_MAX} and an offset up to {OFFSET_MAX}");
        return Err(Error::field(name, &rule));
    }
    let count = |number: i64| usize::try_from(number).expect("the range was checked");
    Ok(Some(Slice { limit: count(limit), offset: count(offset) }))
}
