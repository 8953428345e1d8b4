//! Polls and their options (chat §6.14, §11.6; v2 §7.3).

mod votes;

pub(super) use votes::{cast, query as query_votes, take_back};

use domain::{
    Tx,
    filter::Filter,
    polls::{self, Content, NewOption, POLLS, Patch as Change, Poll, PollOption, Shown, ShownOption},
    users::People,
};
use ids::UserId;
use wire::chat::polls::{OneOption, OnePoll, Polls};

use super::{
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::Query,
    patch::Patch,
    to_wire::messages::Frame,
};
use crate::reply::Reply;

/// Members that the server sets, and that clients echo (chat §5.4).
const READ_ONLY: &[&str] = &[
    "answers_count",
    "created_at",
    "created_by",
    "created_by_id",
    "latest_answers",
    "latest_votes_by_option",
    "own_votes",
    "updated_at",
    "vote_count",
    "vote_counts_by_option",
];
/// The longest id of a poll or an option, in bytes.
const ID_BYTES_MAX: usize = 255;

/// `POST /polls`: makes a poll.
pub(crate) async fn create(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let id = id(&mut sent)?.unwrap_or_else(|| call.new_id());
    let (content, now) = (content(&call, sent)?, call.moment());
    let poll = call.app.write(async |tx| polls::create(tx, &user, &id, &content, now).await).await?;
    one(&call, &id, poll, Some(&user)).await
}

/// `PUT /polls`: says anew all that a poll says; options that are not named go with their votes, and stay if there are none.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = call.actor(&mut sent)?;
    let id = id(&mut sent)?.ok_or_else(|| Error::field("id", "is a required field"))?;
    let (content, now) = (content(&call, sent)?, call.moment());
    let poll = polls::update(&call.app, call.user(), &id, &content, now).await?;
    one(&call, &id, poll, actor.as_ref()).await
}

/// `PATCH /polls/{poll}`: changes the fields that are given.
pub(crate) async fn patch(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = call.actor(&mut sent)?;
    let (id, now) = (call.param("poll").to_owned(), call.moment());
    let change = change(Patch::take(&mut sent)?)?;
    let caller = call.user().cloned();
    let run = call.app.write(async |tx| polls::patch(tx, caller.as_ref(), &id, &change, now).await);
    let poll = run.await?;
    one(&call, &id, poll, actor.as_ref()).await
}

fn id(sent: &mut Fields) -> Result<Option<String>> {
    match sent.filled("id")? {
        Some(id) if id.len() > ID_BYTES_MAX => Err(Error::field("id", &format!("has at most {ID_BYTES_MAX} bytes"))),
        id => Ok(id),
    }
}

fn content(call: &Call, mut sent: Fields) -> Result<Content> {
    let options = sent.objects("options")?;
    let options = options.map(|list| list.into_iter().map(|option| new_option(call, option)).collect::<Result<_>>());
    let mut content = Content {
        name: sent.filled("name")?.ok_or_else(|| Error::field("name", "is a required field"))?,
        description: sent.text("description")?.unwrap_or_default(),
        is_anonymous: visibility(&mut sent)?.unwrap_or_default(),
        is_unique: sent.flag("enforce_unique_vote")?.unwrap_or_default(),
        votes_max: votes_max(&mut sent)?,
        takes_options: sent.flag("allow_user_suggested_options")?.unwrap_or_default(),
        takes_answers: sent.flag("allow_answers")?.unwrap_or_default(),
        is_closed: sent.flag("is_closed")?.unwrap_or_default(),
        options: options.transpose()?,
        ..Content::default()
    };
    sent.skip(READ_ONLY);
    content.custom = sent.custom()?;
    Ok(content)
}

/// Whether nobody is told who voted.
fn visibility(sent: &mut Fields) -> Result<Option<bool>> {
    match sent.filled("voting_visibility")?.as_deref() {
        None => Ok(None),
        Some("public") => Ok(Some(false)),
        Some("anonymous") => Ok(Some(true)),
        Some(_) => Err(Error::field("voting_visibility", "must be one of [public anonymous]")),
    }
}

fn votes_max(sent: &mut Fields) -> Result<Option<u8>> {
    let given = sent.number("max_votes_allowed")?.map(u8::try_from).transpose();
    given.map_err(|_| Error::field("max_votes_allowed", "must be between 1 and 10"))
}

/// An option in a body; one without an id gets a new one.
fn new_option(call: &Call, mut sent: Fields) -> Result<NewOption> {
    let id = id(&mut sent)?.unwrap_or_else(|| call.new_id());
    let text = sent.filled("text")?.ok_or_else(|| Error::field("text", "is a required field"))?;
    sent.skip(&["user", "user_id"]);
    Ok(NewOption { id, text, custom: sent.custom()? })
}

