//! Pictures that move: each frame in the new shape, within bounds on how many there are and how much is drawn in all.
//!
//! Only GIF can be written so that it moves. A picture with more than the bounds becomes a still one, of its first frame.

use std::io::Cursor;

use image::{
    AnimationDecoder, DynamicImage, Frame, ImageDecoder, Limits,
    codecs::gif::{GifDecoder, GifEncoder, Repeat},
    metadata::LoopCount,
};

use super::{GIF_SPEED, Measured, Plan, Refused, Size, pad, resize};

/// The most frames of a picture that goes on moving.
pub const FRAMES_MAX: u64 = 500;
/// The most pixels that all its frames have together.
pub const FRAMES_PIXELS_MAX: u64 = 40_000_000;
/// The most pixels that all frames made of them have together: picking their colours takes longer than reading them.
pub const MADE_FRAMES_PIXELS_MAX: u64 = 10_000_000;
/// The memory for what is decoded, in canvasses: what is shown, what is read, and what is made of both.
const CANVASSES_MAX: u64 = 3;

/// The picture of these bytes in its new shape, if it moves and can go on moving.
///
/// # Errors
/// [`Refused`] when its first frame is broken. One that breaks off later moves until there.
pub(super) fn animate(bytes: &[u8], measured: &Measured, plan: &Plan) -> Result<Option<Vec<u8>>, Refused> {
    let frames_max = frames_max(measured.size, plan.canvas);
    if frames_max < 2 {
        return Ok(None);
    }
    let mut decoder = GifDecoder::new(Cursor::new(bytes))?;
    let mut limits = Limits::default();
    // A frame may say that it is larger than the picture: then it is not read.
    limits.max_alloc = Some(CANVASSES_MAX * measured.decoded_bytes);
    decoder.set_limits(limits)?;
    let repeat = match decoder.loop_count() {
        LoopCount::Infinite => Repeat::Infinite,
        LoopCount::Finite(times) => Repeat::Finite(u16::try_from(times.get()).unwrap_or(u16::MAX)),
    };
    let mut made = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut made, GIF_SPEED);
    encoder.set_repeat(repeat)?;
    let mut count = 0;
    for frame in decoder.into_frames() {
        let frame = match frame {
            Ok(frame) => frame,
            Err(_) if count > 0 => break,
            Err(error) => return Err(error.into()),
        };
        if count == frames_max {
            return Ok(None);
        }
        count += 1;
        let delay = frame.delay();
        let picture = pad(resize(&DynamicImage::ImageRgba8(frame.into_buffer()), plan)?, plan, measured.format);
        encoder.encode_frame(Frame::from_parts(picture.into_rgba8(), 0, 0, delay))?;
    }
    drop(encoder);
    Ok((count > 1).then_some(made))
}

/// How many frames of this size can be made into frames of that one.
pub(super) fn frames_max(from: Size, into: Size) -> u64 {
    FRAMES_MAX.min(FRAMES_PIXELS_MAX / from.pixels()).min(MADE_FRAMES_PIXELS_MAX / into.pixels())
}
