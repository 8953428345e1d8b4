use image::{
    AnimationDecoder, Delay, GenericImageView, ImageEncoder, Rgba,
    codecs::gif::{GifDecoder, Repeat},
    metadata::LoopCount,
};
use proptest::prelude::*;

use super::*;

/// A picture whose left half is red and whose right half is blue, with a green top row.
fn picture(width: u32, height: u32) -> DynamicImage {
    let pixel = |x: u32, y: u32| match (y, x < width / 2) {
        (0, _) => Rgba([0, 255, 0, 255]),
        (_, true) => Rgba([255, 0, 0, 255]),
        (_, false) => Rgba([0, 0, 255, 255]),
    };
    DynamicImage::ImageRgba8(RgbaImage::from_fn(width, height, pixel))
}

fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
    encode(picture(width, height), format).unwrap().bytes
}

fn shape(query: &str) -> Result<Shape, Wrong> {
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    let value = |name| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref());
    Shape::parse(value("w"), value("h"), value("resize"), value("crop"))
}

fn made(format: ImageFormat, query: &str) -> DynamicImage {
    let picture = process(&encoded(format, 200, 100), &shape(query).unwrap()).unwrap();
    assert_eq!(picture.mime_type, FORMATS.iter().find(|(known, _)| *known == format).unwrap().1);
    image::load_from_memory(&picture.bytes).unwrap()
}

fn size(query: &str) -> (u32, u32) {
    made(ImageFormat::Png, query).dimensions()
}

fn colour(picture: &DynamicImage, x: u32, y: u32) -> &'static str {
    match picture.get_pixel(x, y).0 {
        [_, _, _, 0] => "none",
        [200..=255, 0..=50, 0..=50, _] => "red",
        [0..=50, 0..=50, 200..=255, _] => "blue",
        [0..=50, 200..=255, 0..=50, _] => "green",
        [200..=255, 200..=255, 200..=255, _] => "white",
        _ => "mixed",
    }
}

#[test]
fn each_way_to_resize_has_its_own_size() {
    for (query, expected) in [
        ("w=50&h=50", (50, 25)),
        ("w=50&h=50&resize=clip", (50, 25)),
        ("w=50&h=50&resize=crop", (50, 50)),
        ("w=50&h=50&resize=scale", (50, 50)),
        ("w=50&h=50&resize=fill", (50, 50)),
        ("w=50", (50, 25)),
        ("h=50&resize=crop", (100, 50)),
        ("w=400&h=400", (400, 200)),
        ("w=1&h=1&resize=clip", (1, 1)),
    ] {
        assert_eq!(size(query), expected, "{query}");
    }
}

#[test]
fn each_format_stays_itself() {
    for (format, _) in FORMATS {
        assert_eq!(made(format, "w=20&h=20&resize=crop").dimensions(), (20, 20), "{format:?}");
    }
}

#[test]
fn what_is_kept_of_a_cut_picture_lies_where_it_was_asked_for() {
    let at = |crop: &str, x: u32, y: u32| {
        colour(&made(ImageFormat::Png, &format!("w=20&h=20&resize=crop&crop={crop}")), x, y)
    };
    assert_eq!((at("left", 10, 10), at("right", 10, 10)), ("red", "blue"));
    assert_eq!((at("center", 3, 10), at("center", 17, 10)), ("red", "blue"));
    assert_eq!((at("top,left", 17, 10), at("bottom,right", 3, 10)), ("red", "blue"));
    assert_eq!(at("left,right", 3, 10), "red");
}

#[test]
fn what_a_filled_picture_leaves_free_is_clear_or_white() {
    let (png, jpeg) =
        (made(ImageFormat::Png, "w=40&h=40&resize=fill"), made(ImageFormat::Jpeg, "w=40&h=40&resize=fill"));
    assert_eq!((colour(&png, 20, 2), colour(&png, 5, 20)), ("none", "red"));
    assert_eq!((colour(&jpeg, 20, 2), colour(&jpeg, 5, 20)), ("white", "red"));
}

