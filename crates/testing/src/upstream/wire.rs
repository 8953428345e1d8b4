//! HTTP by hand: one call a connection, so that a test may cut it wherever it likes.

use std::{collections::BTreeMap, io::Write as _, sync::Arc};

use flate2::{Compression, write::GzEncoder};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{Fault, Seen, State, Weather, answers, answers::Reply, calls};

const HEAD_BYTES_MAX: usize = 64 << 10;

/// Answers one call.
pub(super) async fn serve(mut socket: TcpStream, state: Arc<State>) {
    let Some(mut seen) = read(&mut socket, &state).await else { return };
    let fault = ordered(&state, seen.call);
    if let Some(Fault::Refuse) = fault {
        state.seen.lock().push(seen);
        return;
    }
    let executes = matches!(fault, None | Some(Fault::LoseAnswer | Fault::Truncate | Fault::Hang | Fault::Trickle(_)));
    let reply = if executes { answers::answer(&state, &seen) } else { faulty(&state, fault.as_ref()) };
    let is_lost = matches!(fault, Some(Fault::LoseAnswer | Fault::Hang));
    seen.status = if is_lost { 0 } else { reply.status };
    let wants_gzip = seen.headers.get("accept-encoding").is_some_and(|value| value.contains("gzip"));
    state.seen.lock().push(seen);
    if let Some(Fault::Hang) = fault {
        std::future::pending::<()>().await;
    }
    if is_lost {
        return;
    }
    if let Some(messages) = reply.messages {
        return export(&mut socket, &reply, messages).await;
    }
    let mut bytes = encoded(&state, &reply, wants_gzip);
    if let Some(Fault::Trickle(pause)) = fault {
        let (head, body) = bytes.split_at(bytes.len() - reply.body.len().min(bytes.len()));
        let _ = socket.write_all(head).await;
        for byte in body {
            tokio::time::sleep(pause).await;
            if socket.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    }
    if let Some(Fault::Truncate) = fault {
        bytes.truncate(bytes.len() - reply.body.len().min(10));
    }
    // The client may be gone: nobody minds.
    let _ = socket.write_all(&bytes).await;
    let _ = socket.shutdown().await;
}

/// Writes an export of so many messages, which is never in memory as a whole.
async fn export(socket: &mut TcpStream, reply: &Reply, messages: usize) {
    let filler = "still water ".repeat(840);
    let message = |number: usize| format!(r#"{{"id":"m{number}","cid":"messaging:ice","text":"{filler}"}}"#);
    let head = "HTTP/1.1 200 x\r\nconnection: close\r\ncontent-type: application/json\r\n\r\n";
    let mut open = socket.write_all(head.as_bytes()).await.is_ok() && socket.write_all(&reply.body).await.is_ok();
    for number in 0..messages {
        let comma = if number == 0 { "" } else { "," };
        open = open && socket.write_all(format!("{comma}{}", message(number)).as_bytes()).await.is_ok();
    }
    if open && socket.write_all(b"]}").await.is_ok() {
        let _ = socket.shutdown().await;
    }
}

/// The fault that was ordered for this call.
fn ordered(state: &State, call: &str) -> Option<Fault> {
    let mut orders = state.orders.lock();
    if let Some(order) = orders.iter_mut().find(|order| order.call == call && order.times > 0) {
        order.times -= 1;
        return Some(order.fault.clone());
    }
    state.weather.lock().as_mut().and_then(Weather::fault)
}

fn faulty(state: &State, fault: Option<&Fault>) -> Reply {
    match fault {
        Some(Fault::Status(status, code)) => {
            let mut reply = answers::error(*status, *code, "the test says so");
            if *status == 429 {
                let reset = state.clock.secs() + 30;
                reply.headers.extend([
                    ("x-ratelimit-limit", "60".to_owned()),
                    ("x-ratelimit-remaining", "0".to_owned()),
                    ("x-ratelimit-reset", reset.to_string()),
                ]);
            }
            reply
        }
        Some(Fault::Bare(status)) => answers::bare(*status, b""),
        Some(Fault::Later(secs)) => {
            Reply { headers: vec![("retry-after", secs.to_string())], ..answers::bare(503, b"") }
        }
        Some(Fault::Redirect(to)) => Reply { headers: vec![("location", to.clone())], ..answers::bare(302, b"") },
        Some(Fault::Body(body)) => answers::ok(200, body),
        Some(Fault::Half) => Reply {
            headers: vec![("content-type", "application/json".to_owned())],
            ..answers::bare(200, b"{\"half\":")
        },
        _ => Reply { headers: vec![("content-type", "text/html".to_owned())], ..answers::bare(200, b"<html>") },
    }
}

fn encoded(state: &State, reply: &Reply, wants_gzip: bool) -> Vec<u8> {
    let mut body = reply.body.clone();
    let moment = jiff::Timestamp::from_second(state.clock.secs() + state.world.lock().skew_secs).unwrap();
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).unwrap();
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\ndate: {date}\r\n", reply.status);
    if wants_gzip && state.world.lock().compresses {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&body).unwrap();
        body = encoder.finish().unwrap();
        head.push_str("content-encoding: gzip\r\n");
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    [head.into_bytes(), body].concat()
}

async fn read(socket: &mut TcpStream, state: &State) -> Option<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if bytes.len() > HEAD_BYTES_MAX || socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length: usize = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let call = call(&method, path);
    let body = bytes[end..end + length].to_vec();
    Some(Seen { call, method, path: path.to_owned(), query, headers, body, at: state.clock.micros(), status: 0 })
}

fn call(method: &str, path: &str) -> &'static str {
    let parts: Vec<&str> = path.strip_prefix("/api/v2/").unwrap_or("").split('/').collect();
    match (method, parts.as_slice()) {
        ("GET", ["users"]) => calls::QUERY,
        ("GET", ["users", _, "export"]) => calls::EXPORT,
        ("GET", ["moderation", "user_report"]) => calls::REPORT,
        ("POST", ["users", "delete"]) => calls::DELETE,
        ("GET", ["tasks", _]) => calls::TASK,
        ("POST", ["export", "users"]) => calls::EXPORT_USERS,
        ("POST", ["feeds", "users", _, "export"]) => calls::FEEDS_EXPORT,
        ("POST", ["feeds", "users", _, "delete"]) => calls::FEEDS_DELETE,
        ("GET", _) if path.starts_with("/files/") => calls::FILE,
        _ => "?",
    }
}
