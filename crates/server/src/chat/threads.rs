//! Threads (chat §6.13, §11.5).

use domain::{
    Tx,
    chat::{
        messages::{self, Part, Shown, Viewer},
        threads::{self, Counted, Patch, THREADS},
    },
    filter::{Filter, Sort},
    users::People,
};
use ids::{ChannelId, MessageId, UserId};
use serde_json::json;
use wire::chat::threads::{OneThread, Threads};

use super::{
    channels::{
        state::{self, Loaded, View},
        wanted::Slice,
    },
    error::{Error, Result},
    fields::Fields,
    gate::Call,
    messages::{Query, bare_path},
    to_wire::{messages::Frame, threads::thread},
    watching::Watching,
};
use crate::reply::Reply;

/// How many threads are answered where nobody says, and the most (chat §4.2).
const LIMIT: i64 = 10;
const LIMIT_MAX: i64 = 25;
/// How many of the newest replies are, where nobody says.
const REPLIES: i64 = 2;
/// The most replies and participants of a thread in an answer.
const LISTED_MAX: i64 = 100;

/// A thread with all that is shown with it.
#[derive(Debug)]
pub(crate) struct Told {
    /// The thread.
    pub(crate) counted: Counted,
    /// The message that it hangs on.
    pub(crate) parent: Shown,
    /// The newest replies.
    pub(crate) replies: Vec<Shown>,
    /// Where it is.
    pub(crate) channel: Loaded,
    /// How many of its participants are listed.
    pub(crate) listed: usize,
    /// How many replies each of them has not read.
    pub(crate) unread: Vec<usize>,
}

/// How much of each thread is wanted.
#[derive(Clone, Copy)]
struct Wanted {
    replies: usize,
    participants: usize,
    members: usize,
}

impl Wanted {
    fn read(sent: &mut Fields) -> Result<Self> {
        let mut number = |name: &str, default: i64| {
            let given = sent.number(name)?.unwrap_or(default);
            match usize::try_from(given) {
                Ok(number) if given <= LISTED_MAX => Ok(number),
                _ => Err(Error::field(name, &format!("must be between 0 and {LISTED_MAX}"))),
            }
        };
        Ok(Wanted {
            replies: number("reply_limit", REPLIES)?,
            participants: number("participant_limit", LISTED_MAX)?,
            members: number("member_limit", LISTED_MAX)?,
        })
    }
}

/// `POST /threads`: those in which the acting user takes part.
pub(crate) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let user = call.some_actor(&mut sent)?;
    let watching = Watching::read(&call, &mut sent)?;
    let limit = sent.number("limit")?.filter(|limit| *limit > 0).unwrap_or(LIMIT);
    if limit > LIMIT_MAX {
        return Err(Error::field("limit", &format!("must be at most {LIMIT_MAX}")));
    }
    let wanted = Wanted::read(&mut sent)?;
    let asked = Query::read(&mut sent, &["-has_unread", "-last_message_at"])?;
    let filter = Filter::parse(&asked.filter, THREADS)?;
    let mut tx = call.snapshot();
    let limit = usize::try_from(limit).unwrap_or_default();
    let (what, place) = ((&filter, &asked.sort), (asked.cursor.as_ref(), limit));
    let page = threads::query(&mut tx, call.user(), &user, what, place, call.now()).await?;
    let mut people = People::default();
    let mut told = Vec::with_capacity(page.rows.len());
    for counted in page.rows {
        told.push(tell(&call, &mut tx, counted, wanted, Some(&user), &mut people).await?);
    }
    follow(&call, &watching, &told, &mut people);
    let frame = frame(&call, &people);
    let threads = told.iter().map(|told| thread(frame, told, shows_read(&call), true)).collect();
    call.answer(&Threads { threads, next: asked.place(page.next), prev: asked.place(page.prev) })
}

/// The threads of the channel `id` in which `user` has something to read, the latest first, at most a page of them.
///
/// # Errors
/// When the store fails.
pub(super) async fn unread_in(
    call: &Call,
    tx: &mut Tx,
    id: &ChannelId,
    user: &UserId,
    people: &mut People,
) -> Result<Vec<Told>> {
    let filter = json!({ "channel_cid": id.as_str(), "has_unread": true }).to_string();
    let (filter, sort) = (Filter::parse(&filter, THREADS)?, Sort::by(&["-last_message_at"]));
    let place = (None, usize::try_from(LIMIT_MAX).unwrap_or_default());
    let page = threads::query(tx, call.user(), user, (&filter, &sort), place, call.now()).await?;
    let listed = usize::try_from(LISTED_MAX).unwrap_or_default();
    let wanted = Wanted { replies: 0, participants: listed, members: 0 };
    let mut told = Vec::with_capacity(page.rows.len());
    for counted in page.rows {
        told.push(tell(call, tx, counted, wanted, Some(user), people).await?);
    }
    Ok(told)
}

