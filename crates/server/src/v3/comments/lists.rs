//! Lists of comments: threads, and what fits a filter (feeds-v3 §3.4).

use domain::{
    filter::{Filter, Question},
    users::People,
    v3::{
        comments::{self, Asked, Node, Order, REPLIES_LIMIT, THREAD_DEPTH, THREAD_DEPTH_MAX},
        made,
        objects::{ACTIVITY, Object},
        query::Query,
    },
};
use wire::v3::comments::ThreadedComments;

use super::some;
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
    v3::{
        read::{self, Actor, Place},
        show::Pen,
    },
};

/// The most replies below a comment.
const REPLIES_LIMIT_MAX: usize = 100;

/// `GET /comments`.
pub(in crate::v3) async fn list(call: Call, _: Fields) -> Result<Reply> {
    let mut sent = call.query_fields()?;
    let id = sent.filled("object_id")?.ok_or_else(|| Error::field("object_id", "is a required field"))?;
    if sent.filled("object_type")?.is_some_and(|kind| kind != ACTIVITY) {
        return Err(Error::field("object_type", "must be activity"));
    }
    thread(call, sent, Object::Activity(id)).await
}

/// `GET /comments/{id}/replies`.
pub(in crate::v3) async fn replies(call: Call, _: Fields) -> Result<Reply> {
    let sent = call.query_fields()?;
    let id = call.param("id").to_owned();
    thread(call, sent, Object::Comment(id)).await
}

async fn thread(call: Call, mut sent: Fields, below: Object) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let order = sorted(&mut sent)?;
    let question = Question::of(&[order.name()]);
    let place = Place::read(&mut sent)?;
    let asked = Asked {
        order,
        depth: sent.count("depth", THREAD_DEPTH, THREAD_DEPTH_MAX)?,
        replies_limit: sent.count("replies_limit", REPLIES_LIMIT, REPLIES_LIMIT_MAX)?,
        cursor: place.cursor(question)?,
        around: sent.filled("id_around")?,
        limit: place.limit,
        viewer,
    };
    let mut tx = call.snapshot();
    let (activity, parent) = match below {
        Object::Activity(id) => {
            let scene = made::open(&mut tx, &Object::Activity(id), call.user()).await?;
            (scene.activity.id, None)
        }
        Object::Comment(id) => {
            // Below a stub there are replies, too.
            let comment = comments::get(&mut tx, &id).await?.ok_or_else(|| comments::absent(&id))?;
            let scene = made::open(&mut tx, &Object::Activity(comment.activity), call.user()).await?;
            (scene.activity.id, Some(id))
        }
    };
    let mut page = comments::thread(&mut tx, &activity, parent.as_deref(), &asked).await?;
    page.rows.iter_mut().for_each(|node| seal(node, question));
    let mut people = People::load(&mut tx, page.rows.iter().flat_map(comments::Node::users)).await?;
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    call.answer(&ThreadedComments {
        sort: order.name(),
        comments: page.rows.iter().map(|node| pen.threaded(node)).collect(),
        pager: read::pager(question, &page),
    })
}

/// What asks for more replies belongs to the same order.
fn seal(node: &mut Node, question: Question) {
    if let Some(meta) = &mut node.meta {
        meta.next_cursor = meta.next_cursor.take().map(|place| question.seal(&place));
    }
    node.replies.iter_mut().for_each(|reply| seal(reply, question));
}

/// `POST /comments/query`.
pub(in crate::v3) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let viewer = Actor::find(&call, &mut sent)?.map(|actor| actor.id);
    let filter = sent.raw("filter").ok_or_else(|| Error::field("filter", "is a required field"))?;
    let order = sorted(&mut sent)?;
    let question = Question::of(&[filter.get(), order.name()]);
    let place = Place::read(&mut sent)?;
    let asked = Query {
        filter: Filter::parse(filter.get(), comments::SCHEMA)?,
        sort: order.sort(),
        cursor: place.cursor(question)?,
        limit: place.limit,
    };
    let around = sent.filled("id_around")?;
    let page = comments::query(&mut call.snapshot(), call.user(), &asked, around.as_deref()).await?;
    let pager = read::pager(question, &page);
    let all = page.rows.into_iter().map(|scored| (scored.id, scored.comment)).collect();
    some(&call, all, viewer.as_ref(), pager).await
}

/// In which order; the oldest first, if nobody says.
fn sorted(sent: &mut Fields) -> Result<Order> {
    let Some(name) = sent.filled("sort")? else { return Ok(Order::default()) };
    order(&name)
}

/// The order with this name.
///
/// # Errors
/// 4 when there is none.
pub(in crate::v3) fn order(name: &str) -> Result<Order> {
    let rule = "must be first, last, top, best or controversial";
    Order::named(name).ok_or_else(|| Error::field("sort", rule))
}
