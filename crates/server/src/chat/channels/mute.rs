//! `/moderation/mute/channel` and its opposite (chat §11.3).

use domain::{
    chat::channels,
    users::{self, People},
};
use ids::ChannelId;
use wire::chat::{
    channels::{ChannelMute, ChannelMuted},
    dialect::Time,
};

use super::{
    spot::Spot,
    state::{self, View},
};
use crate::{
    chat::{
        error::{Error, Result},
        fields::Fields,
        gate::Call,
        to_wire::{
            channels::{self as to_wire, Pen},
            users::embedded,
        },
    },
    reply::Reply,
};

/// The most channels of one call.
const CHANNELS_MAX: usize = 100;

/// `POST /moderation/mute/channel`.
pub(crate) async fn mute(call: Call, mut sent: Fields) -> Result<Reply> {
    let (user, channels, now) = (call.some_actor(&mut sent)?, channels(&mut sent)?, call.now());
    let expires = sent.number("expiration")?.filter(|millis| *millis > 0);
    let expires = expires.map(|millis| now.plus_micros(millis.saturating_mul(1000)));
    for id in &channels {
        let spot = Spot::load(&call, id).await?;
        spot.check(&call, "mute-channel")?;
        if !spot.config().mutes {
            return Err(domain::Error::FeatureOff(format!("mutes are disabled for channel {id}")).into());
        }
    }
    let muted = call.app.write(async |tx| {
        users::ensure(tx, &user, now).await?;
        let mut mutes = Vec::with_capacity(channels.len());
        for id in &channels {
            mutes.push(channels::mute(tx, &user, id, expires, now).await?);
        }
        Ok(mutes)
    });
    let mutes = muted.await?;
    let (mut tx, mut people, mut loaded) = (call.snapshot(), People::default(), Vec::new());
    for id in &channels {
        loaded.push(state::load(&mut tx, id, View::of(&call, Some(&user))).await?);
    }
    people.add(&mut tx, [&user]).await?;
    state::meet(&call, &mut tx, &loaded, &mut people).await?;
    let pen = Pen { dialect: call.dialect, people: &people, now };
    let time = |at| Time { at, dialect: call.dialect };
    let shown = |at: usize| ChannelMute {
        user: embedded(call.dialect, &people, &user, now),
        channel: to_wire::channel(pen, &loaded[at]),
        created_at: time(mutes[at].created_at),
        updated_at: time(mutes[at].updated_at),
        expires: mutes[at].expires.map(time),
    };
    call.answer(&ChannelMuted { channel_mute: shown(0), channel_mutes: (0..mutes.len()).map(shown).collect() })
}

/// `POST /moderation/unmute/channel`.
pub(crate) async fn unmute(call: Call, mut sent: Fields) -> Result<Reply> {
    let (user, channels, now) = (call.some_actor(&mut sent)?, channels(&mut sent)?, call.now());
    let unmuted = call.app.write(async |tx| {
        for id in &channels {
            channels::unmute(tx, &user, id, now).await?;
        }
        Ok(())
    });
    unmuted.await?;
    call.done()
}

fn channels(sent: &mut Fields) -> Result<Vec<ChannelId>> {
    let mut channels: Vec<ChannelId> = sent.channel("channel_cid")?.into_iter().collect();
    for cid in sent.texts("channel_cids")?.unwrap_or_default() {
        channels.push(ChannelId::parse(&cid).map_err(|error| Error::field("channel_cids", &error.to_string()))?);
    }
    channels.sort_unstable();
    channels.dedup();
    match channels.len() {
        1..=CHANNELS_MAX => Ok(channels),
        _ => Err(Error::field("channel_cids", &format!("must hold 1 to {CHANNELS_MAX} cids"))),
    }
}
