//! What the fake answers when nothing goes wrong.

use std::ops::Bound;

use serde_json::{Value, json};

use super::{Seen, State, calls, tokens, world::World};

/// The limit that is named where there is none.
const HIGH_LIMIT: u64 = 60_000;
const MINUTE: i64 = 60;

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) headers: Vec<(&'static str, String)>,
    /// How many messages follow the body, made while they are sent.
    pub(super) messages: Option<usize>,
}

/// An answer without headers.
pub(super) fn bare(status: u16, body: &[u8]) -> Reply {
    Reply { status, body: body.to_vec(), headers: Vec::new(), messages: None }
}

/// A good answer.
pub(super) fn ok(status: u16, body: &Value) -> Reply {
    raw(status, body.to_string().into_bytes())
}

fn raw(status: u16, body: Vec<u8>) -> Reply {
    Reply { headers: vec![("content-type", "application/json".to_owned())], body, ..bare(status, b"") }
}

/// An error in its envelope.
pub(super) fn error(status: u16, code: i64, message: &str) -> Reply {
    ok(status, &json!({"code": code, "message": message, "StatusCode": status, "duration": "0ms", "details": []}))
}

/// Answers a call.
pub(super) fn answer(state: &State, seen: &Seen) -> Reply {
    let mut world = state.world.lock();
    let now = state.clock.secs() + world.skew_secs;
    let (limit, remaining, reset, is_over) = count(&mut world, seen.call, now);
    let mut reply = if state.clock.micros() < world.storm_until || is_over {
        error(429, 9, "Too many requests")
    } else {
        allowed(&mut world, seen, now)
    };
    let storm = (state.clock.micros() < world.storm_until).then(|| world.storm_until.div_euclid(1_000_000) + 1);
    reply.headers.extend([
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        ("x-ratelimit-reset", storm.map_or(reset, |storm| storm + world.skew_secs).to_string()),
    ]);
    reply
}

/// Counts a call in its window.
fn count(world: &mut World, call: &str, now: i64) -> (u64, u64, i64, bool) {
    let limit = world.limit.unwrap_or(HIGH_LIMIT);
    let window = now.div_euclid(MINUTE);
    let used = world.windows.entry((call.to_owned(), window)).or_default();
    let is_over = *used >= limit;
    *used += u64::from(!is_over);
    (limit, limit.saturating_sub(*used), (window + 1) * MINUTE, is_over)
}

fn allowed(world: &mut World, seen: &Seen, now: i64) -> Reply {
    if seen.call == calls::FILE {
        return file(world, seen);
    }
    if seen.query.get("api_key") != Some(&world.key) {
        return error(401, 2, "api_key not found");
    }
    let token = seen.headers.get("authorization").map(String::as_str).unwrap_or_default();
    let is_typed = seen.headers.get("stream-auth-type").is_some_and(|kind| kind == "jwt");
    let refusal = if is_typed { tokens::refusal(token, &world.secret, now) } else { Some(5) };
    if let Some(code) = refusal
        && (world.checks_times || code == 43)
    {
        return error(401, code, "the token is refused");
    }
    if world.forbidden.contains(seen.call) {
        return error(403, 17, "not allowed");
    }
    match seen.call {
        calls::QUERY => query(world, seen),
        calls::EXPORT => export(world, seen),
        calls::REPORT => report(world, seen),
        calls::DELETE => delete(world, seen),
        calls::TASK => task(world, seen),
        calls::EXPORT_USERS => export_users(world, seen),
        calls::FEEDS_EXPORT if world.feeds.is_some() => export_feeds(world, seen),
        calls::FEEDS_DELETE if world.feeds.is_some() => delete_feeds(world, seen),
        _ => bare(404, b"no such page"),
    }
}

fn query(world: &mut World, seen: &Seen) -> Reply {
    let payload: Value = seen.query.get("payload").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let limit = usize::try_from(payload["limit"].as_u64().unwrap_or(30)).unwrap();
    if limit > world.page_max {
        return error(413, 22, "the page is too large");
    }
    if world.refuses_ids_for_pages && payload["id_gt"].is_string() {
        return error(400, 4, "id_gt is not known");
    }
    let after = payload["id_gt"].as_str().filter(|_| !world.loops);
    let offset = usize::try_from(payload["offset"].as_u64().unwrap_or(0)).unwrap();
    let filter = &payload["filter_conditions"];
    let asks_for_probe = filter.to_string().contains("probe");
    let shows_all = world.ignores_filters && !asks_for_probe;
    let is_asked = |user: &Value| shows_all || fits(user, filter);
    // An id is looked up: a world of many users answers as fast as a small one.
    let mut users: Vec<Value> = match ids_in(filter).filter(|_| !shows_all) {
        Some(ids) => {
            ids.into_iter().filter_map(|id| world.users.get(id)).filter(|user| is_asked(user)).cloned().collect()
        }
        None => {
            let rest = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
            world
                .users
                .range::<str, _>(rest)
                .map(|(_, user)| user)
                .filter(|user| is_asked(user))
                .skip(offset)
                .take(limit)
                .cloned()
                .collect()
        }
    };
    let lingering: Vec<String> = world.lingering.keys().cloned().collect();
    for id in lingering {
        let (left, user) = world.lingering.get_mut(&id).unwrap();
        if *left > 0 && fits(user, filter) {
            *left -= 1;
            users.push(user.clone());
        }
    }
    users.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
    users.dedup();
    users.retain(|user| after.is_none_or(|after| user["id"].as_str().unwrap() > after));
    users.truncate(limit);
    ok(200, &json!({"users": users, "duration": "1ms"}))
}

