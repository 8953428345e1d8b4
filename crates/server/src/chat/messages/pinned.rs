//! `GET /channels/{type}/{id}/pinned_messages`: a page of what is pinned (chat §11.3).

use domain::chat::messages::{self, Message, Scene, Viewer};
use ids::{MessageId, Timestamp};

use super::{channel, some};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// Pinned messages of a page if nobody says, and at most.
const LIMIT: usize = 10;
const LIMIT_MAX: usize = 300;
/// Pinned messages of a channel that a reader can page through.
const PINNED_MAX: usize = 1000;

/// Where a message stands in the order of pinning.
type Rank = (Timestamp, MessageId);

/// `GET /channels/{type}/{id}/pinned_messages`.
pub(crate) async fn pinned(call: Call, _: Fields) -> Result<Reply> {
    let (channel, now) = (channel(&call)?, call.now());
    let mut sent = match call.query.get("payload") {
        Some(_) => call.payload()?,
        None => call.query_fields()?,
    };
    let asked = Asked::read(&mut sent)?;
    let mut tx = call.snapshot();
    let scene = Scene::load(&mut tx, &channel, call.user(), now).await?;
    scene.check_reading()?;
    let hides_before = scene.member.as_ref().and_then(|member| member.hides_before);
    let viewer = Viewer { user: call.user().cloned(), hidden_until: scene.channel.truncated_at.max(hides_before) };
    let all = messages::pinned(&mut tx, &channel, &viewer, PINNED_MAX, now).await?;
    some(&call, asked.page(all)?, &[]).await
}

/// Whether something stands where it is asked for.
type Fits = Box<dyn Fn(&Rank) -> bool + Send>;

/// An edge of a page: a message, or when one was pinned; and whether what stands there belongs to the page.
enum Edge {
    Message(MessageId, bool),
    Time(Timestamp, bool),
}

/// Which pinned messages are asked for.
struct Asked {
    limit: usize,
    is_ascending: bool,
    before: Option<Edge>,
    after: Option<Edge>,
    around: Option<Edge>,
}

impl Asked {
    fn read(sent: &mut Fields) -> Result<Self> {
        let limit = sent.count("limit", LIMIT, LIMIT_MAX)?;
        let sort = sent.raw("sort").map_or_else(|| "[]".to_owned(), |sort| sort.get().to_owned());
        // In a query it is a text.
        let sort = serde_json::from_str::<String>(&sort).unwrap_or(sort);
        let sort = domain::filter::Sort::parse(&sort)?.0;
        if let Some(key) = sort.iter().find(|key| key.field != "pinned_at") {
            return Err(Error::field(
                "sort",
                &format!("cannot be by {}: pinned messages are sorted by pinned_at", key.field),
            ));
        }
        let mut edge = |by_id: &str, by_time: &str, with: bool| -> Result<Option<Edge>> {
            let by_time = sent.time(by_time)?.map(|at| Edge::Time(at, with));
            Ok(sent.message(by_id)?.map(|id| Edge::Message(id, with)).or(by_time))
        };
        let after = edge("id_gt", "pinned_at_after", false)?;
        let from = edge("id_gte", "pinned_at_after_or_equal", true)?;
        let before = edge("id_lt", "pinned_at_before", false)?;
        let until = edge("id_lte", "pinned_at_before_or_equal", true)?;
        let around = edge("id_around", "pinned_at_around", true)?;
        Ok(Asked {
            limit,
            is_ascending: sort.first().is_some_and(|key| !key.is_descending),
            before: before.or(until),
            after: after.or(from),
            around,
        })
    }

    /// The page of `all`, of which the latest pinned comes first.
    fn page(&self, all: messages::Page) -> Result<messages::Page> {
        let mut rows: Vec<(Rank, Message)> = all.into_iter().filter_map(ranked).collect();
        rows.sort_by(|(a, _), (b, _)| b.cmp(a));
        let ranks: Vec<Rank> = rows.iter().map(|(rank, _)| rank.clone()).collect();
        for (edge, is_before) in [(&self.before, true), (&self.after, false)] {
            if let Some(edge) = edge {
                let fits = fitting(edge, &ranks, is_before)?;
                rows.retain(|(rank, _)| fits(rank));
            }
        }
        let skipped = match (&self.around, &self.after, &self.before) {
            (Some(edge), ..) => {
                let fits = fitting(edge, &ranks, true)?;
                let middle = rows.iter().position(|(rank, _)| fits(rank)).unwrap_or(rows.len());
                middle.saturating_sub(self.limit / 2).min(rows.len().saturating_sub(self.limit))
            }
            // The nearest ones, which stand last.
            (None, Some(_), None) => rows.len().saturating_sub(self.limit),
            _ => 0,
        };
        let page = rows.into_iter().skip(skipped).take(self.limit).map(|((_, id), message)| (id, message));
        let mut page: messages::Page = page.collect();
        if self.is_ascending {
            page.reverse();
        }
        Ok(page)
    }
}

fn ranked((id, message): (MessageId, Message)) -> Option<(Rank, Message)> {
    Some(((message.pin.as_ref()?.at, id), message))
}

/// Whether something stands on this side of the edge.
fn fitting(edge: &Edge, ranks: &[Rank], is_before: bool) -> Result<Fits> {
    Ok(match edge {
        Edge::Message(id, with) => {
            let rank = ranks.iter().find(|(_, known)| known == id).cloned();
            let rank = rank.ok_or_else(|| Error::field("id", "must be that of a pinned message of the channel"))?;
            let with = *with;
            Box::new(move |other| (with && *other == rank) || if is_before { *other < rank } else { *other > rank })
        }
        Edge::Time(at, with) => {
            let (at, with) = (*at, *with);
            Box::new(move |(other, _)| (with && *other == at) || if is_before { *other < at } else { *other > at })
        }
    })
}
