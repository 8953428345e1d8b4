//! Pictures of strangers in another shape (feeds-v1 §5.13): a picture of that shape comes out, or it is refused.
//!
//! An input is a line of width, height, `resize` and `crop`, and then the picture's bytes.

use server::images::{self, Shape};

use crate::Target;

/// The longest side that is asked for: how large pictures are made is not what is looked at.
const SIDE_MAX: u32 = 64;

/// The target.
pub const TARGET: Target = Target {
    name: "images",
    about: "pictures of strangers, measured and made anew in another shape",
    words: &[
        "\u{89}PNG",
        "IHDR",
        "IDAT",
        "IEND",
        "GIF89a",
        "GIF87a",
        "RIFF",
        "WEBPVP8 ",
        "WEBPVP8L",
        "WEBPVP8X",
        "JFIF",
        "Exif",
        "clip",
        "crop",
        "scale",
        "fill",
        "left,top",
    ],
    changed_seeds: 400,
    run,
};

fn run(input: &[u8]) {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(line), bytes) = (std::str::from_utf8(&input[..end]), &input[end + 1..]) else { return };
    let mut words = line.split(' ').map(|word| Some(word).filter(|word| !word.is_empty()));
    let mut next = || words.next().flatten();
    let [w, h, resize, crop] = [next(), next(), next(), next()];
    let measured = images::measure(bytes).ok();
    let Ok(shape) = Shape::parse(w, h, resize, crop) else { return };
    if [w, h].into_iter().flatten().any(|side| side.parse::<f64>().is_ok_and(|side| side > f64::from(SIDE_MAX))) {
        return;
    }
    let Ok(picture) = images::process(bytes, &shape) else { return };
    assert!(measured.is_some(), "a picture that cannot be measured is made anew");
    let made = images::measure(&picture.bytes).expect("what was made is a picture");
    assert!(made.size.width.max(made.size.height) <= images::SIDE_MAX, "it is larger than anybody may ask for");
}
