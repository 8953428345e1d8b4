//! What answers show beside what a call made: the activity, and the comment, that it is about.

use domain::{
    users::People,
    v3::{
        activities::Activity,
        comments::{LATEST, Order, Shown as ShownComment, gather},
        made::Scene,
        show::{self, Shown},
    },
};
use ids::{ActivityId, UserId};

use super::{comments, read::LIMIT_MAX};
use crate::chat::{error::Result, gate::Call};

/// An activity, and perhaps a comment on it, ready to be shown.
#[derive(Debug)]
pub(super) struct Around {
    /// Whom they name.
    pub(super) people: People,
    /// The activity.
    pub(super) activity: Shown,
    /// The comment.
    pub(super) comment: Option<ShownComment>,
}

impl Around {
    /// What a call was about, as it is now, as `viewer` sees it.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn load(call: &Call, scene: Scene, viewer: Option<&UserId>) -> Result<Self> {
        let mut tx = call.snapshot();
        let mut people = People::default();
        let found = vec![(scene.id, scene.activity)];
        let activity = show::activities(&mut tx, found, viewer, &mut people).await?.remove(0);
        let comment = match scene.comment {
            Some(comment) => Some(gather(&mut tx, vec![comment], viewer).await?.remove(0)),
            None => None,
        };
        people.add(&mut tx, comment.iter().flat_map(ShownComment::users)).await?;
        call.note_online(&mut people);
        Ok(Around { people, activity, comment })
    }

    /// Another activity.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn also(
        &mut self,
        call: &Call,
        activity: (ActivityId, Activity),
        viewer: Option<&UserId>,
    ) -> Result<Shown> {
        let shown = show::activities(&mut call.snapshot(), vec![activity], viewer, &mut self.people).await?;
        Ok(shown.into_iter().next().expect("one activity was shown"))
    }

    /// Shows the comments that `comment_sort` and `comment_limit` of the query ask for, if they ask.
    ///
    /// # Errors
    /// 4 when one is not what the contract says.
    pub(super) async fn choose_comments(&mut self, call: &Call, viewer: Option<&UserId>) -> Result<()> {
        let mut sent = call.query_fields()?;
        let (sort, limit) = (sent.filled("comment_sort")?, sent.count("comment_limit", 0, LIMIT_MAX)?);
        if sort.is_none() && limit == 0 {
            return Ok(());
        }
        let order = match sort {
            Some(name) => comments::order(&name)?,
            None => Order::Last,
        };
        let limit = if limit == 0 { LATEST } else { limit };
        let mut tx = call.snapshot();
        let found = domain::v3::comments::latest(&mut tx, &self.activity.activity.id, order, limit, viewer).await?;
        self.people.add(&mut tx, found.iter().flat_map(ShownComment::users)).await?;
        self.activity.engagement.comments = found;
        Ok(())
    }
}
