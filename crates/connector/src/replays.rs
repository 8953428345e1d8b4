//! Erasures done again after the other side restored a backup (§13): every user there is held against the ledger of
//! erasures, which knows hashes of ids, and who came back is deleted by an ordinary request. Where the ledger has the ids
//! too, they alone are asked for.
//!
//! **Invariant:** only a user who was made before their erasure is deleted; whoever has such an id since then is somebody
//! new.

use ids::Timestamp;
use minicbor::{Decode, Encode};
use store::{Direction, Limit, Transaction};

use crate::{
    Asked, Connector, Error, NewRequest, Result,
    audit::{self, Draft},
    engine::{PAGE, PUT_OFF_FOR, Paging, due_key, query, users},
    error::failed,
    integrations::{self, Health, Ledger},
    keys::{DataKey, Place},
    keyspace::{ERASED, ERASED_ID, HERE, LIMIT, REPLAY, REPLAY_DUE},
    requests::{Category, GivenIdentifier, Kind},
    status::Reason,
    upstream::{Answer, Call, Failing, Meaning, Next, Session, next},
};

const DAY: i64 = 24 * 3600 * 1_000_000;

/// A search for users who were erased and are there again.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Replay {
    /// `rpl_` and a ULID; the requests that it makes have it as their batch.
    #[n(0)]
    pub id: String,
    /// Where it searches.
    #[n(1)]
    pub integration: String,
    /// Erasures before this are left alone.
    #[n(2)]
    pub since: Timestamp,
    /// Who asked for it.
    #[n(3)]
    pub requested_by: String,
    /// The users that were looked at.
    #[n(4)]
    pub looked_at: u64,
    /// Those who are deleted again.
    #[n(5)]
    pub resurrected: u64,
    /// New people with the id of an erased one; they stay.
    #[n(6)]
    pub re_registered: u64,
    /// Those who were erased once and do not say since when they are there; they stay, for a person to look at.
    #[n(7)]
    pub unclear: u64,
    /// The last user that was looked at, sealed.
    #[n(8)]
    sealed_cursor: Option<minicbor::bytes::ByteVec>,
    /// When it was asked for.
    #[n(9)]
    pub started_at: Timestamp,
    /// When it goes on; nothing when it is done.
    #[n(10)]
    pub next_run_at: Option<Timestamp>,
    /// When it was done.
    #[n(11)]
    pub finished_at: Option<Timestamp>,
    /// Why it waits, or was given up.
    #[n(12)]
    pub reason: Option<Reason>,
    /// Failures in a row, and since when.
    #[n(13)]
    failures: u32,
    #[n(14)]
    failing_since: Option<Timestamp>,
    /// Whether the erased alone are asked for, because the ledger has the id of each.
    #[cbor(n(15), default)]
    asks_for_ids: bool,
    /// How users are asked for.
    #[cbor(n(16), default)]
    paging: Paging,
}

impl Replay {
    /// The word for where it stands.
    pub fn status(&self) -> &'static str {
        match (self.finished_at, self.reason) {
            (Some(_), None) => "complete",
            (Some(_), Some(_)) => "failed",
            (None, Some(_)) => "retrying",
            (None, None) => "processing",
        }
    }

    fn is_done(&self) -> bool {
        self.finished_at.is_some()
    }

    fn end(&mut self, reason: Option<Reason>, now: Timestamp) {
        (self.next_run_at, self.finished_at, self.reason) = (None, Some(now), reason);
    }
}

/// Some of the erased.
struct Erased {
    ids: Vec<String>,
    /// The hash of the last of them that was looked up.
    last: String,
}

fn place(hash: &str) -> Place<'_> {
    Place { table: "erased", row: hash, field: "user_id" }
}

/// Notes that a user was erased; with a key, the id too.
pub(crate) fn remember(tx: &mut Transaction, row: (String, String), id: Option<(&str, &DataKey)>, now: Timestamp) {
    ERASED.put(tx, HERE, &row, &now.micros());
    match id {
        Some((id, key)) => ERASED_ID.put(tx, HERE, &row, &key.seal(place(&row.1), id.as_bytes()).into()),
        None => ERASED_ID.delete(tx, HERE, &row),
    }
}

