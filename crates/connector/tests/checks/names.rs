//! Names whose addresses cannot be found for a while: §7.3.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use connector::{
    NewIntegration, NewRequest,
    requests::Kind,
    status::{Reason, Status},
    upstream::Resolver,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::place::*;

/// A resolver that knows every name, unless it is away.
#[derive(Clone, Default)]
struct Names {
    is_away: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let is_away = self.is_away.load(Ordering::SeqCst);
        Box::pin(async move {
            if is_away {
                return Err(std::io::Error::other("the name server does not answer").into());
            }
            let found: Addrs = Box::new(std::iter::once(SocketAddr::from(([127, 0, 0, 1], 0))));
            Ok(found)
        })
    }
}

#[tokio::test]
async fn check_33_a_name_that_has_no_address_for_ten_minutes_is_waited_for() {
    let names = Names::default();
    let mut place = Place::empty().await;
    place.resolver = Some(Resolver(Arc::new(names.clone())));
    place.reopen().await;
    place.upstream.set(|world| world.add("amy", "amy@example.com"));
    let base_url = Some(place.upstream.url().replace("127.0.0.1", "stream.test"));
    let new = NewIntegration { base_url, allow_insecure: true, ..place.stream() };
    place.connector().connect(&new, pair(KEY, SECRET)).await.unwrap();
    place.upstream.forget();

    names.is_away.store(true, Ordering::SeqCst);
    let asked = place.ask(&NewRequest::new(Kind::Deletion, vec![user_id("amy")])).await;
    place.run_until(place.clock.micros() + 10 * MINUTE).await;
    let request = place.request(&asked.id).await;
    assert_eq!(state(&request), (Status::Retrying, None, Some(Reason::Unreachable)));
    let detail = place.detail(&request).await;
    let said = &detail.tasks[0].0.last_error.as_ref().unwrap().message;
    assert!(said.contains("no address is known for this name"), "{said}");
    let tried = detail.tasks[0].1.len();
    assert!((6..=15).contains(&tried), "five in a row and one a minute: {tried}");
    assert!(place.upstream.seen().is_empty());

    names.is_away.store(false, Ordering::SeqCst);
    assert_eq!(state(&place.finish(&asked.id).await), ERASED, "it goes on by itself");
    assert_eq!(place.upstream.deletions(), [["amy"]]);
    assert!(names.asked.load(Ordering::SeqCst) > tried);
}
