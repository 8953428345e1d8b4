use image::{GenericImageView, Rgba};
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
    let query = crate::query::Query::parse(query);
    Shape::parse(query.get("w"), query.get("h"), query.get("resize"), query.get("crop"))
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