/// The ids that a filter asks for, if it asks for ids alone.
fn ids_in(filter: &Value) -> Option<Vec<&str>> {
    let wanted = filter.as_object().filter(|fields| fields.len() == 1)?.get("id")?;
    let one = wanted["$eq"].as_str().map(|id| vec![id]);
    one.or_else(|| Some(wanted["$in"].as_array()?.iter().filter_map(Value::as_str).collect()))
}

/// Whether a user fits `{"field": {"$eq"|"$in": …}}`.
fn fits(user: &Value, filter: &Value) -> bool {
    filter.as_object().unwrap().iter().all(|(field, wanted)| {
        let value = field.split('.').try_fold(user, |value, part| value.get(part)).unwrap_or(&Value::Null);
        let among = || wanted["$in"].as_array().is_some_and(|values| values.contains(value));
        wanted["$eq"] == *value || among()
    })
}

fn id_in_path(seen: &Seen) -> String {
    part_of_path(seen, 4)
}

fn part_of_path(seen: &Seen, number: usize) -> String {
    let part = seen.path.split('/').nth(number).unwrap_or_default().replace('+', "%2B");
    form_urlencoded::parse(part.as_bytes()).next().map(|(id, _)| id.into_owned()).unwrap_or_default()
}

fn export(world: &World, seen: &Seen) -> Reply {
    let id = id_in_path(seen);
    if world.too_large.contains(&id) {
        return error(400, 4, "the user has more than 10000 messages");
    }
    if let Some(bytes) = world.raw_exports.get(&id) {
        return raw(200, bytes.clone());
    }
    let (Some(user), Some(rest)) = (world.users.get(&id), world.exports.get(&id)) else {
        return error(404, 16, "the user is not found");
    };
    if let Some(messages) = world.large_exports.get(&id) {
        let head = format!("{{\"user\":{user},\"reactions\":[],\"messages\":[");
        return Reply { messages: Some(*messages), ..raw(200, head.into_bytes()) };
    }
    let mut body = rest.clone();
    body["user"] = user.clone();
    ok(200, &body)
}

fn report(world: &World, seen: &Seen) -> Reply {
    let id = seen.query.get("user_id").map(String::as_str).unwrap_or_default();
    match world.reports.get(id) {
        Some(report) => ok(200, report),
        None => error(404, 16, "the user is not found"),
    }
}

fn delete(world: &mut World, seen: &Seen) -> Reply {
    let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    let ids: Vec<String> =
        body["user_ids"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if ids.is_empty() || ids.len() > 100 {
        return error(400, 4, "user_ids must have 1 to 100 entries");
    }
    if ids.len() > world.deletion_max {
        return error(413, 22, "too many users at once");
    }
    if !world.files_forms.contains(&body["files"]) {
        return error(400, 4, "files is not understood");
    }
    for id in &ids {
        world.delete(id);
    }
    let result = ids.iter().map(|id| (id.clone(), json!({"status": "ok"}))).collect();
    world.deletions.push(ids);
    let task_id = world.task(Value::Object(result));
    ok(201, &json!({"task_id": task_id, "duration": "1ms"}))
}

fn task(world: &mut World, seen: &Seen) -> Reply {
    let id = id_in_path(seen);
    let address = world.address;
    let Some(task) = world.tasks.get_mut(&id) else { return error(404, 16, "the task is not found") };
    let word = task.words[task.asked.min(task.words.len() - 1)].clone();
    task.asked += 1;
    let mut body = json!({"task_id": id, "status": word, "created_at": 1, "updated_at": 2});
    match word.as_str() {
        "completed" => {
            body["result"] = task.result.clone();
            if task.result["url"].is_string() {
                body["result"]["url"] = format!("http://{address}/files/{id}?sig={}", task.asked).into();
            }
        }
        "failed" => body["error"] = json!({"type": "internal", "description": "the disk is full"}),
        _ => {}
    }
    ok(200, &body)
}

fn export_users(world: &mut World, _: &Seen) -> Reply {
    let task_id = world.task(json!({"url": "set when it is asked"}));
    ok(201, &json!({"task_id": task_id}))
}

fn export_feeds(world: &mut World, seen: &Seen) -> Reply {
    let id = part_of_path(seen, 5);
    if !world.users.contains_key(&id) {
        return error(404, 16, "the user is not found");
    }
    let data = world.feeds.as_ref().and_then(|feeds| feeds.get(&id)).cloned().unwrap_or_else(|| json!({}));
    let task_id = world.task(json!({"url": "set when it is asked"}));
    world.files.insert(format!("/files/{task_id}"), data.to_string().into_bytes());
    ok(201, &json!({"task_id": task_id}))
}

fn delete_feeds(world: &mut World, seen: &Seen) -> Reply {
    let id = part_of_path(seen, 5);
    let body: Value = serde_json::from_slice(&seen.body).unwrap_or_default();
    if !world.users.contains_key(&id) {
        return error(404, 16, "the user is not found");
    }
    if body["hard_delete"] != true {
        return error(400, 4, "hard_delete is expected");
    }
    if let Some(feeds) = &mut world.feeds {
        feeds.remove(&id);
    }
    let result = json!({id.clone(): {"status": "ok"}});
    world.feeds_deletions.push(id);
    let task_id = world.task(result);
    ok(201, &json!({"task_id": task_id}))
}

fn file(world: &mut World, seen: &Seen) -> Reply {
    if seen.headers.contains_key("authorization") || world.expired_links > 0 {
        world.expired_links = world.expired_links.saturating_sub(1);
        return bare(403, b"");
    }
    if let Some(bytes) = world.files.get(&seen.path) {
        return raw(200, bytes.clone());
    }
    raw(200, b"{\"type\":\"user\",\"data\":{}}\n{\"type\":\"message\",\"data\":{\"text\":\"old\"}}\n".to_vec())
}
