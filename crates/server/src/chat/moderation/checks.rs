//! `/moderation/check` and `/moderation/custom_check` (v2 §6.3): the application's policies, run by what this server can
//! honestly run, and verdicts of models of the application's own.

use domain::{
    Tx,
    chat::{
        events::{self, Event},
        messages,
    },
    moderation::{
        checks::{self, Content, Outcome, Policy, Verdict},
        flags::{self, Entity, Found},
        review::Mark,
    },
};
use ids::{UserId, json::Object};
use serde_json::{Value, json};
use wire::chat::moderation::{Checked, CustomChecked, TriggeredRule};

use super::{configs::sections_of, review::one_item};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// The most flags of one custom check.
const FLAGS_MAX: usize = 50;
/// The most texts of a payload.
const TEXTS_MAX: usize = 100;

/// `POST /moderation/check`: what a policy says of content. What is not kept is put into the review queue.
pub(crate) async fn check(call: Call, mut sent: Fields) -> Result<Reply> {
    let entity = entity(&mut sent)?;
    let creator =
        sent.user("entity_creator_id")?.ok_or_else(|| Error::field("entity_creator_id", "is a required field"))?;
    call.actor(&mut sent)?;
    sent.time("content_published_at")?;
    let is_test = sent.flag("test_mode")?.unwrap_or_default();
    let key = sent.filled("config_key")?.unwrap_or_else(|| "default".to_owned());
    let team = sent.text("config_team")?.unwrap_or_default();
    let given = sent.object("config")?.map(|config| sections_of(&config.rest()));
    if let Some(sections) = &given {
        checks::check_sections(sections)?;
    }
    let payload = sent.object("moderation_payload")?.map(Fields::rest).unwrap_or_default();
    let texts = texts(&call, &entity, &payload).await?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (fresh, now) = (call.new_id(), call.now());
    let (content, by) = (Content { creator: &creator, id: &entity.id, texts }, &creator);
    let body = async |tx: &mut Tx| {
        let (key, outcome) = checked(tx, (&key, &team), given.as_ref(), &content, now).await?;
        if is_test || outcome.verdict() == Verdict::Keep {
            tell(tx, &entity, &outcome, None, is_test, now);
            return Ok((outcome, None));
        }
        let found = Found { creator: Some(by.clone()), payload: payload.clone(), ..Found::of(&outcome, &key, now) };
        let item = flags::add_found(tx, &entity, &found, &fresh, now).await?;
        tell(tx, &entity, &outcome, Some(&item), is_test, now);
        Ok((outcome, Some(item)))
    };
    let (outcome, item) = match is_test {
        // Nothing of a test is kept, not even that something was said.
        true => body(&mut call.snapshot()).await?,
        false => call.app.write(body).await?,
    };
    let item = match item {
        Some(id) => Some(one_item(&call, &id).await?),
        None => None,
    };
    let rules: Vec<TriggeredRule<'_>> = outcome.hits.iter().map(triggered).collect();
    call.answer(&Checked {
        status: "completed",
        recommended_action: outcome.verdict().name(),
        triggered_rule: outcome.hits.iter().max_by_key(|hit| hit.verdict).map(triggered),
        triggered_rules: rules,
        item: item.as_ref().map(|(cast, shown)| shown.item(cast)),
    })
}

fn triggered(hit: &checks::Hit) -> TriggeredRule<'_> {
    TriggeredRule { rule_id: &hit.rule, rule_name: &hit.rule, kind: hit.engine, actions: [hit.verdict.name()] }
}

/// Runs the policy for content, unless moderation looks away from its author; answers the policy's key, too.
async fn checked(
    tx: &mut Tx,
    (key, team): (&str, &str),
    given: Option<&Object>,
    content: &Content<'_>,
    now: ids::Timestamp,
) -> domain::Result<(String, Outcome)> {
    let found = match given {
        Some(sections) => Some((key.to_owned(), Policy::read(&sections.to_string()))),
        None => checks::find(tx, &checks::fallbacks(key), team).await?,
    };
    match found {
        Some((key, policy)) if !checks::is_bypassed(tx, content.creator).await? => {
            Ok((key, checks::run(tx, &policy, content, now).await?))
        }
        _ => Ok((String::new(), Outcome::default())),
    }
}

