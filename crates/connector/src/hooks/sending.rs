//! Sends what is due, signed as Standard Webhooks says.

use std::collections::BTreeSet;

use ids::Timestamp;
use store::{Direction, Limit, Transaction};

use zeroize::Zeroizing;

use super::{Delivery, DeliveryState, Webhook, hooks, secrets};
use crate::{
    Connector, Result,
    error::failed,
    keyspace::{DELIVERY, HERE, UNDELIVERED, WEBHOOK},
};

const SECOND: i64 = 1_000_000;
const BASE: i64 = 5 * SECOND;
const CAP: i64 = 3600 * SECOND;
/// After this an event is given up, in microseconds.
const PATIENCE: i64 = 72 * 3600 * SECOND;
const GONE: u16 = 410;

impl Connector {
    /// Sends what is due; answers how many were sent. An event waits for those of its request before it.
    ///
    /// # Errors
    /// When the store fails. What a receiver does is no error.
    pub async fn deliver_due(&self) -> Result<usize> {
        let mut count = 0;
        for hook in hooks(&mut self.store.read()).await? {
            if !hook.is_disabled {
                count += self.deliver_to(&hook).await?;
            }
        }
        Ok(count + self.call_back_due().await?)
    }

    async fn deliver_to(&self, hook: &Webhook) -> Result<usize> {
        let mut tx = self.store.read();
        let range = UNDELIVERED.prefix(HERE, &(hook.id.clone(),));
        let page = UNDELIVERED.scan(&mut tx, HERE, range, Direction::Forward, Limit::PAGE).await?;
        let key = self.ring.load(&mut tx, &hook.id).await?;
        let secrets = hook.secrets(&key, self.surroundings.now())?;
        let mut waiting = BTreeSet::new();
        let mut count = 0;
        for (row, ()) in page.rows {
            let Some(delivery) = DELIVERY.get(&mut tx, HERE, &row).await? else { continue };
            if waiting.contains(&delivery.request) {
                continue;
            }
            if delivery.next_at > self.surroundings.now() {
                waiting.insert(delivery.request);
                continue;
            }
            count += 1;
            let status = self.send_event(hook, &delivery, &secrets).await;
            let sent = self.outcome(&delivery, status);
            if sent.state == DeliveryState::Pending {
                waiting.insert(delivery.request);
            }
            self.note_delivery(&row, &sent, status == Some(GONE)).await?;
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
