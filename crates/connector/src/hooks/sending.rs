//! Sends what is due, signed as Standard Webhooks says.

use std::{collections::BTreeSet, time::Duration};

use futures_util::{
    StreamExt as _,
    future::{BoxFuture, try_join, try_join_all},
    stream::FuturesUnordered,
};
use ids::Timestamp;
use store::Transaction;
use zeroize::Zeroizing;

use super::{Delivery, DeliveryState, Webhook, hooks, secrets};
use crate::{
    Connector, Error, Result,
    error::failed,
    keys,
    keyspace::{DELIVERY, HERE, UNDELIVERED, WEBHOOK},
};

const SECOND: i64 = 1_000_000;
const BASE: i64 = 5 * SECOND;
const CAP: i64 = 3600 * SECOND;
/// After this an event is given up, in microseconds.
const PATIENCE: i64 = 72 * 3600 * SECOND;
const GONE: u16 = 410;
/// Events that are sent to a receiver before it is looked which receivers there are.
const EVENTS_PER_TURN: usize = 256;
/// How long nobody looks whether something is due, unless there is news.
const PAUSE: Duration = Duration::from_secs(1);
/// What stands for the controllers of OpenDSR among the receivers.
const CONTROLLERS: &str = "opendsr";

impl Connector {
    /// Sends what is due; answers how many were sent. An event waits for those of its request before it, and for no other
    /// receiver.
    ///
    /// # Errors
    /// When the store fails. What a receiver does is no error.
    pub async fn deliver_due(&self) -> Result<usize> {
        let hooks = hooks(&mut self.store.read()).await?;
        let turns = hooks.iter().filter(|hook| !hook.is_disabled).map(|hook| self.deliver_to(hook));
        let (sent, called_back) = try_join(try_join_all(turns), self.call_back_due()).await?;
        Ok(sent.into_iter().sum::<usize>() + called_back)
    }

    /// Sends what is due for as long as it is not stopped. Each receiver has turns of its own: one that does not answer holds
    /// up nobody else.
    pub(crate) async fn keep_delivering(&self) -> Result<()> {
        let mut turns = FuturesUnordered::<BoxFuture<'_, (String, Result<usize>)>>::new();
        let mut busy = BTreeSet::new();
        loop {
            for hook in hooks(&mut self.store.read()).await?.into_iter().filter(|hook| !hook.is_disabled) {
                if busy.insert(hook.id.clone()) {
                    turns.push(Box::pin(async move { (hook.id.clone(), self.deliver_to(&hook).await) }));
                }
            }
            if busy.insert(CONTROLLERS.to_owned()) {
                turns.push(Box::pin(async { (CONTROLLERS.to_owned(), self.call_back_due().await) }));
            }
            // A turn that sent nothing is no reason to begin the next one.
            loop {
                tokio::select! {
                    Some((id, sent)) = turns.next(), if !turns.is_empty() => {
                        busy.remove(&id);
                        if sent? > 0 {
                            break;
                        }
                    }
                    () = self.outbox.notified() => break,
                    () = tokio::time::sleep(PAUSE) => break,
                }
            }
        }
    }

    /// A turn of one receiver.
    async fn deliver_to(&self, hook: &Webhook) -> Result<usize> {
        let queue = self.queues.of(&hook.id);
        let mut queue = queue.lock().await;
        let mut tx = self.store.read();
        queue.catch_up(&mut tx, &hook.id).await?;
        let key = match self.ring.load(&mut tx, &hook.id).await {
            // It was removed meanwhile.
            Err(Error::Keys(keys::Error::Shredded)) => return Ok(0),
            key => key?,
        };
        drop(tx);
        let secrets = hook.secrets(&key, self.surroundings.now())?;
        let mut count = 0;
        while count < EVENTS_PER_TURN {
            let Some(number) = queue.due(self.surroundings.now()) else { break };
            let row = (hook.id.clone(), number);
            let Some(delivery) = DELIVERY.get(&mut self.store.read(), HERE, &row).await? else {
                queue.sent(None);
                continue;
            };
            count += 1;
            let status = self.send_event(hook, &delivery, &secrets).await;
            let sent = self.outcome(&delivery, status);
            self.note_delivery(&row, &sent, status == Some(GONE)).await?;
            queue.sent((sent.state == DeliveryState::Pending).then_some(sent.next_at));
            if status == Some(GONE) {
                break;
            }
        }
        Ok(count)
    }

    async fn send_event(&self, hook: &Webhook, delivery: &Delivery, secrets: &[Zeroizing<Vec<u8>>]) -> Option<u16> {
        let timestamp = (self.surroundings.now().micros() / SECOND).to_string();
        let signature = secrets::signatures(secrets, &format!("{}.{timestamp}.{}", delivery.event, delivery.body));
        let headers = [
            ("webhook-id", delivery.event.as_str()),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        self.http.post_event(&hook.url, &headers, delivery.body.clone()).await
    }

    fn outcome(&self, delivery: &Delivery, status: Option<u16>) -> Delivery {
        let (state, next_at) = self.after_sending(delivery.attempts, delivery.created_at, status);
        let next_at = next_at.unwrap_or(delivery.next_at);
        Delivery { attempts: delivery.attempts + 1, last_status: status, state, next_at, ..delivery.clone() }
    }

    /// What follows from the answer to something that was sent `attempts` times before: where it stands, and when it is
    /// sent again, if it is.
    pub(crate) fn after_sending(
        &self,
        attempts: u32,
        created_at: Timestamp,
        status: Option<u16>,
    ) -> (DeliveryState, Option<Timestamp>) {
        let now = self.surroundings.now();
        if status.is_some_and(|status| (200..300).contains(&status)) {
            return (DeliveryState::Delivered, None);
        }
        if status == Some(GONE) || now.micros() - created_at.micros() >= PATIENCE {
            return (DeliveryState::Dead, None);
        }
        let most = BASE.saturating_mul(1 << attempts.min(20)).min(CAP);
        let wait = self.surroundings.below(most.unsigned_abs());
        (DeliveryState::Pending, Some(now.plus_micros(SECOND + i64::try_from(wait).unwrap_or(CAP))))
    }

    async fn note_delivery(&self, row: &(String, u64), sent: &Delivery, is_gone: bool) -> Result<()> {
        let written = self.store.write(async |tx: &mut Transaction| {
            let Some(hook) = WEBHOOK.get(tx, HERE, &row.0).await? else { return Ok(()) };
            DELIVERY.put(tx, HERE, row, sent);
            if sent.state != DeliveryState::Pending {
                UNDELIVERED.delete(tx, HERE, row);
            }
            if is_gone {
                WEBHOOK.put(tx, HERE, &hook.id, &Webhook { is_disabled: true, ..hook.clone() });
            }
            Ok(())
        });
        written.await.map_err(failed)
    }
}
