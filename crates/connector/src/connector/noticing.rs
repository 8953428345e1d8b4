//! What is noticed by looking from time to time: a clock that jumps, deadlines that draw near, and
//! an audit log that has grown (§14, §19).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ids::Timestamp;
use serde_json::json;
use store::{Direction, Limit, Transaction};

use super::{Connector, load_request};
use crate::{
    Result,
    audit::{self, Draft},
    deadlines::{WARNINGS_PERCENT, elapsed_percent},
    engine::{self, due_key},
    error::failed,
    executions::{self, Phase},
    hooks,
    keyspace::{AUDIT, CHECKPOINT, DUE, HERE, REQUEST},
    leases,
    requests::Request,
};

/// Entries of the audit log between two checkpoints.
const CHECKPOINT_ENTRIES: u64 = 1_000;
/// The longest time between two checkpoints of a log that grows, in microseconds.
const CHECKPOINT_EVERY: i64 = 24 * 3600 * 1_000_000;

/// A clock that steps back by more than this is told of, in microseconds (§14).
const STEP_BACK: i64 = 60 * 1_000_000;
/// A clock that jumps ahead by more than this has missed looks at jobs, in microseconds.
const JUMP: i64 = 3600 * 1_000_000;
/// The time over which looks are spread that were missed, in microseconds (§12.1).
const SPREAD: i64 = 60 * 1_000_000;

impl Connector {
    /// Looks at the clock: a step back goes to the audit log, and after a jump ahead, or when nobody looked before, the
    /// looks at jobs that were missed are made once each, spread over a minute.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_at_clock(&self) -> Result<()> {
        let now = self.surroundings.now();
        let before = self.seen_at.lock().replace(now);
        let ahead = before.map(|before| now.micros() - before.micros());
        if let Some(back) = ahead.map(|ahead| -ahead).filter(|back| *back > STEP_BACK) {
            let draft = Draft::system("clock.stepped_back", "connector").with("seconds", back / 1_000_000);
            self.record(draft).await?;
        }
        if ahead.is_none_or(|ahead| ahead > JUMP) {
            self.spread_missed(now).await?;
        }
        Ok(())
    }

    /// Puts off every look at a job that was due a minute ago or longer, by chance within the next minute.
    async fn spread_missed(&self, now: Timestamp) -> Result<()> {
        let missed = due_key(now.plus_micros(-SPREAD));
        let mut range = DUE.before(HERE, &(missed, String::new()));
        loop {
            let page = DUE.scan(&mut self.store.read(), HERE, range.clone(), Direction::Forward, Limit::PAGE).await?;
            for ((_, id), ()) in &page.rows {
                let wait = i64::try_from(self.surroundings.below(SPREAD.unsigned_abs())).unwrap_or(0);
                let written = self.store.write(async |tx: &mut Transaction| {
                    let mut execution = executions::load(tx, id).await?;
                    let is_missed = execution.phase == Phase::Poll
                        && execution.next_run_at.is_some_and(|at| due_key(at) < missed)
                        && !leases::is_claimed(tx, id, now).await?;
                    if is_missed {
                        execution.next_run_at = Some(now.plus_micros(wait));
                        engine::put(tx, &execution).await?;
                    }
                    Ok(())
                });
                written.await.map_err(failed)?;
            }
            match page.rows.last().filter(|_| page.more) {
                Some((key, ())) => range.start = store::key::after(DUE.key(HERE, key)),
                None => return Ok(()),
            }
        }
    }

    /// Signs the end of the audit log when it has grown by a thousand entries, or at all within a day; receivers of
    /// events can keep the signature where nobody here can change it. Answers whether it did.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn checkpoint_due(&self) -> Result<bool> {
        let now = self.surroundings.now();
        let mut tx = self.store.read();
        let Some(head) = audit::head(&mut tx).await? else { return Ok(false) };
        let first = Limit { rows: 1, ..Limit::PAGE };
        let page = CHECKPOINT.scan(&mut tx, HERE, CHECKPOINT.range(HERE), Direction::Backward, first).await?;
        let first_entry = AUDIT.get(&mut tx, HERE, &1).await?;
        drop(tx);
        let (seq, at) = match page.rows.first() {
            Some((seq, at)) => (*seq, *at),
            // The first is due a day after the log began.
            None => match first_entry {
                Some(entry) => (0, entry.at.micros()),
                None => return Ok(false),
            },
        };
        // The checkpoint before is an entry itself.
        let grown = head.seq.saturating_sub(seq + u64::from(seq > 0));
        let is_due = grown >= CHECKPOINT_ENTRIES || (grown > 0 && now.micros() - at >= CHECKPOINT_EVERY);
        if !is_due {
            return Ok(false);
        }
        let written = self.store.write(async |tx: &mut Transaction| {
            let Some(head) = audit::head(tx).await? else { return Ok(()) };
            let signature = self.signer.sign(audit::signed_text(head.seq, &head.hash).as_bytes());
            let draft = Draft::system("audit.checkpoint", "audit").with("seq", head.seq).with("hash", &head.hash);
            let entry = audit::record(tx, &draft.with("signature", &signature), now).await?;
            CHECKPOINT.put(tx, HERE, &head.seq, &now.micros());
            let data = json!({
                "seq": head.seq,
                "hash": head.hash,
                "signature": signature,
                "public_key": self.signer.public_key(),
            });
            hooks::announce(tx, "audit.checkpoint", "audit", &data, entry, now).await
        });
        written.await.map_err(failed)?;
        Ok(true)
    }

    /// Warns of a deadline that draws near or has passed, once for each share of the time.
    pub(super) async fn warn_of_deadline(&self, request: &Request) -> Result<()> {
        let now = self.surroundings.now();
        let elapsed = elapsed_percent(request.received_at, request.due(), now);
        let passed = WARNINGS_PERCENT.into_iter().filter(|percent| elapsed >= i64::from(*percent)).max().unwrap_or(0);
        if request.state.status().is_final() || passed <= request.warned_percent {
            return Ok(());
        }
        let written = self.store.write(async |tx: &mut Transaction| {
            let mut request = load_request(tx, &request.id).await?;
            request.warned_percent = passed;
            REQUEST.put(tx, HERE, &request.id, &request);
            let draft = Draft::system("request.deadline", &request.id).of_request(&request.id);
            let seq = audit::record(tx, &draft.with("percent", passed), now).await?;
            let data = json!({
                "request_id": request.id,
                "external_id": request.external_id,
                "status": request.state.status().word(),
                "due_at": request.due().rfc3339_short().to_string(),
                "percent": passed,
            });
            hooks::announce(tx, "request.deadline", &request.id, &data, seq, now).await
        });
        written.await.map_err(failed)
    }
}

/// Whether a checkpoint was signed with the key that `public_key` belongs to.
pub fn is_checkpoint(seq: u64, hash: &str, signature: &str, public_key: &str) -> bool {
    STANDARD.decode(signature).is_ok()
        && crate::signing::verify(audit::signed_text(seq, hash).as_bytes(), signature, public_key)
}
