//! `/v1/requests/{id}/events`: a request each time that something of it is committed, as server-sent events.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{Path, State},
    response::sse::{Event, KeepAlive, Sse},
};
use futures_util::{Stream, stream};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{Problem, router::Here, views};
use crate::{Connector, Result};

/// Changes that wait for a slow reader: later ones are told in one.
const QUEUE: usize = 4;

pub(super) async fn follow(
    (State(connector), _): Here,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    // Who asks for nothing that is there is told so before the stream begins.
    connector.request(&id).await?;
    let (sender, receiver) = mpsc::channel(QUEUE);
    tokio::spawn(async move {
        // A stream that breaks off says enough; the reader comes again.
        let _ = tell(&connector, &id, &sender).await;
    });
    let events = stream::unfold((receiver, 0_u64), async |(mut receiver, number)| {
        let shown: Value = receiver.recv().await?;
        let event = Event::default().id(number.to_string()).event("request").data(shown.to_string());
        Some((Ok(event), (receiver, number + 1)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// Sends the request as it is, and whenever it is another; ends with the request, the service, or the reader.
async fn tell(connector: &Arc<Connector>, id: &str, sender: &mpsc::Sender<Value>) -> Result<()> {
    let mut changes = connector.changes(id);
    let mut last = Value::Null;
    loop {
        let request = connector.request(id).await?;
        let shown = views::request(connector, &request).await?;
        let is_final = request.state.status().is_final();
        if shown != last {
            last = shown.clone();
            if sender.send(shown).await.is_err() {
                return Ok(());
            }
        }
        if is_final {
            return Ok(());
        }
        let goes_on = tokio::select! {
            goes_on = changes.next() => goes_on,
            () = sender.closed() => false,
        };
        if !goes_on {
            return Ok(());
        }
    }
}
