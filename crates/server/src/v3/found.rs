//! What is found out for a user: interests and feeds to follow (feeds-v3 §3.2, §3.11).

use domain::{
    users::People,
    v3::{
        interests,
        show::{self, ShownFeed},
        suggestions::{self, Suggestion},
    },
};
use wire::v3::found::{Interest, Interests, Suggested, Suggestions};

use super::{
    read::{Actor, LIMIT, LIMIT_MAX},
    show::Pen,
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::{self, Fields},
        gate::Call,
    },
    reply::Reply,
};

/// `GET /users/{id}/interests`: a user's token asks for its own user's.
pub(super) async fn interests(call: Call, _: Fields) -> Result<Reply> {
    let user = fields::user(call.param("id"))?;
    if call.user().is_some_and(|own| *own != user) {
        let rule = format!("the interests of user '{user}' are that user's own");
        return Err(Error::from(domain::Error::NotAllowed(rule)));
    }
    let limit = call.query_fields()?.count("limit", LIMIT, LIMIT_MAX)?;
    let found = interests::counts(&mut call.snapshot(), &user).await?;
    let interests = found.iter().take(limit).map(|(tag, count)| Interest { tag, count: *count }).collect();
    call.answer(&Interests { interests })
}

/// `GET /feed_groups/{group}/follow_suggestions`.
pub(super) async fn suggestions(call: Call, _: Fields) -> Result<Reply> {
    let mut sent = call.query_fields()?;
    let user = Actor::some(&call, &mut sent)?.id;
    let limit = sent.count("limit", LIMIT, LIMIT_MAX)?;
    let (mut tx, mut people) = (call.snapshot(), People::default());
    let found = suggestions::list(&mut tx, call.param("group"), &user, limit).await?;
    let mut shown: Vec<(ShownFeed, Suggestion)> = Vec::with_capacity(found.len());
    for one in found {
        let feed = show::feed(&mut tx, one.fid.clone(), one.feed.clone(), &mut people).await?;
        shown.push((feed, one));
    }
    call.note_online(&mut people);
    let pen = Pen { people: &people, now: call.now() };
    let suggestions = shown.iter().map(|(feed, one)| Suggested {
        feed: pen.feed(feed),
        reason: reason(one),
        recommendation_score: one.score(),
        algorithm_scores: [("friends", one.friends as f64), ("followers", one.followers as f64)].into(),
    });
    call.answer(&Suggestions { suggestions: suggestions.collect(), algorithm_used: "friends_then_followers" })
}

fn reason(one: &Suggestion) -> String {
    match (one.friends, one.followers) {
        (0, 0) => "new to you".to_owned(),
        (0, followers) => format!("followed by {followers}"),
        (friends, _) => format!("followed by {friends} whom you follow"),
    }
}
