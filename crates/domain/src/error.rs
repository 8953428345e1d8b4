//! The rules that a caller can break. Status codes and wording for the wire are the server's business.

use ids::FeedId;

/// What domain functions answer.
pub type Result<T> = std::result::Result<T, Error>;

/// A broken rule, or the world failing underneath.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// These feed groups do not exist in the app.
    #[error("no feed group {}; create it first", quoted(.0))]
    NoGroup(Vec<String>),
    /// A feed was told to follow itself.
    #[error("`{0}` cannot follow itself")]
    FollowsItself(FeedId),
    /// Only flat feeds can be followed.
    #[error("`{0}` cannot be followed: its group is not flat")]
    NotFollowable(FeedId),
    /// A follow was ended with its history kept too often to remember each time.
    #[error(
        "`{feed}` has unfollowed `{target}` and kept its history {limit} times; unfollow it once without keep_history"
    )]
    TooManySpans {
        /// The follower.
        feed: FeedId,
        /// The followed.
        target: FeedId,
        /// How often is possible.
        limit: usize,
    },
    /// The activity that a change names is not there.
    #[error("activity {0} does not exist")]
    NoActivity(String),
    /// What the call names is not there; the text names it.
    #[error("{0}")]
    Absent(String),
    /// Moderation does not let it be said.
    #[error("{0}")]
    Moderated(String),
    /// The caller may not do that; the text says why.
    #[error("{0}")]
    NotAllowed(String),
    /// The channel type does not have this feature; the text names it.
    #[error("{0}")]
    FeatureOff(String),
    /// The channel type does not have this event; the text names it.
    #[error("{0}")]
    EventOff(String),
    /// The text of a message is longer than its channel allows.
    #[error("the text is longer than {0} characters")]
    TooLong(u32),
    /// A reply was made to a reply.
    #[error("a reply cannot be replied to")]
    NestedReply,
    /// The application's own fields are too big; the text says whose.
    #[error("{0}")]
    TooBig(String),
    /// Slow mode: the next message must wait.
    #[error("slow mode is on; the next message may be sent in {seconds} s")]
    Cooldown {
        /// How long it must wait.
        seconds: u32,
    },
    /// The user name is taken.
    #[error("the name `{0}` is taken")]
    NameTaken(String),
    /// Channels that the caller may not read.
    #[error("the query covers channels that this user may not read")]
    NoAccessToChannels,
    /// A change does not fit what is stored; the text names the field and the rule.
    #[error("{0}")]
    Unfit(String),
    /// The aggregation format of a feed group cannot be read.
    #[error("the format contains syntax errors")]
    BrokenFormat,
    /// There is no such ranking method.
    #[error("there is no ranking method `{0}`")]
    NoRanking(String),
    /// A ranking method cannot be evaluated; the text says why.
    #[error("{0}")]
    Ranking(String),
    /// The id is taken; the text names it.
    #[error("{0}")]
    Taken(String),
    /// An app with this key or id exists.
    #[error("an app with this {0} exists already")]
    AppExists(&'static str),
    /// There is no such app.
    #[error("there is no app {0}")]
    NoApp(u32),
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] store::Error),
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
