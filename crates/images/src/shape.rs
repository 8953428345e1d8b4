//! Which shape a picture is to have, and what of it goes where (feeds-v1 §5.13).

use std::fmt;

/// The longest side that can be asked for, in pixels.
pub const SIDE_MAX: u32 = 4096;

/// How large something is, in pixels; no side is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

impl Size {
    /// A size, unless a side is 0.
    pub fn new(width: u32, height: u32) -> Option<Self> {
        (width > 0 && height > 0).then_some(Size { width, height })
    }

    /// How many pixels it has.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// How a picture becomes another size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resize {
    /// It is scaled to fit into the size: one side may be shorter.
    Clip,
    /// It is scaled to cover the size, and what stands over is cut off.
    Crop,
    /// It is scaled to the size, whatever becomes of its proportions.
    Scale,
    /// It is scaled to fit into the size, and the rest is filled up.
    Fill,
}

impl Resize {
    pub(super) const NAMES: [(&str, Resize); 4] =
        [("clip", Resize::Clip), ("crop", Resize::Crop), ("scale", Resize::Scale), ("fill", Resize::Fill)];
}

/// Where on an axis what is kept lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edge {
    /// At the left, or at the top.
    Start,
    /// In the middle.
    Middle,
    /// At the right, or at the bottom.
    End,
}

impl Edge {
    /// Two opposite edges meet in the middle.
    fn of(start: bool, end: bool) -> Self {
        match (start, end) {
            (true, false) => Edge::Start,
            (false, true) => Edge::End,
            _ => Edge::Middle,
        }
    }

    /// How much of what is cut off lies before what is kept.
    fn before(self) -> f64 {
        match self {
            Edge::Start => 0.0,
            Edge::Middle => 0.5,
            Edge::End => 1.0,
        }
    }
}

/// What is kept of a picture that is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crop {
    /// From left to right.
    pub x: Edge,
    /// From top to bottom.
    pub y: Edge,
}

/// The shape that somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    width: Option<u32>,
    height: Option<u32>,
    resize: Resize,
    crop: Crop,
}

/// A parameter that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub field: &'static str,
    /// The rule.
    pub rule: String,
}

/// A part of a picture, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// How far from the left.
    pub left: f64,
    /// How far from the top.
    pub top: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

/// What of a picture goes where.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// What of it is used.
    pub part: Part,
    /// How large that becomes.
    pub scaled: Size,
    /// How large the new picture is, in whose middle it stands.
    pub canvas: Size,
}

impl Shape {
    /// Reads the parameters `w`, `h`, `resize` and `crop`.
    ///
    /// # Errors
    /// The first that breaks a rule. One of `w` and `h` must be there.
    pub fn parse(w: Option<&str>, h: Option<&str>, resize: Option<&str>, crop: Option<&str>) -> Result<Self, Wrong> {
        let (width, height) = (side("w", w)?, side("h", h)?);
        if width.or(height).is_none() {
            return Err(Wrong { field: "w", rule: "w, h or both are required".to_owned() });
        }
        let resize = match resize {
            None => Resize::Clip,
            Some(name) => {
                let known = Resize::NAMES.iter().find(|(known, _)| *known == name).map(|(_, resize)| *resize);
                known.ok_or_else(|| Wrong { field: "resize", rule: "must be clip, crop, scale or fill".to_owned() })?
            }
        };
        Ok(Shape { width, height, resize, crop: gravity(crop.unwrap_or("center"))? })
    }

    /// A picture that fits into a square.
    pub fn thumbnail(side: u32) -> Self {
        let crop = Crop { x: Edge::Middle, y: Edge::Middle };
        Shape { width: Some(side), height: Some(side), resize: Resize::Clip, crop }
    }

