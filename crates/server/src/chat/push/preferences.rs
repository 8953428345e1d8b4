//! `POST /push_preferences`.

use domain::chat::push::preferences::{self, CHAT_KINDS, Change, Preference};
use ids::json::Object;
use wire::chat::{error::Code, push::ChangedPreferences};

use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        to_wire::push::preference,
    },
    reply::Reply,
};

/// The most preferences of one call.
const PREFERENCES_MAX: usize = 100;
/// The longest object of preferences by kind, in bytes.
const KINDS_BYTES_MAX: usize = 2 * 1024;
/// What feeds tell of, by kind; each `all` or `none`.
const FEEDS_KINDS: [&str; 7] =
    ["comment", "comment_mention", "comment_reaction", "comment_reply", "follow", "mention", "reaction"];
/// Kinds of the application's own.
const OWN_KINDS: &str = "custom_activity_types";

/// `POST /push_preferences`: changes what users want their devices told of.
pub(crate) async fn set(call: Call, mut sent: Fields) -> Result<Reply> {
    let given = sent.objects("preferences")?.unwrap_or_default();
    if !(1..=PREFERENCES_MAX).contains(&given.len()) {
        return Err(Error::field("preferences", &format!("must hold 1 to {PREFERENCES_MAX} preferences")));
    }
    let changes = given.into_iter().map(|given| change(&call, given)).collect::<Result<Vec<_>>>()?;
    let set = call.app.write(async |tx| {
        let mut changed = Vec::with_capacity(changes.len());
        for change in &changes {
            changed.push(preferences::set(tx, change).await?);
        }
        Ok(changed)
    });
    let changed = set.await?;
    let mut answer = ChangedPreferences::default();
    for (change, now) in changes.iter().zip(&changed) {
        let (user, shown) = (change.user.as_str(), preference(call.dialect, now));
        match &change.channel {
            None => drop(answer.user_preferences.insert(user, shown)),
            Some(channel) => {
                answer.user_channel_preferences.entry(user).or_default().insert(channel.as_str(), shown);
            }
        }
    }
    call.answer(&answer)
}

fn change(call: &Call, mut sent: Fields) -> Result<Change> {
    let named = sent.user("user_id")?;
    let user = match (call.user(), named) {
        (Some(own), Some(named)) if *own != named => {
            return Err(Error::new(Code::NotAllowed, "a user's token acts for that user alone"));
        }
        (Some(own), _) => own.clone(),
        (None, named) => named.ok_or_else(|| Error::field("preferences.user_id", "is a required field"))?,
    };
    Ok(Change {
        user,
        channel: sent.channel("channel_cid")?,
        is_enabled_again: sent.flag("remove_disable")?.unwrap_or(false),
        said: Preference {
            chat_level: sent.filled("chat_level")?,
            call_level: sent.filled("call_level")?,
            feeds_level: sent.filled("feeds_level")?,
            disabled_until: sent.time("disabled_until")?,
            chat_preferences: kinds(&mut sent, "chat_preferences", &CHAT_KINDS)?,
            feeds_preferences: kinds(&mut sent, "feeds_preferences", &FEEDS_KINDS)?,
        },
    })
}

/// Preferences by kind: each `all` or `none`; feeds also know kinds of the application's own.
fn kinds(sent: &mut Fields, name: &str, known: &[&str]) -> Result<Option<String>> {
    let Some(object) = sent.object(name)?.map(Fields::rest).filter(|object| !object.is_empty()) else {
        return Ok(None);
    };
    let is_level = |json: &str| matches!(json, "\"all\"" | "\"none\"");
    for (kind, value) in object.iter() {
        let is_own = kind == OWN_KINDS && known.contains(&"follow");
        let is_fit = match is_own {
            true => Object::parse(value.get()).is_ok_and(|own| own.iter().all(|(_, value)| is_level(value.get()))),
            false => known.contains(&kind) && (is_level(value.get()) || value.get() == "null"),
        };
        if !is_fit {
            return Err(Error::field(
                &format!("{name}.{kind}"),
                &format!("must be all or none, of {}", known.join(", ")),
            ));
        }
    }
    let text = object.to_string();
    match text.len() > KINDS_BYTES_MAX {
        true => Err(Error::field(name, &format!("has more than {KINDS_BYTES_MAX} bytes"))),
        false => Ok(Some(text)),
    }
}
