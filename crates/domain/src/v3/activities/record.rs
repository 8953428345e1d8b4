//! The record of an activity.

use ids::{ActivityId, Fid, Timestamp, UserId, json::Object};
use minicbor::{Decode, Encode};

use super::{ATTACHMENTS_MAX, BYTES_MAX, MENTIONS_MAX, REFS_MAX};
use crate::{
    Error, Result,
    v3::{Location, feeds::check_tags, notifications::Notice},
};

/// What was posted.
#[derive(Clone, PartialEq, Debug, Encode, Decode)]
pub struct Activity {
    /// The caller's id.
    #[n(0)]
    pub id: String,
    /// Who posted it; nobody, if the author is gone.
    #[n(1)]
    pub user: Option<UserId>,
    /// What kind it is: `type` in the API.
    #[n(2)]
    pub kind: String,
    /// The feeds that it was added to.
    #[n(3)]
    pub feeds: Vec<Fid>,
    /// What it says.
    #[n(4)]
    pub content: Content,
    /// The activity that it shares.
    #[n(5)]
    pub parent: Option<ActivityId>,
    /// Since when there is this activity.
    #[n(6)]
    pub created_at: Timestamp,
    /// When something about it last changed.
    #[n(7)]
    pub updated_at: Timestamp,
    /// When what it says was last changed.
    #[n(8)]
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    #[n(9)]
    pub deleted_at: Option<Timestamp>,
    /// Whether it was deleted with its author's feed data, and never comes back.
    #[n(10)]
    #[cbor(default)]
    pub is_erased: bool,
    /// Of what it notifies, if it does.
    #[n(11)]
    pub notice: Option<Box<Notice>>,
}

/// What an activity says: what a full update replaces.
#[derive(Clone, PartialEq, Debug, Default, Encode, Decode)]
pub struct Content {
    /// A text.
    #[n(0)]
    pub text: Option<String>,
    /// JSON objects, in the classic shape.
    #[n(1)]
    pub attachments: Vec<String>,
    /// Who sees it.
    #[n(2)]
    pub audience: Audience,
    /// Who may comment.
    #[n(3)]
    pub replies: Replies,
    /// By which it is found.
    #[n(4)]
    pub filter_tags: Vec<String>,
    /// What it is about: trimmed and in small letters.
    #[n(5)]
    pub interest_tags: Vec<String>,
    /// Whom it mentions.
    #[n(6)]
    pub mentioned: Vec<UserId>,
    /// The application's own fields: a JSON object, as it was sent; empty for none.
    #[n(7)]
    pub custom: String,
    /// What a search finds it by: a JSON object; empty for none.
    #[n(8)]
    pub search_data: String,
    /// Where it is.
    #[n(9)]
    pub location: Option<Location>,
    /// When it vanishes.
    #[n(10)]
    pub expires_at: Option<Timestamp>,
    /// The poll that is attached.
    #[n(11)]
    pub poll: Option<String>,
    /// Items of collections, `name:id`.
    #[n(12)]
    pub collection_refs: Vec<String>,
    /// The text in other languages, until it is another text: names and texts, as the API's `i18n` has them.
    #[n(13)]
    #[cbor(default)]
    pub translations: Vec<(String, String)>,
}

/// Who sees an activity.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub enum Audience {
    /// Whoever sees a feed that holds it.
    #[default]
    #[n(0)]
    Public,
    /// Its author.
    #[n(1)]
    Private,
    /// Members whose level opens this tag.
    #[n(2)]
    Tag(#[n(0)] String),
}

/// Who may comment on an activity; its author always may.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Replies {
    /// Whoever sees it.
    #[default]
    #[n(0)]
    Everyone,
    /// Whom the author follows.
    #[n(1)]
    PeopleIFollow,
    /// Nobody.
    #[n(2)]
    Nobody,
}

impl Replies {
    /// All of them.
    pub const ALL: [Replies; 3] = [Replies::Everyone, Replies::PeopleIFollow, Replies::Nobody];

    /// The name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Replies::Everyone => "everyone",
            Replies::PeopleIFollow => "people_i_follow",
            Replies::Nobody => "nobody",
        }
    }
}

impl Activity {
    /// The application's own fields.
    pub fn custom(&self) -> Object {
        parsed(&self.content.custom)
    }

    /// What a search finds it by.
    pub fn search_data(&self) -> Object {
        parsed(&self.content.search_data)
    }

    /// Whether it has vanished by `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.content.expires_at.is_some_and(|at| at <= now)
    }

    /// Whether it is of `user`.
    pub fn is_of(&self, user: &UserId) -> bool {
        self.user.as_ref() == Some(user)
    }
}

pub(super) fn parsed(text: &str) -> Object {
    match text {
        "" => Object::default(),
        text => Object::parse(text).expect("own fields were parsed before they were stored"),
    }
}

impl Content {
    /// Takes over the translations of what was said `before`, if the text is the same and there is room for them.
    pub(super) fn keep_translations(&mut self, before: &Content) {
        self.translations.clear();
        if self.text == before.text {
            self.translations.clone_from(&before.translations);
            if self.check().is_err() {
                self.translations.clear();
            }
        }
    }

    /// Checks what fits together and is not too much.
    ///
    /// # Errors
    /// [`Error::Unfit`], [`Error::TooBig`].
    pub fn check(&self) -> Result<()> {
        check_tags("filter_tags", &self.filter_tags)?;
        check_tags("interest_tags", &self.interest_tags)?;
        let at_most = |field: &str, count: usize, max: usize| match count <= max {
            true => Ok(()),
            false => Err(Error::Unfit(format!("{field} must hold at most {max}"))),
        };
        at_most("mentioned_user_ids", self.mentioned.len(), MENTIONS_MAX)?;
        at_most("collection_refs", self.collection_refs.len(), REFS_MAX)?;
        at_most("attachments", self.attachments.len(), ATTACHMENTS_MAX)?;
        match self.bytes() <= BYTES_MAX {
            true => Ok(()),
            false => Err(Error::TooBig(format!("an activity says at most {BYTES_MAX} bytes"))),
        }
    }

    /// How many bytes it says, with its translations.
    pub(in crate::v3) fn bytes(&self) -> usize {
        let texts = [self.text.as_deref().unwrap_or_default(), &self.custom, &self.search_data];
        let more = self.attachments.iter().chain(self.translations.iter().map(|(_, text)| text));
        texts.into_iter().chain(more.map(String::as_str)).map(str::len).sum()
    }

    /// The same without any of that.
    pub(in crate::v3) fn without_words(&self) -> Content {
        Content {
            text: None,
            attachments: Vec::new(),
            custom: String::new(),
            search_data: String::new(),
            translations: Vec::new(),
            ..self.clone()
        }
    }
}
