//! What comments, reactions and bookmarks of feeds v3 are about: an activity, or a comment (feeds-v3 §3.5, §3.6).

use minicbor::{Decode, Encode};
use store::{Corrupt, Key, key};

use super::activities::{self, Tally};
use crate::{
    Result, Tx,
    keyspace::{Id, V3_COMMENT_TALLY, V3_TALLY},
};

/// The longest id of an activity or a comment, in bytes.
pub const ID_BYTES_MAX: usize = 255;
/// How the API calls an activity that something is about.
pub const ACTIVITY: &str = "activity";
/// How the API calls a comment that something is about.
pub const COMMENT: &str = "comment";

/// An activity or a comment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub enum Object {
    /// An activity, by its id.
    #[n(0)]
    Activity(#[n(0)] String),
    /// A comment, by its id.
    #[n(1)]
    Comment(#[n(0)] String),
}

impl Object {
    /// The API's `object_type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Object::Activity(_) => ACTIVITY,
            Object::Comment(_) => COMMENT,
        }
    }

    /// The API's `object_id`.
    pub fn id(&self) -> &str {
        match self {
            Object::Activity(id) | Object::Comment(id) => id,
        }
    }
}

impl Key for Object {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(matches!(self, Object::Comment(_))));
        key::text(out, self.id());
    }

    fn read(input: &mut &[u8]) -> std::result::Result<Self, Corrupt> {
        match u8::read(input)? {
            0 => Ok(Object::Activity(String::read(input)?)),
            1 => Ok(Object::Comment(String::read(input)?)),
            _ => Err(Corrupt::new("an object is neither an activity nor a comment")),
        }
    }
}

/// Adds to what is counted of `object`; of an activity that is gone nothing is.
pub(super) async fn count(tx: &mut Tx, object: &Object, tally: Tally, delta: i64) -> Result<()> {
    let tenant = tx.tenant();
    match object {
        Object::Comment(id) => V3_COMMENT_TALLY.add(tx, tenant, &(id.clone(), tally.code()), delta),
        Object::Activity(id) => {
            if let Some(inner) = activities::find(tx, id).await? {
                V3_TALLY.add(tx, tenant, &(Id(inner), tally.code()), delta);
            }
        }
    }
    Ok(())
}
