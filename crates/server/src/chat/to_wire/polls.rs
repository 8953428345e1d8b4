//! Polls as chat clients read them (chat §6.14).

use domain::polls::{Cast, Shown, ShownOption};
use ids::UserId;
use wire::chat::{
    dialect::{Custom, Dialect},
    polls::{Poll, PollOption, Vote},
};

use super::messages::Frame;

impl<'a> Frame<'a> {
    /// A poll with what is counted of it.
    pub(crate) fn poll(self, shown: &'a Shown) -> Poll<'a> {
        let poll = &shown.poll;
        let votes = |list: &'a [Cast]| list.iter().map(|cast| self.vote(shown, cast)).collect::<Vec<_>>();
        let latest = shown.options.iter().filter(|option| !option.latest.is_empty());
        Poll {
            id: &shown.id,
            name: &poll.name,
            description: &poll.description,
            voting_visibility: if poll.is_anonymous { "anonymous" } else { "public" },
            enforce_unique_vote: poll.is_unique,
            max_votes_allowed: match self.dialect {
                Dialect::Classic => Some(poll.votes_max),
                Dialect::V2 => poll.votes_max.map(Some),
            },
            allow_user_suggested_options: poll.takes_options,
            allow_answers: poll.takes_answers,
            is_closed: poll.is_closed,
            vote_count: shown.votes(),
            options: shown.options.iter().map(|option| self.poll_option(option)).collect(),
            vote_counts_by_option: shown.options.iter().map(|one| (one.option.id.as_str(), one.votes)).collect(),
            latest_votes_by_option: latest.map(|one| (one.option.id.as_str(), votes(&one.latest))).collect(),
            answers_count: shown.answers,
            latest_answers: votes(&shown.latest_answers),
            own_votes: votes(&shown.own),
            created_by_id: poll.created_by.as_ref().map_or("", UserId::as_str),
            created_by: poll.created_by.as_ref().and_then(|user| self.user(user)),
            created_at: self.time(poll.created_at),
            updated_at: self.time(poll.updated_at),
            custom: Custom { fields: &shown.custom, dialect: self.dialect },
        }
    }

    /// An option of a poll.
    pub(crate) fn poll_option(self, shown: &'a ShownOption) -> PollOption<'a> {
        PollOption {
            id: &shown.option.id,
            text: &shown.option.text,
            custom: Custom { fields: &shown.custom, dialect: self.dialect },
        }
    }

    /// A vote in the poll `shown`, without its user if the reader may not know.
    pub(crate) fn vote(self, shown: &'a Shown, Cast { id, vote }: &'a Cast) -> Vote<'a> {
        let user = Some(&vote.user).filter(|_| shown.tells_whose(vote));
        Vote {
            id,
            poll_id: &shown.id,
            option_id: vote.option.as_deref().unwrap_or_default(),
            user_id: user.map(UserId::as_str),
            user: user.and_then(|user| self.user(user)),
            is_answer: vote.answer.as_ref().map(|_| true),
            answer_text: vote.answer.as_deref(),
            created_at: self.time(vote.created_at),
            updated_at: self.time(vote.updated_at),
        }
    }
}
