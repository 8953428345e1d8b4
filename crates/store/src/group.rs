//! One group of commits: the state it builds on, and what its members change.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::engine::Batch;
use crate::error::{Error, Hex};
use crate::limits::RANGE_ROWS_MAX;
use crate::scan::{Direction, Limit, bounds, overlaid};
use crate::stamp::Stamp;
use crate::system::is_reserved;
use crate::view::View;
use crate::writes::{Assertion, Write, Writes, within};

/// The rows that a group changes, above the published state.
#[derive(Debug)]
pub(crate) struct Group {
    base: Arc<View>,
    changes: BTreeMap<Bytes, Option<Bytes>>,
}

/// What one commit changes, worked out against the state before it.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) changes: Vec<(Bytes, Option<Bytes>)>,
    /// The rows of the commit-ordered log, which are among the changes too.
    pub(crate) appended: Vec<(Bytes, Bytes)>,
}

impl Group {
    pub(crate) fn new(base: Arc<View>) -> Group {
        Group { base, changes: BTreeMap::new() }
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        match self.changes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.base.snapshot.get(key),
        }
    }

    /// Works out what `writes` change if they commit as `stamp`; changes nothing yet.
    pub(crate) fn plan(&self, writes: Writes, stamp: Stamp) -> Result<Plan, Error> {
        writes.assertions.iter().try_for_each(|assertion| self.check(assertion))?;
        let mut plan = Plan::default();
        for range in &writes.ranges {
            self.plan_range(range, &mut plan)?;
        }
        for (key, write) in writes.points {
            let value = match write {
                Write::Put(value) => Some(Bytes::from(value)),
                Write::PutStamped(mut value) => {
                    value.extend_from_slice(&stamp.to_bytes());
                    Some(Bytes::from(value))
                }
                Write::Add(_) => overlaid(&key, &write, self.get(&key)?)?,
                Write::Delete => None,
                Write::Broken => return Err(Error::NotACounter { key: Hex(key) }),
            };
            plan.changes.push((Bytes::from(key), value));
        }
        for (index, (mut key, value)) in (0_u16..).zip(writes.appends) {
            key.extend_from_slice(&stamp.to_bytes());
            key.extend_from_slice(&index.to_be_bytes());
            let row = (Bytes::from(key), Bytes::from(value));
            plan.changes.push((row.0.clone(), Some(row.1.clone())));
            plan.appended.push(row);
        }
        Ok(plan)
    }

    fn check(&self, assertion: &Assertion) -> Result<(), Error> {
        if self.get(&assertion.key)?.as_deref() == assertion.value.as_deref() {
            Ok(())
        } else {
            Err(Error::Assertion { key: Hex(assertion.key.clone()) })
        }
    }

    /// Turns a range delete into the deletes of the rows that are there.
    fn plan_range(&self, range: &Range<Vec<u8>>, plan: &mut Plan) -> Result<(), Error> {
        let fresh = self.changes.range::<[u8], _>(bounds(range));
        let fresh = fresh.filter(|(_, value)| value.is_some()).map(|(key, _)| key.clone());
        plan.changes.extend(fresh.filter(|key| !is_reserved(key)).map(|key| (key, None)));
        let mut rest = range.start.clone()..range.end.clone().min(crate::system::end_of_user_keys());
        while rest.start < rest.end {
            let slice = self.base.snapshot.scan(&rest, Direction::Forward, Limit::PAGE)?;
            let kept = slice.rows.into_iter().map(|(key, _)| key).filter(|key| !self.changes.contains_key(key));
            plan.changes.extend(kept.map(|key| (key, None)));
            within("the number of rows in the deleted ranges", plan.changes.len(), RANGE_ROWS_MAX)?;
            let Some(next) = slice.next else { break };
            rest.start = next.to_vec();
        }
        Ok(())
    }

    /// Takes a plan into the group.
    pub(crate) fn apply(&mut self, plan: Vec<(Bytes, Option<Bytes>)>) {
        if self.changes.is_empty() {
            // Built at once from what is as good as sorted, not row by row.
            self.changes = plan.into_iter().collect();
        } else {
            self.changes.extend(plan);
        }
    }

    pub(crate) fn into_batch(self) -> Batch {
        self.changes.into_iter().collect()
    }
}