fn change(mut patch: Patch) -> Result<Change> {
    let clears_max = patch.clears("max_votes_allowed");
    let clears_description = patch.clears("description");
    let votes_max = votes_max(&mut patch.set)?.map(Some).or(clears_max.then_some(None));
    let change = Change {
        name: patch.set.text("name")?,
        description: patch.set.text("description")?.or(clears_description.then(String::new)),
        is_anonymous: visibility(&mut patch.set)?,
        is_unique: patch.set.flag("enforce_unique_vote")?,
        votes_max,
        takes_options: patch.set.flag("allow_user_suggested_options")?,
        takes_answers: patch.set.flag("allow_answers")?,
        is_closed: patch.set.flag("is_closed")?,
        ..Change::default()
    };
    if patch.set.has("options") {
        return Err(Error::field("set.options", "cannot be patched; use the calls for options, or PUT the poll"));
    }
    patch.skip(READ_ONLY);
    patch.skip(&["id"]);
    Ok(Change { custom: patch.edit(), ..change })
}

/// `GET /polls/{poll}`: a poll.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let viewer = call.actor(&mut call.query_fields()?)?;
    let id = call.param("poll").to_owned();
    let poll = polls::read(&mut call.snapshot(), call.user(), &id, call.now()).await?;
    one(&call, &id, poll, viewer.as_ref()).await
}

/// `DELETE /polls/{poll}`: removes a poll with its votes.
pub(crate) async fn delete(call: Call, _: Fields) -> Result<Reply> {
    let actor = call.actor(&mut call.query_fields()?)?;
    let (id, now) = (call.param("poll").to_owned(), call.moment());
    polls::delete(&call.app, call.user(), &id, actor.as_ref(), now).await?;
    call.done()
}

/// `POST /polls/query`: a page of polls.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let asked = Query::read(&mut sent, &["-created_at"])?;
    let filter = Filter::parse(&asked.filter, POLLS)?;
    let mut tx = call.snapshot();
    let (what, part) = ((&filter, &asked.sort), (asked.cursor.as_ref(), asked.limit));
    let page = polls::query(&mut tx, call.user(), &user, what, part, call.now()).await?;
    let (mut people, mut shown) = (People::default(), Vec::with_capacity(page.rows.len()));
    for (id, poll) in page.rows {
        shown.push(look(&mut tx, &id, poll, Some(&user), &mut people).await?);
    }
    let frame = frame(&call, &people);
    let polls = shown.iter().map(|shown| frame.poll(shown)).collect();
    call.answer(&Polls { polls, next: asked.place(page.next), prev: asked.place(page.prev) })
}

/// `POST /polls/{poll}/options`: adds an option.
pub(crate) async fn add_option(call: Call, mut sent: Fields) -> Result<Reply> {
    let actor = call.actor(&mut sent)?;
    let (id, now, new) = (call.param("poll").to_owned(), call.moment(), new_option(&call, sent)?);
    let caller = call.user().cloned();
    let run = call.app.write(async |tx| polls::add_option(tx, caller.as_ref(), actor.as_ref(), &id, &new, now).await);
    let option = run.await?;
    one_option(&call, option)
}

/// `PUT /polls/{poll}/options`: says anew what an option says.
pub(crate) async fn change_option(call: Call, mut sent: Fields) -> Result<Reply> {
    call.actor(&mut sent)?;
    if !sent.has("id") {
        return Err(Error::field("id", "is a required field"));
    }
    let (id, now, new) = (call.param("poll").to_owned(), call.moment(), new_option(&call, sent)?);
    let caller = call.user().cloned();
    let run = call.app.write(async |tx| polls::change_option(tx, caller.as_ref(), &id, &new, now).await);
    let option = run.await?;
    one_option(&call, option)
}

/// `GET /polls/{poll}/options/{option}`: an option.
pub(crate) async fn get_option(call: Call, _: Fields) -> Result<Reply> {
    let (id, option) = (call.param("poll"), call.param("option"));
    let option = polls::load_option(&mut call.snapshot(), call.user(), id, option, call.now()).await?;
    one_option(&call, option)
}

/// `DELETE /polls/{poll}/options/{option}`: removes an option with its votes.
pub(crate) async fn delete_option(call: Call, _: Fields) -> Result<Reply> {
    call.actor(&mut call.query_fields()?)?;
    let (id, option) = (call.param("poll"), call.param("option"));
    polls::delete_option(&call.app, call.user(), id, option, call.moment()).await?;
    call.done()
}

fn one_option(call: &Call, option: PollOption) -> Result<Reply> {
    let people = People::default();
    let shown = ShownOption { custom: option.custom(), option, votes: 0, latest: Vec::new() };
    call.answer(&OneOption { poll_option: frame(call, &people).poll_option(&shown) })
}

async fn one(call: &Call, id: &str, poll: Poll, viewer: Option<&UserId>) -> Result<Reply> {
    let mut people = People::default();
    let shown = look(&mut call.snapshot(), id, poll, viewer, &mut people).await?;
    call.answer(&OnePoll { poll: frame(call, &people).poll(&shown) })
}

/// The poll as `viewer` sees it, and everybody in it.
async fn look(tx: &mut Tx, id: &str, poll: Poll, viewer: Option<&UserId>, people: &mut People) -> Result<Shown> {
    let shown = polls::show(tx, id, poll, viewer).await?;
    people.add(tx, shown.named()).await?;
    Ok(shown)
}

fn frame<'a>(call: &Call, people: &'a People) -> Frame<'a> {
    Frame { dialect: call.dialect, people, now: call.now(), shows_deleted: false }
}
