//! Which of the frozen users go with one call that deletes (§7.3, §11.4): all of them, unless the other side refuses so
//! many; then half as many, down to one.

use super::run::Run;
use crate::{
    Result,
    executions::{Phase, TARGETS_MAX, TaskKind, TaskStatus},
};

impl Run<'_> {
    /// The users of the next call: those that are not known to be gone and were not sent.
    pub(super) fn together(&self) -> Result<Vec<(usize, String)>> {
        let mut left = self.target_ids()?;
        left.retain(|(number, _)| !self.target(*number).is_gone && self.target(*number).sent_by.is_none());
        left.truncate(self.execution.together.unwrap_or(TARGETS_MAX) as usize);
        Ok(left)
    }

    /// Lets half as many go together as went last; whether that is fewer.
    pub(super) fn halve(&mut self) -> Result<bool> {
        let count = self.together()?.len();
        if count < 2 {
            return Ok(false);
        }
        self.execution.together = u32::try_from(count / 2).ok();
        self.audit("deletion.halved", |draft| draft.with("users", count / 2));
        Ok(true)
    }

    /// Notes that the call `order` is under way with its users.
    pub(super) fn sent_together(&mut self, order: u32) -> Result<()> {
        for (number, _) in self.together()? {
            self.target_mut(number).sent_by = Some(order);
        }
        Ok(())
    }

    /// Plans the call for those that were not sent, if there are any. They are looked at once more before it goes.
    pub(super) fn send_the_rest(&mut self) -> Result<bool> {
        if self.together()?.is_empty() {
            return Ok(false);
        }
        self.add(TaskKind::DeleteUsers, None).status = TaskStatus::Uncertain;
        self.execution.phase = Phase::Submit;
        self.wait(0);
        Ok(true)
    }

    /// Takes back that the users of the last call were sent, and what is known of them.
    pub(super) fn unsend_last(&mut self) {
        let last = (0..self.targets_count()).filter_map(|number| self.target(number).sent_by).max();
        for number in 0..self.targets_count() {
            if last.is_some() && self.target(number).sent_by == last {
                let target = self.target_mut(number);
                (target.is_gone, target.sent_by) = (false, None);
            }
        }
    }
}
