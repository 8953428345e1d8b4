//! Clients that speak in one channel at once, each one message after another.

use anyhow::{Result, bail, ensure};
use futures_util::future::try_join_all;

use crate::api::{Api, Error, chat::Said};

const SPEAKERS: usize = 16;

/// All channels that were spoken in: one for each life of the server.
#[derive(Default)]
pub(super) struct Speakers {
    rooms: Vec<Room>,
}

/// A channel and all that the speakers were told about it.
struct Room {
    id: String,
    speakers: Vec<Speaker>,
    /// What it held when it was read first.
    seen: Option<Vec<Said>>,
}

struct Speaker {
    name: String,
    /// In the order in which they were sent.
    acknowledged: Vec<Said>,
    /// What was sent and not answered.
    unanswered: Option<String>,
}

impl Speakers {
    /// Speaks in a new channel until the server is gone.
    pub(super) async fn speak_until_unanswered(&mut self, api: &Api) -> Result<()> {
        let id = format!("harbor-{}", self.rooms.len());
        match api.open_channel(&id).await {
            Ok(()) => {}
            Err(Error::Unanswered { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let speaker = |number| Speaker { name: format!("{id}-{number}"), acknowledged: Vec::new(), unanswered: None };
        let speakers = (0..SPEAKERS).map(speaker).collect();
        self.rooms.push(Room { id, speakers, seen: None });
        let Some(Room { id, speakers, .. }) = self.rooms.last_mut() else { return Ok(()) };
        let id: &str = id;
        try_join_all(speakers.iter_mut().map(|speaker| speaker.speak(api, id))).await.map(drop)
    }

    /// Compares the last channel with what was acknowledged.
    pub(super) async fn check(&mut self, api: &Api) -> Result<()> {
        match self.rooms.last_mut() {
            Some(room) => room.check(api).await,
            None => Ok(()),
        }
    }

    /// Compares every channel.
    pub(super) async fn check_all(&mut self, api: &Api) -> Result<()> {
        for room in &mut self.rooms {
            room.check(api).await?;
        }
        Ok(())
    }

    /// How many messages were acknowledged.
    pub(super) fn messages(&self) -> usize {
        self.rooms.iter().flat_map(|room| &room.speakers).map(|speaker| speaker.acknowledged.len()).sum()
    }
}

impl Speaker {
    async fn speak(&mut self, api: &Api, room: &str) -> Result<()> {
        loop {
            let message = format!("{}-{}", self.name, self.acknowledged.len());
            match api.say(room, &self.name, &message).await {
                Ok(said) => self.acknowledged.push(said),
                Err(Error::Unanswered { .. }) => {
                    self.unanswered = Some(message);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Room {
    async fn check(&mut self, api: &Api) -> Result<()> {
        let found = api.whole_channel(&self.id).await?;
        if let Some(pair) = found.windows(2).find(|pair| pair[0].moment() > pair[1].moment()) {
            bail!("{} is out of order: {:?} stands before {:?}", self.id, pair[0], pair[1]);
        }
        let mut count = 0;
        for speaker in &self.speakers {
            let prefix = format!("{}-", speaker.name);
            let own: Vec<&Said> = found.iter().filter(|said| said.id.starts_with(&prefix)).collect();
            count += own.len();
            let known = speaker.acknowledged.len();
            let same = own.iter().zip(&speaker.acknowledged).take_while(|(own, known)| **own == *known).count();
            ensure!(
                same == known,
                "{} said {known} messages that were acknowledged; number {same} is {:?} and must be {:?}",
                speaker.name,
                own.get(same),
                speaker.acknowledged.get(same)
            );
            let rest: Vec<&String> = own.iter().skip(known).map(|said| &said.id).collect();
            let is_right = rest.is_empty() || rest == speaker.unanswered.iter().collect::<Vec<_>>();
            ensure!(is_right, "{} never said {rest:?}, or not so often", speaker.name);
        }
        ensure!(count == found.len(), "{} holds messages of nobody", self.id);
        match &self.seen {
            Some(seen) => ensure!(*seen == found, "{} is not what it was after its first restart", self.id),
            None => self.seen = Some(found),
        }
        Ok(())
    }
}
