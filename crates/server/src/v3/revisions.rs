//! `POST /revisions/query`: what activities and comments said before they were changed (feeds-v3 §3.12).

use domain::filter::{Field, Filter, Kind, Schema};
use wire::v3::{Pager, activities::Revisions};

use super::read::Place;
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
    },
    reply::Reply,
};

/// What a filter of revisions may name.
const SCHEMA: Schema = Schema {
    fields: &[
        Field::new("object_id", Kind::Text),
        Field::new("object_type", Kind::Text),
        Field::new("user_id", Kind::Text),
    ],
    has_custom: false,
};

/// `POST /revisions/query`: none, for what was said before is not kept.
pub(super) async fn query(call: Call, mut sent: Fields) -> Result<Reply> {
    let filter = sent.raw("filter").ok_or_else(|| Error::field("filter", "is a required field"))?;
    Filter::parse(filter.get(), SCHEMA)?;
    Place::read(&mut sent)?;
    call.answer(&Revisions { revisions: [], pager: Pager::default() })
}
