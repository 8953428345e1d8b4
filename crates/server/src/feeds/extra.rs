//! What of reactions is shown with activities: the parameters that ask for it (feeds-v1 §5.1).

use domain::feeds::reactions::{OWN_MAX, Viewer, Wanted};
use ids::UserId;

use crate::{
    error::{Error, Result},
    gate::Call,
    query::Query,
};

/// The most reactions of one kind that an activity shows.
const REACTIONS_MAX: usize = 25;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    /// The newest of each kind.
    pub(super) recent: bool,
    /// The oldest of each kind.
    pub(super) first: bool,
    /// The viewer's own.
    pub(super) own: bool,
    /// How many there are of each kind.
    pub(super) counts: bool,
    /// How many of each kind.
    pub(super) limit: usize,
    /// Of these kinds only, if any are named.
    pub(super) kinds: Vec<String>,
    /// Who looks, and what of reactions to reactions is wanted.
    pub(super) wanted: Wanted,
    /// Who looks at the activity.
    pub(super) viewer: Wanted,
    /// Whose reactions alone are shown, if somebody is named.
    pub(super) only_of: Option<Wanted>,
}

impl Extra {
    /// What the query asks for.
    ///
    /// # Errors
    /// 400 for a parameter that does not parse.
    pub(super) fn of(call: &Call) -> Result<Self> {
        let query = &call.query;
        let limit = query.number("recentReactionsLimit", 0, 0..=REACTIONS_MAX)?;
        let first = query.flag("withFirstReactions")?;
        let only_of = match query.get("filter_user_id") {
            Some(_) if first => {
                return Err(Error::field("filter_user_id", "cannot be combined with withFirstReactions"));
            }
            Some(id) => Some(Wanted { viewer: Viewer::User(user("filter_user_id", id)?), ..wanted(call)? }),
            None => None,
        };
        let limit = if limit == 0 { query.number("reaction_limit", OWN_MAX, 1..=REACTIONS_MAX)? } else { limit };
        Ok(Extra {
            recent: query.flag("withRecentReactions")?,
            first,
            own: query.flag("withOwnReactions")? || query.flag("ownReactions")?,
            counts: query.flag("withReactionCounts")?,
            limit,
            kinds: owned(query, "reactionKindsFilter"),
            wanted: wanted(call)?,
            viewer: Wanted { viewer: viewer(call)?, ..wanted(call)? },
            only_of,
        })
    }

    /// All that activities carry next to a list of their reactions.
    ///
    /// # Errors
    /// 400 for a parameter that does not parse.
    pub(super) fn all(call: &Call) -> Result<Self> {
        let (wanted, viewer) = (wanted(call)?, Wanted { viewer: viewer(call)?, ..wanted(call)? });
        Ok(Extra { recent: true, own: true, counts: true, limit: OWN_MAX, wanted, viewer, ..Extra::default() })
    }

    /// Whether anything is asked for.
    pub(super) fn is_any(&self) -> bool {
        self.recent || self.first || self.own || self.counts
    }
}

/// What of reactions to reactions is wanted.
///
/// # Errors
/// 400 for a parameter that does not parse.
pub(super) fn wanted(call: &Call) -> Result<Wanted> {
    let query = &call.query;
    let mut own_children_kinds = owned(query, "withOwnChildrenKinds");
    own_children_kinds.extend(owned(query, "with_own_children_kinds"));
    let viewer = match query.get("children_user_id") {
        Some(id) => Viewer::User(user("children_user_id", id)?),
        None => viewer(call)?,
    };
    let own_children = query.flag("withOwnChildren")? || query.flag("with_own_children")?;
    Ok(Wanted { viewer, own_children, own_children_kinds })
}

/// Who looks: the token's user, or whom the application's own server names.
fn viewer(call: &Call) -> Result<Viewer> {
    if let Some(user) = call.user() {
        return Ok(Viewer::User(user.clone()));
    }
    for name in ["user_id", "withUserId", "filter_user_id"] {
        if let Some(id) = call.query.get(name) {
            return Ok(Viewer::User(user(name, id)?));
        }
    }
    Ok(Viewer::Anybody)
}

fn user(name: &str, id: &str) -> Result<UserId> {
    UserId::parse(id).map_err(|error| Error::field(name, error.to_string()))
}

fn owned(query: &Query, name: &str) -> Vec<String> {
    query.list(name).into_iter().map(str::to_owned).collect()
}
