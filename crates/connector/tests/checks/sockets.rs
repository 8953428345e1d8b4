//! The service on a socket: refusals in its own shape, waits that end with their request or with the service.

use std::net::SocketAddr;

use connector::{
    Secret,
    http::{Bound, Metrics, Reply, Service, Trust, bind, serve},
    tokens::Role,
};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

use crate::place::*;

/// A service on its socket.
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    drained: JoinHandle<String>,
}

impl Serving {
    /// Stops it: it must let go of the store before the directory goes.
    pub(crate) async fn end(self) -> String {
        self.stop.send(true).unwrap();
        self.drained.await.unwrap()
    }
}

/// Serves until it is told to end.
pub(crate) fn serving(place: &Place, bound: Bound, metrics: Metrics) -> Serving {
    let (stop, stopped) = watch::channel(false);
    let connector = place.shared();
    let drained = tokio::spawn(async move {
        let stopped = || {
            let mut stopped = stopped.clone();
            async move {
                // A sender that is gone says stop, too.
                let _ = stopped.wait_for(|stop| *stop).await;
            }
        };
        let drained = serve(connector, bound, metrics, stopped).await;
        format!("{drained:?}")
    });
    Serving { stop, drained }
}

struct Served {
    address: SocketAddr,
    service: Service,
    token: Secret,
    serving: Serving,
}

async fn served(place: &Place) -> Served {
    served_with(place, Metrics::Beside).await
}

async fn served_with(place: &Place, metrics: Metrics) -> Served {
    let (_, token) = place.connector().create_token("t", Role::SuperAdmin, None).await.unwrap();
    let bound = bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.unwrap();
    let address = bound.addresses()[0];
    let service =
        Service::remote(&format!("http://{address}/"), Secret::new(token.expose().to_owned()), Trust::default());
    let service = service.unwrap();
    Served { address, service, token, serving: serving(place, bound, metrics) }
}

impl Served {
    async fn end(self) -> String {
        self.serving.end().await
    }
}

async fn ask(served: &Served) -> Reply {
    let body = json!({"type": "access", "identifiers": [{"category": "user_id", "value": "amy"}]});
    served.service.call("POST", "/v1/requests", Some(&body), Some("wait=300")).await.unwrap()
}

#[tokio::test]
async fn a_call_that_waits_is_woken_by_the_step_that_ends_its_request() {
    let place = Place::new().await;
    let served = served(&place).await;
    let reply = tokio::select! {
        reply = ask(&served) => reply,
        _ = place.work() => unreachable!("it works for ever"),
    };
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("complete")));
    served.end().await;
}

#[tokio::test]
async fn a_decision_wakes_who_waits() {
    let place = Place::new().await;
    let request = place.ask(&connector::NewRequest::new(connector::requests::Kind::Access, vec![user_id("amy")])).await;
    let (settled, held) =
        tokio::join!(place.connector().settled(&request.id), place.connector().hold(&request.id, "operator"));
    held.unwrap();
    assert_eq!(settled.unwrap().state.status(), connector::status::Status::Held);
}

#[tokio::test]
async fn a_service_that_stops_answers_who_waits_and_cuts_nobody() {
    let place = Place::new().await;
    let Served { service, serving, .. } = served(&place).await;
    let body = json!({"type": "access", "identifiers": [{"category": "user_id", "value": "amy"}]});
    let waiting =
        tokio::spawn(async move { service.call("POST", "/v1/requests", Some(&body), Some("wait=300")).await.unwrap() });
    // The call has arrived when its request is there.
    while place.connector().requests(&connector::Filter::default(), None, 1).await.unwrap().requests.is_empty() {
        tokio::task::yield_now().await;
    }
    let drained = serving.end().await;
    let reply = waiting.await.unwrap();
    assert_eq!((reply.status, &reply.json()["status"]), (202, &json!("queued")));
    assert!(drained.contains("cut: 0"));
}

#[tokio::test]
async fn the_front_refuses_in_the_shape_of_the_service_and_lets_no_page_read() {
    let place = Place::new().await;
    let served = served(&place).await;
    let http = reqwest::Client::builder().build().unwrap();
    let url = |path: &str| format!("http://{}{path}", served.address);
    let large = http.post(url("/v1/requests")).body(vec![b' '; (16 << 20) + 1]).send().await.unwrap();
    assert_eq!(
        (large.status().as_u16(), &large.headers()["content-type"]),
        (413, &"application/problem+json".parse().unwrap())
    );
    let problem: Value = large.json().await.unwrap();
    assert_eq!(problem["type"], "https://millpond.dev/problems/too_large");
    let wrong = http.put(url("/v1/requests")).bearer_auth(served.token.expose()).send().await.unwrap();
    assert_eq!(wrong.status(), 405);
    assert_eq!(wrong.json::<Value>().await.unwrap()["code"], "method_not_allowed");
    let ready = http.get(url("/readyz")).header("origin", "http://page").send().await.unwrap();
    assert_eq!((ready.status().as_u16(), ready.headers().get("access-control-allow-origin")), (200, None));
    served.end().await;
}

#[tokio::test]
async fn numbers_are_told_at_an_address_of_their_own_and_nowhere_else() {
    let place = Place::new().await;
    let own = bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.unwrap();
    let elsewhere = own.addresses()[0];
    let served = served_with(&place, Metrics::At(own)).await;
    let http = reqwest::Client::builder().build().unwrap();
    let status = async |address: SocketAddr, path: &str| {
        http.get(format!("http://{address}{path}")).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status(elsewhere, "/metrics").await, 200);
    assert_eq!(status(served.address, "/metrics").await, 404);
    assert_eq!(status(elsewhere, "/v1/requests").await, 404, "and nothing else is told there");
    assert_eq!(status(served.address, "/healthz").await, 200);
    served.end().await;
}
