//! Pictures in another shape: measured, decoded, cut, scaled and encoded again (feeds-v1 §5.13, chat §11.10).
//!
//! Whoever uploads a picture may mean harm, so what it says of its own size is held against limits before a pixel of it is
//! decoded. A GIF that moves goes on moving, within bounds; of other formats only the first frame is ever looked at, whatever
//! their number. What cameras write beside the pixels (where, when, with what) is not in the new picture; how they were held is
//! applied to it.

mod animation;
mod shape;

use std::io::Cursor;

use fast_image_resize::{
    PixelTrait, ResizeOptions, Resizer,
    images::{TypedImage, TypedImageRef},
    pixels::{U8x3, U8x4},
};
use image::{
    DynamicImage, Frame, ImageBuffer, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, Pixel, Rgb, RgbImage,
    RgbaImage,
    codecs::{gif::GifEncoder, jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    imageops,
};

pub use animation::{FRAMES_MAX, FRAMES_PIXELS_MAX, MADE_FRAMES_PIXELS_MAX};
pub use shape::{Crop, Edge, Part, Plan, Resize, SIDE_MAX, Shape, Size, Wrong};

/// The most bytes of a picture that is taken up.
pub const BYTES_MAX: u64 = 32 << 20;
/// The most pixels of a picture that is decoded: a good camera's.
pub const PIXELS_MAX: u64 = 40_000_000;
/// The longest side of a picture that is decoded.
pub const SOURCE_SIDE_MAX: u32 = 30_000;
/// The most bytes of a picture that is decoded, in memory: deep colours take more than others.
const DECODED_BYTES_MAX: u64 = 384 << 20;
/// The most bytes that a decoder may take for itself beside that.
const DECODER_BYTES_MAX: u64 = 192 << 20;
/// The same of PNG, which needs a few rows, and would unpack a profile of colours up to this size just to measure it.
const PNG_DECODER_BYTES_MAX: u64 = 8 << 20;
/// How good JPEG pictures are, of 100.
const JPEG_QUALITY: u8 = 85;
/// How fast colours are picked for GIF pictures, of 30: the slowest are the best.
const GIF_SPEED: i32 = 10;

/// The formats that can be decoded, with their types.
const FORMATS: [(ImageFormat, &str); 4] = [
    (ImageFormat::Png, "image/png"),
    (ImageFormat::Jpeg, "image/jpeg"),
    (ImageFormat::Gif, "image/gif"),
    (ImageFormat::WebP, "image/webp"),
];

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It is none, or of a format that is not known here.
    #[error("the file is no picture of a kind that can be processed: png, jpeg, gif or webp")]
    Unknown,
    /// It is larger than what is decoded.
    #[error("the picture of {width} × {height} pixels is too large to be processed")]
    TooLarge {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// It has more bytes than [`BYTES_MAX`].
    #[error("the picture of {0} bytes is too large to be processed")]
    TooLong(u64),
    /// It breaks off, or is no picture after its first bytes.
    #[error("the picture is broken: {0}")]
    Broken(String),
}

impl From<ImageError> for Refused {
    fn from(error: ImageError) -> Self {
        Refused::Broken(error.to_string())
    }
}

/// A picture, encoded.
#[derive(Debug)]
pub struct Picture {
    /// Its type, that of the picture it was made from.
    pub mime_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// What a picture says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// How large it is, as it is shown.
    pub size: Size,
    /// How many bytes it has when it is decoded.
    pub decoded_bytes: u64,
    format: ImageFormat,
}

/// Reads how large the picture is whose first bytes these are, and refuses it if it is too large to be decoded.
///
/// # Errors
/// [`Refused`], after a look at its head alone.
pub fn measure(head: &[u8]) -> Result<Measured, Refused> {
    let (mut decoder, format) = decoder(head)?;
    let (width, height) = decoder.dimensions();
    let decoded_bytes = decoder.total_bytes();
    let is_too_large = width.max(height) > SOURCE_SIDE_MAX
        || u64::from(width) * u64::from(height) > PIXELS_MAX
        || decoded_bytes > DECODED_BYTES_MAX;
    if is_too_large {
        return Err(Refused::TooLarge { width, height });
    }
    let is_turned = decoder.orientation().is_ok_and(is_turned);
    let (width, height) = if is_turned { (height, width) } else { (width, height) };
    Ok(Measured { size: Size::new(width, height).ok_or(Refused::Unknown)?, decoded_bytes, format })
}

/// Makes the picture of these bytes anew in another shape, in its own format.
///
/// It takes its time: not for a thread that somebody waits for.
///
/// # Errors
/// [`Refused`]; one that is too large before anything of it is decoded.
pub fn process(bytes: &[u8], shape: &Shape) -> Result<Picture, Refused> {
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Refused::TooLong(bytes.len() as u64));
    }
    let measured = measure(bytes)?;
    if measured.format == ImageFormat::Gif
        && let Some(bytes) = animation::animate(bytes, &measured, &shape.plan(measured.size))?
    {
        return Ok(Picture { mime_type: mime_type(measured.format), bytes });
    }
    let picture = decode(bytes)?;
    // What was read of it is what was said of it, or it is not the picture that was measured.
    let size = Size::new(picture.width(), picture.height()).filter(|size| *size == measured.size);
    let plan = shape.plan(size.ok_or_else(|| Refused::Broken("its size is not what it says".to_owned()))?);
    encode(pad(resize(&picture, &plan)?, &plan, measured.format), measured.format)
}

