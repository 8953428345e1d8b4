//! What the templates of a campaign say to one recipient.

use ids::{ChannelId, UserId, json::Object};
use serde_json::Value;

use super::Plan;
use crate::{
    Error, Result,
    chat::{
        channels::{self, Details},
        members::Newcomer,
        messages::Draft,
    },
    users::User,
};

/// The type of the channels of a campaign that does not say.
const KIND: &str = "messaging";

/// Who is meant by placeholders.
pub(super) struct Parties<'a> {
    /// Who says it.
    pub(super) sender: (&'a UserId, &'a User),
    /// Who gets it; nobody in particular, if it goes into a channel.
    pub(super) receiver: Option<(&'a UserId, &'a User)>,
}

impl Parties<'_> {
    /// `text` with what its placeholders stand for.
    pub(super) fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        let receiver = self.receiver.map(|receiver| ("receiver", receiver));
        for (role, (id, user)) in [("sender", self.sender)].into_iter().chain(receiver) {
            for (field, value) in [("id", id.as_str()), ("name", user.name.as_deref().unwrap_or_default())] {
                filled = filled.replace(&format!("{{{{{role}.{field}}}}}"), value);
            }
        }
        filled
    }

    fn fill_all(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.fill(text),
            Value::Array(list) => list.iter_mut().for_each(|value| self.fill_all(value)),
            Value::Object(object) => object.values_mut().for_each(|value| self.fill_all(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn filled(&self, json: &str) -> Value {
        let mut value = serde_json::from_str(json).unwrap_or_default();
        self.fill_all(&mut value);
        value
    }

    /// The message that `plan` says to them.
    pub(super) fn message(&self, plan: &Plan) -> Draft {
        Draft {
            attachments: plan.attachments.iter().map(|json| self.filled(json).to_string()).collect(),
            poll: Some(plan.poll.clone()).filter(|poll| !poll.is_empty()),
            keeps_hidden: !plan.shows_channels,
            custom: self.filled(&plan.custom).to_string(),
            ..Draft::text(Some(self.sender.0.clone()), self.fill(&plan.text))
        }
    }

    /// The channel in which the receiver gets it, and how it is made if it is not there; `distinct` names a channel by its
    /// members.
    ///
    /// # Errors
    /// [`Error::Unfit`] when the template says what no channel has.
    pub(super) fn channel(&self, plan: &Plan, distinct: &Distinct) -> Result<(ChannelId, channels::Draft)> {
        let template = self.filled(plan.channel.as_deref().unwrap_or("{}"));
        let text = |name: &str| template.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let mut members = members(&template)?;
        for (user, _) in [Some(self.sender), self.receiver].into_iter().flatten() {
            if !members.iter().any(|member| member.user == *user) {
                members.push(Newcomer::plain(user.clone()));
            }
        }
        let kind = text("type").unwrap_or(KIND);
        let id = match text("id") {
            Some(id) => ChannelId::new(kind, id).map_err(|error| Error::Unfit(error.to_string()))?,
            None => distinct(kind, &members.iter().map(|member| member.user.clone()).collect::<Vec<_>>())?,
        };
        let details = Details {
            team: text("team").map(str::to_owned),
            custom: object(template.get("custom")),
            ..Details::default()
        };
        let created_by = Some(self.sender.0.clone());
        Ok((id, channels::Draft { created_by, details, members, ..channels::Draft::default() }))
    }
}

/// Names the channel of a type by its members.
pub type Distinct = dyn Fn(&str, &[UserId]) -> Result<ChannelId> + Send + Sync;

fn members(template: &Value) -> Result<Vec<Newcomer>> {
    let user = |id: &str| UserId::parse(id).map_err(|error| Error::Unfit(format!("channel_template.members: {error}")));
    let list = |name: &str| template.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut members: Vec<Newcomer> = Vec::new();
    for member in list("members").into_iter().chain(list("members_template")) {
        let id = member.as_str().or_else(|| member.get("user_id")?.as_str()).unwrap_or_default();
        let role = member.get("channel_role").and_then(Value::as_str).filter(|role| !role.is_empty());
        let newcomer =
            Newcomer { user: user(id)?, channel_role: role.map(str::to_owned), custom: object(member.get("custom")) };
        if !members.iter().any(|known| known.user == newcomer.user) {
            members.push(newcomer);
        }
    }
    Ok(members)
}

fn object(value: Option<&Value>) -> Object {
    let text = value.filter(|value| value.is_object()).map(ToString::to_string);
    text.and_then(|text| Object::parse(&text).ok()).unwrap_or_default()
}

/// Checks what a template for channels says, as far as it can be told without recipients.
///
/// # Errors
/// [`Error::Unfit`] when it is none.
pub(super) fn check(template: &str) -> Result<()> {
    let template: Value = serde_json::from_str(template).map_err(|_| Error::Unfit("channel_template".to_owned()))?;
    match template.get("type").and_then(Value::as_str) {
        Some(kind) if !kind.is_empty() => Ok(()),
        _ => Err(Error::Unfit("channel_template.type is a required field".to_owned())),
    }
}