/// `GET /threads/{message_id}`: one thread.
pub(crate) async fn get(call: Call, _: Fields) -> Result<Reply> {
    let parent = parent(&call)?;
    let mut sent = call.query_fields()?;
    let wanted = Wanted::read(&mut sent)?;
    let watching = Watching::read(&call, &mut sent)?;
    let user = call.actor(&mut sent)?;
    let mut tx = call.snapshot();
    let counted = threads::read(&mut tx, call.user(), &parent, call.now()).await?;
    let mut people = People::default();
    let told = tell(&call, &mut tx, counted, wanted, user.as_ref(), &mut people).await?;
    follow(&call, &watching, std::slice::from_ref(&told), &mut people);
    call.answer(&OneThread { thread: thread(frame(&call, &people), &told, shows_read(&call), true) })
}

/// `PATCH /threads/{message_id}`: changes the title and own fields.
pub(crate) async fn update(call: Call, mut sent: Fields) -> Result<Reply> {
    let (parent, now) = (parent(&call)?, call.moment());
    let by = call.actor(&mut sent)?;
    let patch = patch(&mut sent)?;
    let caller = call.user().cloned();
    let app = &call.app;
    let run = app.write(async |tx| threads::update(tx, caller.as_ref(), &parent, by.as_ref(), &patch, now).await);
    let counted = run.await?;
    let mut people = People::default();
    let listed = usize::try_from(LISTED_MAX).unwrap_or_default();
    let wanted = Wanted { replies: 0, participants: listed, members: listed };
    let told = tell(&call, &mut call.snapshot(), counted, wanted, call.user(), &mut people).await?;
    call.answer(&OneThread { thread: thread(frame(&call, &people), &told, false, false) })
}

/// Watches the channels of the threads and follows who is in them, as far as that was asked for, and notes who is connected.
fn follow(call: &Call, watching: &Watching, told: &[Told], people: &mut People) {
    let channels: Vec<ChannelId> = told.iter().map(|told| told.channel.id.clone()).collect();
    watching.watch(call, &channels);
    let members = told.iter().flat_map(|told| &told.channel.members).map(|listed| listed.user.clone());
    watching.follow(call, &members.collect::<Vec<_>>());
    call.note_online(people);
}

fn patch(sent: &mut Fields) -> Result<Patch> {
    let dialect = sent.dialect();
    let mut patch = Patch::default();
    let unset = sent.texts("unset")?.unwrap_or_default();
    if let Some(mut set) = sent.object("set")? {
        patch.title = set.text("title")?.map(Some);
        set.skip(&["channel_cid", "created_at", "created_by_user_id", "parent_message_id", "updated_at"]);
        for (path, value) in set.custom()?.iter() {
            patch.custom.set.set(bare_path(path, dialect), value.to_owned());
        }
    }
    for path in unset {
        match path.as_str() {
            "title" => patch.title = Some(None),
            path => patch.custom.unset.push(bare_path(path, dialect).to_owned()),
        }
    }
    Ok(patch)
}

fn parent(call: &Call) -> Result<MessageId> {
    MessageId::parse(call.param("message_id")).map_err(|error| Error::field("message_id", &error.to_string()))
}

fn frame<'a>(call: &Call, people: &'a People) -> Frame<'a> {
    Frame { dialect: call.dialect, people, now: call.now(), shows_deleted: false }
}

/// Whether it is told how far participants have read: the classic shape of the app's own server has no place for it
/// (chat §6.13).
fn shows_read(call: &Call) -> bool {
    !call.is_server() || call.dialect == wire::chat::dialect::Dialect::V2
}

/// Loads what is shown with a thread.
async fn tell(
    call: &Call,
    tx: &mut Tx,
    counted: Counted,
    wanted: Wanted,
    viewer: Option<&UserId>,
    people: &mut People,
) -> Result<Told> {
    let listed = counted.participants.len().min(wanted.participants);
    let unread = unread(tx, &counted, listed).await?;
    let reader = Viewer { user: call.user().cloned(), hidden_until: None };
    let mut page = messages::replies(tx, &counted.parent, &Part::newest(wanted.replies), &reader).await?;
    page.push((counted.parent.clone(), counted.message.clone()));
    let mut replies = messages::gather(tx, page, viewer, people).await?;
    let parent = replies.pop().expect("the parent was put in last");
    let view = View::of(call, viewer);
    let mut channel = state::with(tx, &counted.thread.channel, counted.channel.clone(), view).await?;
    state::list_members(tx, &mut channel, Slice { limit: wanted.members, offset: 0 }).await?;
    let named = counted.participants[..listed].iter().map(|(user, _)| user).chain(&counted.thread.created_by);
    people.add(tx, named.chain(channel.named())).await?;
    Ok(Told { counted, parent, replies, channel, listed, unread })
}

/// How many replies each of the first participants has not read.
async fn unread(tx: &mut Tx, counted: &Counted, listed: usize) -> Result<Vec<usize>> {
    let mut unread = Vec::with_capacity(listed);
    for (user, known) in &counted.participants[..listed] {
        let has_news = counted.last_message_at.is_some_and(|at| at > known.last_read);
        unread.push(match has_news {
            true => threads::unread(tx, &counted.parent, user, known.last_read).await?,
            false => 0,
        });
    }
    Ok(unread)
}