impl Connector {
    /// Begins a search on each of these integrations, on all of them if none is named. The worker goes on with it.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn replay_erasures(&self, integrations: &[String], since: Timestamp, actor: &str) -> Result<Vec<Replay>> {
        let mut chosen = Vec::new();
        for id in integrations {
            chosen.push(self.integration(id).await?);
        }
        if integrations.is_empty() {
            let all = self.integrations().await?;
            chosen.extend(all.into_iter().filter(|one| !matches!(one.health, Health::Disabled | Health::Untested)));
        }
        let mut replays = Vec::new();
        for integration in chosen {
            let now = self.surroundings.now();
            let keeps_ids = integration.watching.ledger == Ledger::Encrypted;
            let asks_for_ids = keeps_ids && self.has_every_id(&integration.id, since).await?;
            let replay = Replay {
                id: self.surroundings.id("rpl_"),
                integration: integration.id,
                since,
                requested_by: actor.to_owned(),
                looked_at: 0,
                resurrected: 0,
                re_registered: 0,
                unclear: 0,
                sealed_cursor: None,
                started_at: now,
                next_run_at: Some(now),
                finished_at: None,
                reason: None,
                failures: 0,
                failing_since: None,
                asks_for_ids,
                paging: Paging::default(),
            };
            let begun = Draft::by(actor, "erasures.replay_begun", &replay.id).with("since", since.rfc3339());
            self.put_replay(&replay, Some(&begun), None).await?;
            replays.push(replay);
        }
        self.news.notify_one();
        Ok(replays)
    }

    /// A search.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn replay(&self, id: &str) -> Result<Replay> {
        load(&mut self.store.read(), id).await
    }

    /// A search, as soon as it is done.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub async fn replayed(&self, id: &str) -> Result<Replay> {
        let mut following = self.followers.follow(id);
        let mut stopping = self.stopping.subscribe();
        loop {
            let replay = self.replay(id).await?;
            if replay.is_done() {
                return Ok(replay);
            }
            tokio::select! {
                () = following.news() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return Ok(replay),
            }
        }
    }

    /// Makes one step of each search that is due; answers how many there were.
    pub(crate) async fn run_replays(&self) -> Result<usize> {
        let now = self.surroundings.now();
        let range = REPLAY_DUE.before(HERE, &(due_key(now) + 1, String::new()));
        let due = REPLAY_DUE.scan(&mut self.store.read(), HERE, range, Direction::Forward, Limit::PAGE).await?.rows;
        for ((_, id), ()) in &due {
            let lock = self.lock(id);
            let _held = lock.lock().await;
            let replay = self.replay(id).await?;
            if replay.next_run_at.is_some_and(|at| at <= now) {
                match self.search_a_page(replay.clone()).await {
                    Err(error) if error.is_of_one_request() => self.leave_alone(replay).await?,
                    searched => searched?,
                }
            }
        }
        Ok(due.len())
    }

    /// Ends a search whose integration was removed, and puts off one that cannot go on as things are: it holds up nothing else.
    async fn leave_alone(&self, mut replay: Replay) -> Result<()> {
        let now = self.surroundings.now();
        replay.reason = Some(Reason::IntegrationDisconnected);
        match self.integration(&replay.integration).await {
            Err(Error::Missing { .. }) => replay.end(Some(Reason::IntegrationDisconnected), now),
            _ => replay.next_run_at = Some(now.plus_micros(PUT_OFF_FOR)),
        }
        self.put_replay(&replay, None, None).await
    }

    /// When a search is due next.
    pub(crate) async fn next_replay(&self) -> Result<Option<Timestamp>> {
        let first = Limit { rows: 1, ..Limit::PAGE };
        let range = REPLAY_DUE.range(HERE);
        let page = REPLAY_DUE.scan(&mut self.store.read(), HERE, range, Direction::Forward, first).await?;
        Ok(page.rows.first().map(|((at, _), ())| Timestamp::from_micros(i64::try_from(*at).unwrap_or(i64::MAX))))
    }

    /// Whether the ledger has the id, and not the hash alone, of everybody who was erased there since then.
    async fn has_every_id(&self, integration: &str, since: Timestamp) -> Result<bool> {
        let mut tx = self.store.read();
        let mut range = ERASED.prefix(HERE, &(integration.to_owned(),));
        loop {
            let page = ERASED.scan(&mut tx, HERE, range.clone(), Direction::Forward, Limit::PAGE).await?;
            for (row, _) in page.rows.iter().filter(|(_, erased_at)| *erased_at >= since.micros()) {
                if !ERASED_ID.exists(&mut tx, HERE, row).await? {
                    return Ok(false);
                }
            }
            match page.rows.last().filter(|_| page.more) {
                Some((row, _)) => range.start = store::key::after(ERASED.key(HERE, row)),
                None => return Ok(true),
            }
        }
    }

    /// The next erased users, by id, with the hash of the last; nobody when all were asked for.
    async fn next_erased(&self, replay: &Replay, key: &DataKey, after: Option<&str>) -> Result<Option<Erased>> {
        let mut tx = self.store.read();
        let mut range = ERASED_ID.prefix(HERE, &(replay.integration.clone(),));
        if let Some(after) = after {
            range.start = store::key::after(ERASED_ID.key(HERE, &(replay.integration.clone(), after.to_owned())));
        }
        let limit = Limit { rows: PAGE, ..Limit::PAGE };
        let page = ERASED_ID.scan(&mut tx, HERE, range, Direction::Forward, limit).await?;
        let Some(((_, last), _)) = page.rows.last() else { return Ok(None) };
        let mut erased = Erased { ids: Vec::new(), last: last.clone() };
        for (row, sealed) in &page.rows {
            let erased_at = ERASED.get(&mut tx, HERE, row).await?;
            if erased_at.is_some_and(|erased_at| erased_at >= replay.since.micros()) {
                erased.ids.push(key.open_text(place(&row.1), sealed)?);
            }
        }
        Ok(Some(erased))
    }

    /// Asks for the next of those who were erased.
    async fn search_the_erased(&self, mut replay: Replay, key: &DataKey, session: &Session) -> Result<()> {
        let now = self.surroundings.now();
        let cursor_id = replay.id.clone();
        let at = Place { table: "replay", row: &cursor_id, field: "cursor" };
        let after = replay.sealed_cursor.as_ref().map(|sealed| key.open_text(at, sealed)).transpose()?;
        let Some(erased) = self.next_erased(&replay, key, after.as_deref()).await? else {
            return self.end_search(&mut replay, None).await;
        };
        let call = query(&serde_json::json!({"id": {"$in": erased.ids}}));
        if !erased.ids.is_empty() {
            if let Some(until) = session.gate(call.endpoint, now).until() {
                replay.next_run_at = Some(until);
                return self.put_replay(&replay, None, None).await;
            }
            let answer = session.call(&self.http, &call, None, &self.surroundings).await;
            self.note_call(&replay.id, session, &call, &answer, replay.failures).await?;
            let Some(page) = (answer.meaning == Meaning::Ok).then(|| users(&answer)).flatten() else {
                return self.search_failed(&mut replay, session, &call, answer).await;
            };
            for user in page.iter().filter(|user| erased.ids.contains(&user.id)) {
                self.hold_against_the_ledger(&mut replay, &user.id, user.made_at()).await?;
            }
        }
        (replay.failures, replay.failing_since, replay.reason) = (0, None, None);
        replay.sealed_cursor = Some(key.seal(at, erased.last.as_bytes()).into());
        replay.next_run_at = Some(self.surroundings.now());
        self.put_replay(&replay, None, Some((session, &call))).await
    }

    /// What follows from an answer that is no list of users.
    async fn search_failed(&self, replay: &mut Replay, session: &Session, call: &Call, answer: Answer) -> Result<()> {
        let answer = if answer.meaning == Meaning::Ok { answer.unreadable("no list of users") } else { answer };
        self.follow_up(replay, session, &answer);
        self.put_replay(replay, None, Some((session, call))).await
    }

    /// Ends a search that has looked at everybody.
    async fn end_search(&self, replay: &mut Replay, used: Option<(&Session, &Call)>) -> Result<()> {
        replay.end(None, self.surroundings.now());
        let ended = Draft::by(&replay.requested_by, "erasures.replayed", &replay.id);
        let ended = ended.with("looked_at", replay.looked_at).with("resurrected", replay.resurrected);
        self.put_replay(replay, Some(&ended.with("re_registered", replay.re_registered)), used).await
    }

    /// Looks at the next page of users.
    async fn search_a_page(&self, mut replay: Replay) -> Result<()> {
        let mut tx = self.store.read();
        let integration = integrations::load(&mut tx, &replay.integration).await?;
        let key = self.ring.load(&mut tx, &integration.id).await?;
        drop(tx);
        let session = self.session(&integration).await?;
        if replay.asks_for_ids {
            return self.search_the_erased(replay, &key, &session).await;
        }
        let place = Place { table: "replay", row: &replay.id.clone(), field: "cursor" };
        let cursor = replay.sealed_cursor.as_ref().map(|sealed| key.open_text(place, sealed)).transpose()?;
        let call = replay.paging.query(&serde_json::json!({}), cursor.as_deref());
        if let Some(until) = session.gate(call.endpoint, self.surroundings.now()).until() {
            replay.next_run_at = Some(until);
            return self.put_replay(&replay, None, None).await;
        }
        let answer = session.call(&self.http, &call, None, &self.surroundings).await;
        self.note_call(&replay.id, &session, &call, &answer, replay.failures).await?;
        let used = Some((&*session, &call));
        if let Some(paging) = replay.paging.instead(answer.meaning, cursor.as_deref()) {
            (replay.paging, replay.next_run_at) = (paging, Some(self.surroundings.now()));
            return self.put_replay(&replay, None, used).await;
        }
        let Some(page) = (answer.meaning == Meaning::Ok).then(|| users(&answer)).flatten() else {
            return self.search_failed(&mut replay, &session, &call, answer).await;
        };
        (replay.failures, replay.failing_since, replay.reason) = (0, None, None);
        for user in &page {
            self.hold_against_the_ledger(&mut replay, &user.id, user.made_at()).await?;
        }
        let now = self.surroundings.now();
        let is_full = replay.paging.took(page.len());
        match page.last() {
            Some(last) if is_full && cursor.as_ref().is_none_or(|cursor| last.id > *cursor) => {
                replay.sealed_cursor = Some(key.seal(place, last.id.as_bytes()).into());
                replay.next_run_at = Some(now);
                self.put_replay(&replay, None, used).await
            }
            Some(_) if is_full => {
                replay.end(Some(Reason::PaginationLoop), now);
                self.put_replay(&replay, None, used).await
            }
            _ => self.end_search(&mut replay, used).await,
        }
    }

    /// Asks for the deletion of a user who was erased and is there again.
    async fn hold_against_the_ledger(&self, replay: &mut Replay, id: &str, made_at: Option<Timestamp>) -> Result<()> {
        replay.looked_at += 1;
        let row = (replay.integration.clone(), self.erased_hash(id));
        let erased_at = ERASED.get(&mut self.store.read(), HERE, &row).await?;
        let Some(erased_at) = erased_at.filter(|erased_at| *erased_at >= replay.since.micros()) else { return Ok(()) };
        match made_at {
            None => replay.unclear += 1,
            Some(made_at) if made_at.micros() >= erased_at => replay.re_registered += 1,
            Some(_) => {
                let identifier = GivenIdentifier::new(Category::UserId, id)?;
                let mut new = NewRequest::new(Kind::Deletion, vec![identifier]);
                new.integrations = vec![replay.integration.clone()];
                new.requested_by.clone_from(&replay.requested_by);
                new.batch = Some(replay.id.clone());
                // After a crash the page is read again: a request that is still open is found, and counted once more.
                let (Asked::Created(_) | Asked::Duplicate(_)) = self.ask(&new).await?;
                replay.resurrected += 1;
            }
        }
        Ok(())
    }

    /// What is stored of the id of an erased user.
    pub(crate) fn erased_hash(&self, id: &str) -> String {
        self.pepper.hash(format!("user_id:{id}").as_bytes())
    }

    fn follow_up(&self, replay: &mut Replay, session: &Session, answer: &Answer) {
        let now = self.surroundings.now();
        let failing = Failing {
            meaning: answer.meaning,
            failures: replay.failures,
            since: replay.failing_since.unwrap_or(now),
            headers: answer.headers,
            offset: session.offset(),
            is_write: false,
            patience: replay.started_at.plus_micros(DAY),
        };
        replay.failures += 1;
        replay.failing_since.get_or_insert(now);
        match next(failing, &self.surroundings) {
            Next::Retry(at, reason) => (replay.next_run_at, replay.reason) = (Some(at), Some(reason)),
            Next::Reconcile(at) => replay.next_run_at = Some(at),
            Next::GiveUp(reason) => replay.end(Some(reason), now),
        }
    }

    async fn put_replay(&self, replay: &Replay, draft: Option<&Draft>, used: Option<(&Session, &Call)>) -> Result<()> {
        let now = self.surroundings.now();
        let written = self.store.write(async |tx: &mut Transaction| {
            let before = REPLAY.get(tx, HERE, &replay.id).await?.and_then(|before| before.next_run_at);
            if let Some(before) = before {
                REPLAY_DUE.delete(tx, HERE, &(due_key(before), replay.id.clone()));
            }
            if let Some(at) = replay.next_run_at {
                REPLAY_DUE.put(tx, HERE, &(due_key(at), replay.id.clone()), &());
            }
            REPLAY.put(tx, HERE, &replay.id, replay);
            if let Some((session, call)) = used
                && let Some(limit) = session.limit(call.endpoint)
            {
                LIMIT.put(tx, HERE, &(replay.integration.clone(), call.endpoint.word().to_owned()), &limit);
            }
            if let Some(draft) = draft {
                audit::record(tx, draft, now).await?;
            }
            Ok(())
        });
        written.await.map_err(failed)?;
        self.followers.tell(&replay.id);
        Ok(())
    }
}

async fn load(tx: &mut Transaction, id: &str) -> Result<Replay> {
    REPLAY.get(tx, HERE, &id.to_owned()).await?.ok_or_else(|| Error::missing("replay", id))
}
