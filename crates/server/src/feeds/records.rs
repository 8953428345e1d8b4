//! Activities for which the record is looked at, and whatever else was asked for: references replaced, reactions
//! (feeds-v1 §5.10, §8). The plain page, joined of kept fragments, does not come here.

use std::fmt::Write;

use domain::{
    Tx,
    feeds::{
        activities::Activity,
        reactions::{self, About, Part},
    },
};
use ids::ActivityId;
use serde::Serialize;
use wire::feeds::reactions::{Extra as More, Kinds, Reaction};

use super::{enrich::References, extra::Extra};
use crate::{error::Result, gate::Call, to_wire};

/// Renders activities of one answer, all as they were at one moment.
pub(super) struct Records {
    tx: Tx,
    references: Option<References>,
    extra: Extra,
    base: String,
}

impl Records {
    /// For the answer to `call`.
    pub(super) fn new(call: &Call, is_enriched: bool, extra: Extra) -> Self {
        let references = is_enriched.then(References::default);
        Records { tx: call.tenant.app.snapshot(), references, extra, base: call.base() }
    }

    /// The snapshot that everything is read from.
    pub(super) fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The activity as JSON without its origin and closing brace.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn fragment(&mut self, id: ActivityId, activity: &Activity) -> Result<String> {
        let mut json = match &mut self.references {
            Some(references) => references.fragment(&mut self.tx, id, activity).await?,
            None => to_wire::fragment(id, activity),
        };
        if self.extra.is_any() {
            self.reactions(&mut json, id).await?;
        }
        Ok(json)
    }

    async fn reactions(&mut self, json: &mut String, id: ActivityId) -> Result<()> {
        let (tx, extra) = (&mut self.tx, &self.extra);
        let counts = reactions::on_activity(tx, id, &extra.kinds).await?;
        if extra.recent
            && let Some(only_of) = &extra.only_of
        {
            let theirs = reactions::own(tx, &About::Activity(id), &extra.kinds, extra.limit, only_of).await?;
            let more: Kinds<More> =
                theirs.iter().map(|(kind, _)| (kind.clone(), More { next: String::new() })).collect();
            member(json, "latest_reactions", &to_wire::reactions_by_kind(&theirs));
            member(json, "latest_reactions_extra", &more);
        } else if extra.recent {
            let part = Part { limit: extra.limit, ..Part::default() };
            let latest = reactions::latest(tx, id, &counts, &part, &extra.wanted).await?;
            let mut more: Kinds<More> = Kinds::new();
            let mut shown: Kinds<Vec<Reaction>> = Kinds::new();
            for (kind, (list, is_more)) in &latest {
                let next = match list.last().filter(|_| *is_more) {
                    Some(last) => self.next(id, kind, &last.id),
                    None => String::new(),
                };
                more.insert(kind.clone(), More { next });
                shown.insert(kind.clone(), list.iter().map(to_wire::reaction).collect());
            }
            member(json, "latest_reactions", &shown);
            member(json, "latest_reactions_extra", &more);
        }
        let (tx, extra) = (&mut self.tx, &self.extra);
        if extra.first {
            let part = Part { limit: extra.limit, from: None, is_ascending: true };
            let first = reactions::latest(tx, id, &counts, &part, &extra.wanted).await?;
            let first: Kinds<Vec<Reaction>> = first
                .iter()
                .map(|(kind, (list, _))| (kind.clone(), list.iter().map(to_wire::reaction).collect()))
                .collect();
            member(json, "first_reactions", &first);
        }
        if extra.own {
            let own = reactions::own(tx, &About::Activity(id), &extra.kinds, extra.limit, &extra.viewer).await?;
            member(json, "own_reactions", &to_wire::reactions_by_kind(&own));
        }
        if extra.counts {
            let counts: Kinds<i64> = counts.into_iter().collect();
            member(json, "reaction_counts", &counts);
        }
        Ok(())
    }

    /// Where the reactions of `kind` are that come after `last`.
    fn next(&self, activity: ActivityId, kind: &str, last: &str) -> String {
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let kind = encoded(kind).replace('+', "%20");
        let mut url = format!("{}/api/v1.0/reaction/activity_id/{activity}/{kind}/?id_lt=", self.base);
        let with_children = self.extra.wanted.own_children;
        write!(url, "{}&limit={}&withOwnChildren={with_children}", encoded(last), self.extra.limit)
            .expect("writing to memory does not fail");
        url
    }
}

fn member(json: &mut String, name: &str, value: &impl Serialize) {
    let value = serde_json::to_string(value).expect("wire types are JSON");
    write!(json, r#","{name}":{value}"#).expect("writing to memory does not fail");
}