#[test]
fn parameters_that_mean_nothing_are_refused() {
    for (query, field) in [
        ("", "w"),
        ("resize=crop", "w"),
        ("w=0&h=10", "w"),
        ("w=10&h=-1", "h"),
        ("w=4097", "w"),
        ("w=1e3", "w"),
        ("w=10&resize=stretch", "resize"),
        ("w=10&crop=middle", "crop"),
        ("w=10&crop=top,", "crop"),
    ] {
        assert_eq!(shape(query).unwrap_err().field, field, "{query}");
    }
}

#[test]
fn a_shape_is_written_in_one_way() {
    for (query, written) in [
        ("w=10&h=20", "w=10&h=20&resize=clip"),
        ("resize=clip&crop=top&h=20", "h=20&resize=clip"),
        ("w=10&resize=crop&crop=left,top", "w=10&resize=crop&crop=top,left"),
        ("w=10&resize=crop", "w=10&resize=crop&crop=center,center"),
    ] {
        let shape = shape(query).unwrap();
        assert_eq!(shape.to_string(), written);
        assert_eq!(super::tests::shape(written).unwrap().to_string(), written);
    }
}

/// A GIF of so many frames of 20 × 10 pixels, red and blue in turn, each shown for 50 ms, twice over.
fn moving(frames: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut bytes, GIF_SPEED);
    encoder.set_repeat(Repeat::Finite(2)).unwrap();
    for at in 0..frames {
        let colour = if at % 2 == 0 { Rgba([255, 0, 0, 255]) } else { Rgba([0, 0, 255, 255]) };
        let delay = Delay::from_numer_denom_ms(50, 1);
        encoder.encode_frame(Frame::from_parts(RgbaImage::from_pixel(20, 10, colour), 0, 0, delay)).unwrap();
    }
    drop(encoder);
    bytes
}

/// The frames of a GIF.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let decoder = GifDecoder::new(Cursor::new(bytes)).unwrap();
    assert!(matches!(decoder.loop_count(), LoopCount::Finite(times) if times.get() == 2));
    decoder.into_frames().collect_frames().unwrap()
}

#[test]
fn a_gif_that_moves_goes_on_moving_in_every_shape() {
    for (query, size) in [("w=10&h=10", (10, 5)), ("w=8&h=8&resize=crop", (8, 8)), ("w=12&h=12&resize=fill", (12, 12))]
    {
        let made = process(&moving(4), &shape(query).unwrap()).unwrap();
        let frames = frames(&made.bytes);
        assert_eq!((made.mime_type, frames.len()), ("image/gif", 4), "{query}");
        for (frame, expected) in frames.iter().zip(["red", "blue", "red", "blue"]) {
            let picture = DynamicImage::ImageRgba8(frame.buffer().clone());
            assert_eq!(picture.dimensions(), size, "{query}");
            assert_eq!(colour(&picture, size.0 / 2, size.1 / 2), expected, "{query}");
            assert_eq!(frame.delay(), Delay::from_numer_denom_ms(50, 1));
        }
    }
}

#[test]
fn a_gif_with_more_than_the_bounds_becomes_a_still_one() {
    let still = |bytes: &[u8], query: &str| {
        let made = process(bytes, &shape(query).unwrap()).unwrap();
        GifDecoder::new(Cursor::new(&made.bytes[..])).unwrap().into_frames().count()
    };
    let frames_max = u32::try_from(FRAMES_MAX).unwrap();
    assert_eq!(still(&moving(frames_max), "w=2"), frames_max as usize);
    assert_eq!(still(&moving(frames_max + 1), "w=2"), 1);
    assert_eq!(still(&moving(1), "w=2"), 1);
    let frames_max = |from: (u32, u32), into: (u32, u32)| {
        let size = |(width, height)| Size { width, height };
        animation::frames_max(size(from), size(into))
    };
    assert_eq!(frames_max((1, 1), (1, 1)), FRAMES_MAX);
    assert_eq!(frames_max((1000, 1000), (10, 10)), 40);
    assert_eq!(frames_max((1000, 1000), (1000, 1000)), 10);
    // One frame is none that moves.
    assert_eq!((frames_max((20, 10), (4096, 4096)), frames_max((6000, 6000), (10, 10))), (0, 1));
}

