//! A connector on a directory of its own, whose clock is moved by hand, connected with what it is to call: what the suites
//! begin with that measure it or run it against a real server.

use std::{path::Path, sync::Arc};

use connector::{
    Connected, Connector, NewIntegration, Secret, Setup,
    integrations::Pair,
    keys::{KEY_BYTES, Kek},
    surroundings::{Clock, Surroundings, SystemDice},
    upstream::{Http, HttpOptions},
};
use ids::Timestamp;
use store::Options;
use testing::clock::HandClock;

struct Hand(HandClock);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.micros())
    }
}

/// A connector on `dir`.
pub(crate) async fn open(dir: &Path, clock: &HandClock, options: Options) -> Connector {
    let setup = Setup {
        kek: Kek::new(&[7; KEY_BYTES]).unwrap(),
        surroundings: Surroundings::new(Arc::new(Hand(clock.clone())), Arc::new(SystemDice)),
        http: Http::new(HttpOptions::default()).unwrap(),
        dialects: Vec::new(),
    };
    Connector::open_with(dir, setup, options).await.unwrap()
}

/// Connects it with the service at `url`, which speaks `dialect` and knows the key and secret.
pub(crate) async fn connect(
    connector: &Connector,
    url: String,
    dialect: &str,
    (key, secret): (&str, &str),
) -> Connected {
    let pair = Pair { key: Secret::new(key.to_owned()), secret: Secret::new(secret.to_owned()) };
    let new = NewIntegration { base_url: Some(url), dialect: dialect.to_owned(), ..NewIntegration::new("Stream") };
    connector.connect(&new, pair).await.unwrap()
}