/// Tells hooks what came of a check.
fn tell(tx: &mut Tx, entity: &Entity, outcome: &Outcome, item: Option<&String>, is_test: bool, now: ids::Timestamp) {
    if is_test {
        return;
    }
    let more = json!({
        "entity_id": entity.id,
        "entity_type": entity.kind,
        "recommended_action": outcome.verdict().name(),
        "review_queue_item_id": item.map_or("", String::as_str),
    });
    events::record(tx, Event::new("moderation_check.completed", now, None).with(more.to_string()));
}

/// What the content says: the payload, or the message that it is.
async fn texts(call: &Call, entity: &Entity, payload: &Object) -> Result<Vec<String>> {
    let given = payload.get("texts").map(|raw| serde_json::from_str::<Option<Vec<String>>>(raw.get()));
    let given = given.transpose().map_err(|_| Error::field("moderation_payload.texts", "must be a list of strings"))?;
    if let Some(texts) = given.flatten() {
        return match texts.len() <= TEXTS_MAX {
            true => Ok(texts),
            false => Err(Error::field("moderation_payload.texts", &format!("must hold at most {TEXTS_MAX}"))),
        };
    }
    match entity.message() {
        Some(id) => {
            let message = messages::get(&mut call.snapshot(), &id).await?;
            Ok(message.into_iter().map(|message| message.text).collect())
        }
        None => Ok(Vec::new()),
    }
}

fn entity(sent: &mut Fields) -> Result<Entity> {
    let mut text = |name| sent.filled(name)?.ok_or_else(|| Error::field(name, "is a required field"));
    Ok(Entity::new(&text("entity_type")?, &text("entity_id")?)?)
}

/// `POST /moderation/custom_check`: puts content into the review queue for what models of the application's own found.
pub(crate) async fn custom(call: Call, mut sent: Fields) -> Result<Reply> {
    let entity = entity(&mut sent)?;
    let creator: Option<UserId> = sent.user("entity_creator_id")?;
    call.actor(&mut sent)?;
    let now = call.now();
    let flags = sent.objects("flags")?.ok_or_else(|| Error::field("flags", "is a required field"))?;
    if flags.is_empty() || flags.len() > FLAGS_MAX {
        return Err(Error::field("flags", &format!("must hold 1 to {FLAGS_MAX} flags")));
    }
    let mark = |mut flag: Fields| {
        Ok(Mark {
            kind: flag.filled("type")?.ok_or_else(|| Error::field("flags.type", "is a required field"))?,
            reason: flag.text("reason")?.unwrap_or_default(),
            labels: flag.texts("labels")?.unwrap_or_default(),
            custom: flag.object("custom")?.map(Fields::rest).unwrap_or_default().to_string(),
            at: now,
        })
    };
    let found = Found {
        marks: flags.into_iter().map(mark).collect::<Result<_>>()?,
        recommended: Verdict::Flag.name().to_owned(),
        policy: String::new(),
        creator,
        payload: sent.object("moderation_payload")?.map(Fields::rest).unwrap_or_default(),
    };
    let fresh = call.new_id();
    let run = call.app.write(async |tx: &mut Tx| flags::add_found(tx, &entity, &found, &fresh, now).await);
    let id = run.await?;
    let (cast, shown) = one_item(&call, &id).await?;
    let item = shown.item(&cast);
    call.answer(&CustomChecked { id: &id, status: item.status, item })
}

/// `POST /moderation/moderation_rules`: rules need models for most of their conditions, so there can be none, nor any labels.
pub(crate) async fn rules(call: Call, _: Fields) -> Result<Reply> {
    call.answer(&json!({
        "rules": [], "ai_image_label_definitions": [], "closed_caption_labels": [], "keyframe_labels": [],
        "ocr_labels": [], "ai_image_subclassifications": {}, "default_llm_labels": {},
        "default_username_llm_labels": {}, "keyframe_label_classifications": {},
    }))
}

/// `POST /moderation/labels/results`: there is no model that labels, so there are no labels.
pub(crate) async fn label_results(call: Call, _: Fields) -> Result<Reply> {
    call.answer(&json!({ "label_results": [] }))
}

/// `GET /moderation/policy_tests/sets`: they cannot be made, so there are none.
pub(crate) async fn test_sets(call: Call, _: Fields) -> Result<Reply> {
    call.answer(&json!({ "sets": Value::Array(Vec::new()) }))
}
