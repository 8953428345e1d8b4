//! Sizes as people write them: `10MiB`, `512KiB`, `1048576`.

use std::fmt;
use std::str::FromStr;

const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// A size that cannot be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("not a size; write bytes such as 10485760, or 10MiB, 512KiB, 2GiB")]
pub(crate) struct ParseError;

impl FromStr for Size {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let unit = UNITS.iter().find_map(|(name, bytes)| text.strip_suffix(name).map(|number| (number, *bytes)));
        let (number, bytes) = unit.unwrap_or((text, 1));
        let number: u64 = number.trim_end().parse().map_err(|_| ParseError)?;
        number.checked_mul(bytes).map(Size).ok_or(ParseError)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |bytes: &u64| self.0 > 0 && self.0.is_multiple_of(*bytes);
        match UNITS.iter().find(|(_, bytes)| fits(bytes)) {
            Some((name, bytes)) => write!(f, "{}{name}", self.0 / bytes),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written_alike() {
        for (text, bytes) in [("10MiB", 10 << 20), ("512KiB", 512 << 10), ("2GiB", 2 << 30), ("1000", 1000), ("0", 0)] {
            assert_eq!(text.parse::<Size>().unwrap(), Size(bytes));
            assert_eq!(Size(bytes).to_string(), text);
        }
        for text in ["", "MiB", "10MB", "-1", "99999999999GiB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