    /// What of a picture of the size `source` goes where.
    pub fn plan(&self, source: Size) -> Plan {
        let wanted = self.wanted(source);
        let (width, height) = (f64::from(source.width), f64::from(source.height));
        let (over, up) = (f64::from(wanted.width) / width, f64::from(wanted.height) / height);
        let whole = Part { left: 0.0, top: 0.0, width, height };
        match self.resize {
            Resize::Scale => Plan { part: whole, scaled: wanted, canvas: wanted },
            Resize::Clip => {
                let scaled = scaled(source, over.min(up), wanted);
                Plan { part: whole, scaled, canvas: scaled }
            }
            Resize::Fill => Plan { part: whole, scaled: scaled(source, over.min(up), wanted), canvas: wanted },
            Resize::Crop => {
                let by = over.max(up);
                let kept = |wanted: u32, side: f64| sharp((f64::from(wanted) / by).min(side)).max(GRAIN);
                let (part_width, part_height) = (kept(wanted.width, width), kept(wanted.height, height));
                let left = sharp((width - part_width) * self.crop.x.before());
                let top = sharp((height - part_height) * self.crop.y.before());
                Plan {
                    part: Part { left, top, width: part_width, height: part_height },
                    scaled: wanted,
                    canvas: wanted,
                }
            }
        }
    }

    /// The size that is wanted; a side that nobody named keeps the proportions.
    fn wanted(&self, source: Size) -> Size {
        let (width, height) = (f64::from(source.width), f64::from(source.height));
        match (self.width, self.height) {
            (Some(width), Some(height)) => Size { width, height },
            (Some(wanted), None) => Size { width: wanted, height: rounded(height * f64::from(wanted) / width) },
            (None, Some(wanted)) => Size { width: rounded(width * f64::from(wanted) / height), height: wanted },
            (None, None) => source,
        }
    }
}

/// The parameters as a part of a URL: the same for the same shape.
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, side) in [("w", self.width), ("h", self.height)] {
            if let Some(side) = side {
                write!(f, "{name}={side}&")?;
            }
        }
        let resize = Resize::NAMES.iter().find(|(_, resize)| *resize == self.resize).map(|(name, _)| *name);
        write!(f, "resize={}", resize.expect("every way has a name"))?;
        if self.resize != Resize::Crop {
            return Ok(());
        }
        let x = match self.crop.x {
            Edge::Start => "left",
            Edge::Middle => "center",
            Edge::End => "right",
        };
        let y = match self.crop.y {
            Edge::Start => "top",
            Edge::Middle => "center",
            Edge::End => "bottom",
        };
        write!(f, "&crop={y},{x}")
    }
}

fn side(field: &'static str, text: Option<&str>) -> Result<Option<u32>, Wrong> {
    let rule = || Wrong { field, rule: format!("must be a whole number from 1 to {SIDE_MAX}") };
    let Some(text) = text else { return Ok(None) };
    let side: u32 = text.parse().map_err(|_| rule())?;
    if (1..=SIDE_MAX).contains(&side) { Ok(Some(side)) } else { Err(rule()) }
}

fn gravity(text: &str) -> Result<Crop, Wrong> {
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_known = |name: &&str| ["top", "bottom", "left", "right", "center"].contains(name);
    if !names.iter().all(is_known) {
        let rule = "must be some of top, bottom, left, right and center, separated by commas";
        return Err(Wrong { field: "crop", rule: rule.to_owned() });
    }
    let has = |name: &str| names.contains(&name);
    Ok(Crop { x: Edge::of(has("left"), has("right")), y: Edge::of(has("top"), has("bottom")) })
}

/// `source` by a factor, inside of `bounds` whatever the rounding.
fn scaled(source: Size, by: f64, bounds: Size) -> Size {
    let side = |side: u32, bound: u32| rounded(f64::from(side) * by).min(bound);
    Size { width: side(source.width, bounds.width), height: side(source.height, bounds.height) }
}

/// Cut to so much of a pixel, so that sums are exact and no part is a hair larger than its picture.
const GRAIN: f64 = 1.0 / 256.0;

fn sharp(length: f64) -> f64 {
    (length / GRAIN).floor() * GRAIN
}

fn rounded(side: f64) -> u32 {
    // A number is cut at the ends of what the type holds.
    (side.round() as u32).clamp(1, SIDE_MAX)
}
