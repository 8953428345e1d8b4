//! Pictures (feeds-v1 §5.13): whatever the bytes, a picture of the shape that was asked for is made, or it is refused.
//!
//! An input is `w`, `h`, `resize` and `crop` with spaces between them, `-` for what is absent; the end of the line; and the bytes
//! of a picture.

use images::{Shape, measure, process};

use crate::Target;

/// Pictures with more pixels than that are only measured: a run is to be short.
const PIXELS_MAX: u64 = 40_000;

/// The target.
pub const TARGET: Target = Target {
    name: "images",
    about: "pictures that are made anew in another shape",
    words: &[
        "8 8 clip -",
        "300 - crop top,left",
        "- 7 fill -",
        "5 400 scale -",
        "IHDR",
        "PLTE",
        "IDAT",
        "tRNS",
        "acTL",
        "iCCP",
        "eXIf",
        "GIF89a",
        "NETSCAPE2.0",
        "\u{21}\u{f9}\u{4}",
        "\u{2c}",
        "RIFF",
        "WEBPVP8 ",
        "VP8L",
        "VP8X",
        "ALPH",
        "ANMF",
        "Exif\0\0MM\0*",
        "JFIF",
        "Adobe",
    ],
    changed_seeds: 6000,
    run,
};

fn run(input: &[u8]) {
    let Some((words, bytes)) = super::line_and_rest(input) else { return };
    let mut words = words.split(' ').map(|word| (word != "-" && !word.is_empty()).then_some(word));
    let mut word = || words.next().flatten();
    let Ok(shape) = Shape::parse(word(), word(), word(), word()) else { return };
    let Ok(measured) = measure(bytes) else {
        assert!(process(bytes, &shape).is_err(), "what cannot be measured was processed");
        return;
    };
    let plan = shape.plan(measured.size);
    if measured.size.pixels().max(plan.canvas.pixels()) > PIXELS_MAX {
        return;
    }
    let Ok(made) = process(bytes, &shape) else { return };
    let again = measure(&made.bytes).expect("what was made is a picture");
    assert_eq!(again.size, plan.canvas, "the picture is not of the size that was asked for");
    process(&made.bytes, &shape).expect("what was made can be processed");
}
