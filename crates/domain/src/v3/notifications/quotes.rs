//! What a notification quotes, looked up when it is read: nothing is left of what is not there any more.

use ids::UserId;

use super::{About, Kind, Notice};
use crate::{
    Result, Tx,
    v3::{
        activities::{self, Activity, Audience},
        comments::{self, Comment},
        feeds,
    },
};

/// What a notification is about.
#[derive(Clone, Debug)]
pub struct Context {
    /// What happened.
    pub kind: Kind,
    /// The type of the reaction.
    pub reaction: Option<String>,
    /// The comment that was written, if one was.
    pub comment: Option<Quote>,
    /// The own fields of what caused it, if they came along: a JSON object; else empty.
    pub custom: String,
    /// To what it happened.
    pub target: Target,
}

/// To what something happened. What is absent is not there any more.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The activity, or the feed.
    pub id: String,
    /// The type of the activity.
    pub kind: Option<String>,
    /// What the feed is called.
    pub name: Option<String>,
    /// What the activity says.
    pub text: Option<String>,
    /// Whose it is.
    pub user: Option<UserId>,
    /// What hangs on it: JSON objects, in the classic shape.
    pub attachments: Vec<String>,
    /// The comment, if it happened to one.
    pub comment: Option<Quote>,
    /// The activity that it shares.
    pub parent: Option<Parent>,
}

/// A comment.
#[derive(Clone, Debug)]
pub struct Quote {
    /// The id.
    pub id: String,
    /// What it says.
    pub text: String,
    /// Who wrote it.
    pub user: UserId,
    /// What hangs on it: JSON objects, in the classic shape.
    pub attachments: Vec<String>,
}

/// A shared activity.
#[derive(Clone, Debug)]
pub struct Parent {
    /// The id.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// What it says.
    pub text: Option<String>,
    /// Whose it is.
    pub user: Option<UserId>,
    /// What hangs on it: JSON objects, in the classic shape.
    pub attachments: Vec<String>,
}

impl Quote {
    fn of(id: &str, comment: Comment) -> Option<Self> {
        let is_live = comment.is_live();
        let user = comment.user.filter(|_| is_live)?;
        Some(Quote { id: id.to_owned(), text: comment.text, user, attachments: comment.attachments })
    }
}

/// What `notice` quotes.
///
/// # Errors
/// When the store fails.
pub(crate) async fn load(tx: &mut Tx, notice: &Notice) -> Result<Context> {
    let mut context = Context {
        kind: notice.kind,
        reaction: notice.reaction.clone(),
        comment: None,
        custom: notice.custom.clone(),
        target: Target::default(),
    };
    match &notice.about {
        About::Feed(fid) => {
            context.target.id = fid.to_string();
            if let Some(feed) = feeds::get(tx, fid).await? {
                context.target.name = Some(feed.name).filter(|name| !name.is_empty());
                context.target.user = feed.created_by;
            }
        }
        About::Activity(id) => context.target = activity(tx, id).await?,
        About::Comment(id) => {
            let Some(comment) = comments::get(tx, id).await? else {
                context.target.id.clone_from(id);
                return Ok(context);
            };
            context.target = activity(tx, &comment.activity).await?;
            let parent = comment.parent.clone().filter(|_| notice.kind == Kind::Reply);
            let quote = Quote::of(id, comment);
            if notice.kind == Kind::CommentReaction {
                context.target.comment = quote;
                return Ok(context);
            }
            context.comment = quote;
            if let Some(parent) = parent {
                let above = comments::get(tx, &parent).await?;
                context.target.comment = above.and_then(|above| Quote::of(&parent, above));
            }
        }
    }
    Ok(context)
}

/// The activity `id`, as far as it is there and for all who see its feeds.
async fn activity(tx: &mut Tx, id: &str) -> Result<Target> {
    let is_open = |activity: &Activity| activity.deleted_at.is_none() && activity.content.audience == Audience::Public;
    let Some((_, found)) = activities::get_any(tx, id).await?.filter(|(_, activity)| is_open(activity)) else {
        return Ok(Target { id: id.to_owned(), ..Target::default() });
    };
    let parent = match found.parent {
        Some(parent) => activities::get_many(tx, &[parent]).await?.pop().flatten(),
        None => None,
    };
    let parent = parent.filter(is_open).map(|parent| Parent {
        id: parent.id,
        kind: parent.kind,
        text: parent.content.text,
        user: parent.user,
        attachments: parent.content.attachments,
    });
    Ok(Target {
        id: found.id,
        kind: Some(found.kind),
        name: None,
        text: found.content.text,
        user: found.user,
        attachments: found.content.attachments,
        comment: None,
        parent,
    })
}