/// Where in the bytes of a GIF that [`moving`] made its frames begin.
fn beginnings(bytes: &[u8]) -> Vec<usize> {
    let begins = |part: &[u8]| part == [0x2c, 0, 0, 0, 0, 20, 0, 10, 0];
    bytes.windows(9).enumerate().filter(|(_, part)| begins(part)).map(|(at, _)| at).collect()
}

#[test]
fn a_gif_that_breaks_off_moves_until_there() {
    let bytes = moving(4);
    let made = process(&bytes[..beginnings(&bytes)[2] + 4], &shape("w=10").unwrap()).unwrap();
    assert_eq!(frames(&made.bytes).len(), 2);
}

#[test]
fn a_frame_that_says_it_is_larger_than_its_picture_is_not_read() {
    let mut bytes = moving(2);
    let second = beginnings(&bytes)[1];
    bytes[second + 5..second + 9].copy_from_slice(&[0xff; 4]);
    let made = process(&bytes, &shape("w=10").unwrap()).unwrap();
    assert_eq!(GifDecoder::new(Cursor::new(&made.bytes[..])).unwrap().into_frames().count(), 1);
}

/// A PNG that says that it has this size, and has nothing.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = encoded(ImageFormat::Png, 1, 1);
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc(&bytes[12..29]).to_be_bytes();
    bytes[29..33].copy_from_slice(&crc);
    bytes
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[test]
fn a_picture_that_says_it_is_huge_is_refused_by_its_head() {
    for (width, height) in [(30_001, 1), (1, 30_001), (7000, 7000), (u32::MAX >> 1, u32::MAX >> 1)] {
        let refused = process(&bomb(width, height), &Shape::thumbnail(10));
        assert!(matches!(refused, Err(Refused::TooLarge { .. } | Refused::Broken(_))), "{width}: {refused:?}");
    }
    let measured = measure(&bomb(6000, 6000)).unwrap();
    assert_eq!(measured.size, Size { width: 6000, height: 6000 });
    assert!(matches!(process(&bomb(6000, 6000), &Shape::thumbnail(10)), Err(Refused::Broken(_))));
}

#[test]
fn a_picture_of_any_format_that_says_it_is_huge_is_refused() {
    for (format, _) in FORMATS {
        let mut bytes = encoded(format, 8, 8);
        let at = |mark: &[u8]| bytes.windows(mark.len()).position(|part| part == mark).unwrap() + mark.len();
        let size = match format {
            ImageFormat::Png => 16..24,
            ImageFormat::Gif => 6..10,
            // Behind the length of the segment and the depth of a colour.
            ImageFormat::Jpeg => at(&[0xff, 0xc0]) + 3..at(&[0xff, 0xc0]) + 7,
            // Twice fourteen bits, behind the length of the chunk and its mark.
            _ => at(b"VP8L") + 5..at(b"VP8L") + 9,
        };
        bytes[size].fill(if format == ImageFormat::WebP { 0x0f } else { 0x7f });
        if format == ImageFormat::Png {
            let crc = crc(&bytes[12..29]).to_be_bytes();
            bytes[29..33].copy_from_slice(&crc);
        }
        let refused = process(&bytes, &Shape::thumbnail(10));
        assert!(matches!(refused, Err(Refused::TooLarge { .. } | Refused::Broken(_))), "{format:?}: {refused:?}");
    }
}