/// How large a picture becomes in memory while it is processed, in bytes.
pub fn cost(measured: &Measured, shape: &Shape) -> u64 {
    let made = shape.plan(measured.size).canvas.pixels() * 4;
    // One that moves needs what is shown, what is read and what is made of both.
    let times = if measured.format == ImageFormat::Gif { 3 } else { 2 };
    times * (measured.decoded_bytes + made)
}

fn decoder(bytes: &[u8]) -> Result<(impl ImageDecoder + '_, ImageFormat), Refused> {
    let format = image::guess_format(bytes).map_err(|_| Refused::Unknown)?;
    if !FORMATS.iter().any(|(known, _)| *known == format) {
        return Err(Refused::Unknown);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(if format == ImageFormat::Png { PNG_DECODER_BYTES_MAX } else { DECODER_BYTES_MAX });
    // The decoder's own limits come into play after its size was looked at here, which says more in its error.
    reader.limits(limits);
    Ok((reader.into_decoder()?, format))
}

fn is_turned(orientation: image::metadata::Orientation) -> bool {
    use image::metadata::Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

/// The picture as it is shown, with eight bits for each colour.
fn decode(bytes: &[u8]) -> Result<DynamicImage, Refused> {
    let (mut decoder, _) = decoder(bytes)?;
    let orientation = decoder.orientation();
    let mut picture = DynamicImage::from_decoder(decoder)?;
    if let Ok(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Ok(match picture.has_alpha() {
        true => DynamicImage::ImageRgba8(picture.into_rgba8()),
        false => DynamicImage::ImageRgb8(picture.into_rgb8()),
    })
}

fn resize(picture: &DynamicImage, plan: &Plan) -> Result<DynamicImage, Refused> {
    Ok(match picture {
        DynamicImage::ImageRgba8(picture) => DynamicImage::ImageRgba8(resized::<U8x4, _>(picture, plan)?),
        other => DynamicImage::ImageRgb8(resized::<U8x3, _>(&other.to_rgb8(), plan)?),
    })
}

/// The same of pixels whose kind is known: with every kind that there is, the code is ten times as long.
fn resized<P, C>(picture: &ImageBuffer<C, Vec<u8>>, plan: &Plan) -> Result<ImageBuffer<C, Vec<u8>>, Refused>
where
    P: PixelTrait,
    C: Pixel<Subpixel = u8>,
{
    let broken = |error: &dyn std::error::Error| Refused::Broken(error.to_string());
    let mut made = ImageBuffer::<C, _>::new(plan.scaled.width, plan.scaled.height);
    let (width, height) = picture.dimensions();
    let from = TypedImageRef::<P>::from_buffer(width, height, picture.as_raw()).map_err(|error| broken(&error))?;
    let (width, height) = made.dimensions();
    let mut into = TypedImage::<P>::from_buffer(width, height, &mut made).map_err(|error| broken(&error))?;
    let Part { left, top, width, height } = plan.part;
    let options = ResizeOptions::new().crop(left, top, width, height);
    Resizer::new().resize_typed(&from, &mut into, &options).map_err(|error| broken(&error))?;
    Ok(made)
}

/// Puts the picture in the middle of its canvas: a white one where there is no other way to see through it.
fn pad(picture: DynamicImage, plan: &Plan, format: ImageFormat) -> DynamicImage {
    let Size { width, height } = plan.canvas;
    if plan.canvas == plan.scaled {
        return picture;
    }
    let (left, top) = (i64::from(width - plan.scaled.width) / 2, i64::from(height - plan.scaled.height) / 2);
    if format == ImageFormat::Jpeg {
        let mut canvas = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        imageops::replace(&mut canvas, &picture.into_rgb8(), left, top);
        return DynamicImage::ImageRgb8(canvas);
    }
    let mut canvas = RgbaImage::new(width, height);
    imageops::replace(&mut canvas, &picture.into_rgba8(), left, top);
    DynamicImage::ImageRgba8(canvas)
}

fn encode(picture: DynamicImage, format: ImageFormat) -> Result<Picture, Refused> {
    let mut bytes = Vec::new();
    match format {
        ImageFormat::Jpeg => {
            DynamicImage::ImageRgb8(picture.into_rgb8())
                .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
        }
        ImageFormat::Gif => {
            GifEncoder::new_with_speed(&mut bytes, GIF_SPEED).encode_frame(Frame::new(picture.into_rgba8()))?;
        }
        ImageFormat::WebP => picture.write_with_encoder(WebPEncoder::new_lossless(&mut bytes))?,
        _ => picture.write_with_encoder(PngEncoder::new(&mut bytes))?,
    }
    Ok(Picture { mime_type: mime_type(format), bytes })
}

fn mime_type(format: ImageFormat) -> &'static str {
    let known = FORMATS.iter().find(|(known, _)| *known == format);
    known.expect("other formats were refused").1
}

#[cfg(test)]
mod tests;
