//! A connector for tests of this crate: on a store in memory, with a clock that is moved by hand.

use std::{path::Path, sync::Arc};

use ids::Timestamp;
use store::Store;
use testing::clock::HandClock;

use crate::{
    Connector, Setup,
    keys::{KEY_BYTES, Kek},
    surroundings::{Clock, Surroundings, SystemDice},
    upstream::{Http, HttpOptions},
};

struct Hand(HandClock);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.micros())
    }
}

/// A connector whose blobs lie in `dir`, and its clock.
pub(crate) async fn connector(dir: &Path) -> (Connector, HandClock) {
    let clock = HandClock::at(1_767_225_600_000_000);
    let surroundings = Surroundings::new(Arc::new(Hand(clock.clone())), Arc::new(SystemDice));
    let http = Http::new(HttpOptions::default()).unwrap();
    let setup = Setup { kek: Kek::new(&[7; KEY_BYTES]).unwrap(), surroundings, http, dialects: Vec::new() };
    (Connector::on(Store::memory(), dir, setup).await.unwrap(), clock)
}
