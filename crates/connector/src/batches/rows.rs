//! Rows: what each says, sealed until its request has it.

use ids::Timestamp;
use minicbor::{Decode, Encode, bytes::ByteVec};
use zeroize::Zeroizing;

use super::Batch;
use crate::{
    NewRequest, Result,
    deadlines::Regulation,
    keys::{self, DataKey, Place},
    requests::{Category, GivenIdentifier, Kind, Verification},
};

/// A row.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Row {
    /// What it says, until the request has it.
    #[n(0)]
    pub(super) sealed: Option<ByteVec>,
    /// What it asks for; nothing if that cannot be read.
    #[n(1)]
    pub kind: Option<Kind>,
    /// The id that it came with.
    #[n(2)]
    pub external_id: Option<String>,
    /// The request that it became.
    #[n(3)]
    pub request: Option<String>,
    /// Whether that was there before.
    #[n(4)]
    pub is_duplicate: bool,
    /// What is wrong with it.
    #[n(5)]
    pub problem: Option<String>,
}

/// What a row says, as it is sealed.
#[derive(Encode, Decode)]
pub(super) struct Line {
    #[n(0)]
    kind: Kind,
    #[n(1)]
    identifiers: Vec<(Category, String)>,
    #[n(2)]
    integrations: Vec<String>,
    #[n(3)]
    regulation: Regulation,
    #[n(4)]
    days: Option<i64>,
    #[n(5)]
    received_at: Option<Timestamp>,
    #[n(6)]
    external_id: Option<String>,
    #[n(7)]
    verification: Option<Verification>,
    #[n(8)]
    is_dry_run: bool,
}

impl Line {
    fn of(new: &NewRequest) -> Self {
        let identifiers = new.identifiers.iter().map(|one| (one.category, one.value.expose().clone())).collect();
        Line {
            kind: new.kind,
            identifiers,
            integrations: new.integrations.clone(),
            regulation: new.regulation,
            days: new.days,
            received_at: new.received_at,
            external_id: new.external_id.clone(),
            verification: new.verification.clone(),
            is_dry_run: new.is_dry_run,
        }
    }

    /// The request that it asks for.
    pub(super) fn request(self, batch: &Batch, number: u32) -> Result<NewRequest> {
        let given = |(category, value): &(Category, String)| GivenIdentifier::new(*category, value);
        let identifiers = self.identifiers.iter().map(given).collect::<Result<_>>()?;
        let mut new = NewRequest::new(self.kind, identifiers);
        new.integrations = self.integrations;
        new.regulation = self.regulation;
        new.days = self.days;
        new.received_at = self.received_at;
        new.external_id = self.external_id;
        new.verification = self.verification;
        new.is_dry_run = self.is_dry_run;
        new.requested_by.clone_from(&batch.requested_by);
        new.batch = Some(batch.id.clone());
        // The same row is the same request, also after a crash in between.
        new.idempotency_key = Some(format!("{}/{number}", batch.id));
        Ok(new)
    }
}

impl Row {
    pub(super) fn new(row: &Result<NewRequest, String>, key: &DataKey, batch: &str, number: u32) -> Self {
        let wrong = |problem: &String| Row {
            sealed: None,
            kind: None,
            external_id: None,
            request: None,
            is_duplicate: false,
            problem: Some(problem.clone()),
        };
        let new = match row {
            Ok(new) => new,
            Err(problem) => return wrong(problem),
        };
        let bytes = Zeroizing::new(minicbor::to_vec(Line::of(new)).expect("writing to memory does not fail"));
        let sealed = key.seal(place(batch, &number.to_string()), &bytes);
        Row {
            sealed: Some(sealed.into()),
            kind: Some(new.kind),
            external_id: new.external_id.clone(),
            problem: None,
            ..wrong(&String::new())
        }
    }

    pub(super) fn open(&self, key: &DataKey, batch: &str, number: u32) -> Result<Line> {
        let sealed = self.sealed.as_ref().ok_or(keys::Error::Damaged)?;
        let bytes = key.open(place(batch, &number.to_string()), sealed)?;
        minicbor::decode(&bytes).map_err(|_| keys::Error::Damaged.into())
    }
}

pub(super) fn place<'a>(batch: &'a str, field: &'a str) -> Place<'a> {
    Place { table: "batch_row", row: batch, field }
}