#[test]
fn a_profile_of_colours_that_becomes_too_large_is_not_unpacked() {
    let with_profile = |profile: Vec<u8>| {
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(profile).unwrap();
        picture(8, 8).write_with_encoder(encoder).unwrap();
        bytes
    };
    let unpacked = |bytes: &[u8]| decoder(bytes).unwrap().0.icc_profile().unwrap();
    let (small, large) = (with_profile(vec![7; 3000]), with_profile(vec![7; 2 * PNG_DECODER_BYTES_MAX as usize]));
    assert_eq!((unpacked(&small), unpacked(&large)), (Some(vec![7; 3000]), None));
    assert!(large.len() < 100_000 && process(&large, &Shape::thumbnail(4)).is_ok());
}

#[test]
fn a_head_is_enough_to_measure_a_picture() {
    for (format, _) in FORMATS {
        let bytes = encoded(format, 300, 200);
        let head = &bytes[..bytes.len().min(if format == ImageFormat::WebP { bytes.len() } else { 700 })];
        assert_eq!(measure(head).unwrap().size, Size { width: 300, height: 200 }, "{format:?}");
    }
}

#[test]
fn what_is_no_picture_is_refused() {
    for bytes in
        [&b""[..], b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BM......", b"\x89PNG\r\n\x1a\n"]
    {
        assert!(process(bytes, &Shape::thumbnail(10)).is_err(), "{bytes:?}");
    }
}

#[test]
fn how_a_camera_was_held_is_applied() {
    let mut jpeg = encoded(ImageFormat::Jpeg, 40, 20);
    // An EXIF segment that says only: turn it by 90°.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    jpeg.splice(2..2, exif.iter().copied());
    let made = process(&jpeg, &shape("w=10&h=10").unwrap()).unwrap();
    assert_eq!(image::load_from_memory(&made.bytes).unwrap().dimensions(), (5, 10));
    assert!(!made.bytes.windows(4).any(|part| part == b"Exif"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn no_plan_leaves_the_picture_or_what_was_asked_for(
        width in 1..=SOURCE_SIDE_MAX, height in 1..=SOURCE_SIDE_MAX,
        w in proptest::option::of(1..=SIDE_MAX), h in proptest::option::of(1..=SIDE_MAX),
        resize in 0..4_usize, crop in 0..5_usize,
    ) {
        prop_assume!(w.is_some() || h.is_some());
        let crop = ["top", "bottom", "left", "right", "center"][crop];
        let texts = (w.map(|w| w.to_string()), h.map(|h| h.to_string()));
        let shape = Shape::parse(texts.0.as_deref(), texts.1.as_deref(), Some(Resize::NAMES[resize].0), Some(crop)).unwrap();
        let Plan { part, scaled, canvas } = shape.plan(Size { width, height });
        prop_assert!(part.left >= 0.0 && part.width > 0.0 && part.left + part.width <= f64::from(width) + 1e-6);
        prop_assert!(part.top >= 0.0 && part.height > 0.0 && part.top + part.height <= f64::from(height) + 1e-6);
        prop_assert!(scaled.width >= 1 && scaled.height >= 1);
        prop_assert!(scaled.width <= canvas.width && scaled.height <= canvas.height);
        prop_assert!(canvas.width <= SIDE_MAX && canvas.height <= SIDE_MAX);
        prop_assert!(w.is_none_or(|w| canvas.width <= w) && h.is_none_or(|h| canvas.height <= h));
    }

    #[test]
    fn broken_pictures_are_refused_or_processed_and_nothing_else(
        format in 0..4_usize, at in 0..400_usize, byte: u8, cut in 0..1000_usize,
    ) {
        let mut bytes = encoded(FORMATS[format].0, 12, 9);
        let length = bytes.len();
        bytes[at % length] = byte;
        bytes.truncate(length.min(cut.max(8)));
        if let Ok(made) = process(&bytes, &Shape::thumbnail(8)) {
            prop_assert!(!made.bytes.is_empty());
        }
    }
}
