//! Lists of messages: replies, and what messages said before (chat §7, §11.4).

use domain::{
    chat::messages::{self, Edge, HISTORY, Part, Viewer, Written},
    filter::{Cursor, Filter, Question, Sort},
};
use wire::chat::{
    dialect::{Custom, Time},
    messages::{History, HistoryEntry},
};

use super::{
    super::{
        attachments,
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    member_custom, message_id, some,
};
use crate::reply::Reply;

/// How many replies are answered where nobody says.
const REPLIES: i64 = 25;
/// The most messages of one page.
const PAGE_MAX: i64 = 300;
/// The most rows of a page of a query, and how many where nobody says.
const QUERY_MAX: i64 = 100;
const QUERY: i64 = 25;

/// `GET /messages/{id}/replies`: a page of a thread.
pub(crate) async fn replies(call: Call, _: Fields) -> Result<Reply> {
    let parent = message_id(&call)?;
    let part = part(&mut call.query_fields()?, REPLIES)?;
    let mut tx = call.snapshot();
    messages::read(&mut tx, call.user(), &parent, call.now()).await?;
    let viewer = Viewer { user: call.user().cloned(), hidden_until: None };
    let names = member_custom(call.query.list("member_custom_include"))?;
    let page = messages::replies(&mut tx, &parent, &part, &viewer).await?;
    some(&call, page, &names).await
}

/// Which part of a list of messages a body or a query asks for (chat §7, "Message pagination").
///
/// # Errors
/// 4 when a member is not what the contract says.
pub(crate) fn part(sent: &mut Fields, limit: i64) -> Result<Part> {
    let limit = sent.number("limit")?.unwrap_or(limit);
    if !(0..=PAGE_MAX).contains(&limit) {
        return Err(Error::field("limit", &format!("must be between 0 and {PAGE_MAX}")));
    }
    let mut edge = |by_id: &str, by_time: &str, with: bool| -> Result<Option<(Edge, bool)>> {
        let by_time = sent.time(by_time)?.map(Edge::Time);
        Ok(sent.message(by_id)?.map(Edge::Message).or(by_time).map(|edge| (edge, with)))
    };
    let after = edge("id_gt", "created_at_after", false)?;
    let from = edge("id_gte", "created_at_after_or_equal", true)?;
    let before = edge("id_lt", "created_at_before", false)?;
    let until = edge("id_lte", "created_at_before_or_equal", true)?;
    let around = edge("id_around", "created_at_around", true)?;
    Ok(Part {
        limit: usize::try_from(limit).unwrap_or_default(),
        after: after.or(from),
        before: before.or(until),
        around: around.map(|(edge, _)| edge),
    })
}

/// `POST /messages/history`: older versions of messages.
pub(crate) async fn history(call: Call, mut sent: Fields) -> Result<Reply> {
    let asked = Query::read(&mut sent, &["-message_updated_at"])?;
    let filter = Filter::parse(asked.filter.as_str(), HISTORY)?;
    let mut tx = call.snapshot();
    let page = messages::history(&mut tx, &filter, &asked.sort, asked.cursor.as_ref(), asked.limit).await?;
    let entries = page.rows.iter().map(|written: &Written| HistoryEntry {
        message_id: written.message.as_str(),
        message_updated_by_id: written.version.by.as_ref().map_or("", |user| user.as_str()),
        message_updated_at: Time { at: written.at, dialect: call.dialect },
        text: &written.version.text,
        attachments: attachments::shown(&written.version.attachments, call.dialect),
        is_deleted: written.version.is_deleted,
        custom: Custom { fields: &written.custom, dialect: call.dialect },
    });
    call.answer(&History {
        message_history: entries.collect(),
        next: asked.place(page.next),
        prev: asked.place(page.prev),
    })
}

/// A query with a cursor (chat §7).
pub(crate) struct Query {
    /// The filter, as it was sent.
    pub(crate) filter: String,
    /// The order.
    pub(crate) sort: Sort,
    /// Where the page is.
    pub(crate) cursor: Option<Cursor>,
    /// The most rows.
    pub(crate) limit: usize,
    /// What its cursors belong to.
    question: Question,
}

impl Query {
    /// Reads one; `order` is that of a query that names none.
    ///
    /// # Errors
    /// 4 when a member is not what the contract says, or the cursor is of another filter.
    pub(crate) fn read(sent: &mut Fields, order: &[&str]) -> Result<Self> {
        let raw = |sent: &mut Fields, name: &str, empty: &str| {
            sent.raw(name).map_or_else(|| empty.to_owned(), |value| value.get().to_owned())
        };
        // Older clients call it by the name that other queries have for it.
        let older = raw(sent, "filter_conditions", "{}");
        let filter = raw(sent, "filter", &older);
        let sort = Sort::parse(&raw(sent, "sort", "[]"))?.or(order);
        let cursor = sent.filled("next")?.or(sent.filled("prev")?);
        let limit = sent.number("limit")?.filter(|limit| *limit > 0).unwrap_or(QUERY);
        if limit > QUERY_MAX {
            return Err(Error::field("limit", &format!("must be at most {QUERY_MAX}")));
        }
        // A cursor has the sort of its first page, so that the sort that is sent with it plays no part.
        let question = Question::of(&[&filter]);
        let cursor = cursor.map(|text| Cursor::parse(question.open(&text)?)).transpose()?;
        Ok(Query { filter, sort, cursor, limit: usize::try_from(limit).unwrap_or_default(), question })
    }

    /// What a client sends back for the page there.
    pub(crate) fn place(&self, cursor: Option<String>) -> Option<String> {
        cursor.map(|cursor| self.question.seal(&cursor))
    }
}
