//! How the values stand inside stored records (CBOR).

use minicbor::{
    Decode, Decoder, Encode, Encoder,
    decode::Error as DecodeError,
    encode::{Error as EncodeError, Write},
};

use crate::{ActivityId, ChannelId, FeedId, Fid, MessageId, Timestamp, UserId};

macro_rules! stored {
    ($type:ty, $write:expr, $read:expr) => {
        impl<C> Encode<C> for $type {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                let write: fn(&$type, &mut Encoder<W>) -> Result<(), EncodeError<W::Error>> = $write;
                write(self, e)
            }
        }

        impl<'b, C> Decode<'b, C> for $type {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                let read: fn(&mut Decoder<'b>) -> Result<$type, DecodeError> = $read;
                read(d)
            }
        }
    };
}

stored!(Timestamp, |time, e| e.i64(time.micros())?.ok(), |d| Ok(Timestamp::from_micros(d.i64()?)));
stored!(FeedId, |feed, e| e.str(feed.as_str())?.ok(), |d| {
    let (group, id) = d.str()?.split_once(':').unwrap_or_default();
    FeedId::restore(group, id).map_err(DecodeError::message)
});
stored!(Fid, |fid, e| e.str(fid.as_str())?.ok(), |d| Fid::parse(d.str()?).map_err(DecodeError::message));
stored!(UserId, |user, e| e.str(user.as_str())?.ok(), |d| UserId::parse(d.str()?).map_err(DecodeError::message));
stored!(ActivityId, |id, e| e.bytes(&id.to_ordered_bytes())?.ok(), |d| {
    let bytes = d.bytes()?.try_into().map_err(|_| DecodeError::message("an activity id has 16 bytes"))?;
    Ok(ActivityId::from_ordered_bytes(bytes))
});
stored!(ChannelId, |id, e| e.str(id.as_str())?.ok(), |d| ChannelId::parse(d.str()?).map_err(DecodeError::message));
stored!(MessageId, |id, e| e.str(id.as_str())?.ok(), |d| MessageId::parse(d.str()?).map_err(DecodeError::message));
