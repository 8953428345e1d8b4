//! Threads: comments with replies below them, as deep and as many as are asked for (feeds-v3 §3.4).

use std::pin::Pin;

use ids::UserId;

use super::list::{Order, Scored, Shown, ancestor, level, show};
use crate::{
    Error, Result, Tx,
    filter::{self, Cursor},
};

/// How deep threads are shown when nobody says: the comments themselves are the first level.
pub const THREAD_DEPTH: usize = 3;
/// How deep they are shown at most.
pub const THREAD_DEPTH_MAX: usize = 10;
/// Replies that are shown below a comment when nobody says.
pub const REPLIES_LIMIT: usize = 5;
/// The most comments of one answer, with all replies; where they are used up, a thread is cut.
const NODES_MAX: usize = 1000;

/// Which part of a thread is wanted.
#[derive(Clone, Debug)]
pub struct Asked {
    /// In which order comments and replies come.
    pub order: Order,
    /// How deep; see [`THREAD_DEPTH`].
    pub depth: usize,
    /// Replies below a comment.
    pub replies_limit: usize,
    /// Where the page is.
    pub cursor: Option<Cursor>,
    /// The comment around which the page is.
    pub around: Option<String>,
    /// The most comments of the page.
    pub limit: usize,
    /// Who reads.
    pub viewer: Option<UserId>,
}

/// A comment in a thread.
#[derive(Clone, Debug)]
pub struct Node {
    /// The comment.
    pub shown: Shown,
    /// Replies to it.
    pub replies: Vec<Node>,
    /// What is not shown of the replies; none if there are none.
    pub meta: Option<Meta>,
}

/// What is not shown of the replies to a comment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Meta {
    /// How many.
    pub remaining: usize,
    /// Whether none is shown because the thread would be too deep, or the answer too long.
    pub is_truncated: bool,
    /// What asks for the next of them.
    pub next_cursor: Option<String>,
}

impl Node {
    /// The users whom it and the replies below it name.
    pub fn users(&self) -> Vec<&UserId> {
        let mut users: Vec<_> = self.shown.users().collect();
        for reply in &self.replies {
            users.extend(reply.users());
        }
        users
    }
}

/// A page of the comments on an activity, or of the replies to the comment `parent`, with what is below them.
///
/// # Errors
/// [`Error::Absent`] when the comment around which the page is to be does not stand there.
pub async fn thread(tx: &mut Tx, activity: &str, parent: Option<&str>, asked: &Asked) -> Result<filter::Page<Node>> {
    let rows = level(tx, activity, parent.unwrap_or_default()).await?;
    let sort = asked.order.sort();
    let page = match &asked.around {
        None => filter::page(rows, &sort, asked.cursor.as_ref(), asked.limit),
        Some(id) => {
            let found = ancestor(tx, id, parent).await?;
            let found = found.ok_or_else(|| Error::Absent(format!("id_around: comment with id '{id}' not found")))?;
            filter::page_around(rows, &sort, &found, asked.limit)
        }
    };
    let mut left = NODES_MAX.saturating_sub(page.rows.len());
    let mut nodes = Vec::with_capacity(page.rows.len());
    for scored in page.rows {
        nodes.push(node(tx, scored, asked, asked.depth, &mut left).await?);
    }
    Ok(filter::Page { rows: nodes, next: page.next, prev: page.prev })
}

/// A comment with `depth` levels, itself among them.
fn node<'a>(
    tx: &'a mut Tx,
    scored: Scored,
    asked: &'a Asked,
    depth: usize,
    left: &'a mut usize,
) -> Pin<Box<dyn Future<Output = Result<Node>> + Send + 'a>> {
    Box::pin(async move {
        if depth <= 1 || *left == 0 {
            let remaining = usize::try_from(scored.replies).unwrap_or_default();
            let meta = (remaining > 0).then_some(Meta { remaining, is_truncated: true, next_cursor: None });
            return Ok(Node { shown: show(tx, scored, asked.viewer.as_ref()).await?, replies: Vec::new(), meta });
        }
        let replies = level(tx, &scored.comment.activity, &scored.id).await?;
        let shown = show(tx, scored, asked.viewer.as_ref()).await?;
        if replies.is_empty() {
            return Ok(Node { shown, replies: Vec::new(), meta: None });
        }
        let total = replies.len();
        let limit = asked.replies_limit.min(*left);
        let page = filter::page(replies, &asked.order.sort(), None, limit);
        *left -= page.rows.len();
        let mut below = Vec::with_capacity(page.rows.len());
        for reply in page.rows {
            below.push(node(tx, reply, asked, depth - 1, left).await?);
        }
        let meta = Meta { remaining: total - below.len(), is_truncated: false, next_cursor: page.next };
        Ok(Node { shown, replies: below, meta: Some(meta) })
    })
}
