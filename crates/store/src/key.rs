//! Keys: values written so that the order of the bytes is the order of the values.
//!
//! Every encoding is self-delimiting: no key's bytes begin another's of the same type, so tuples are their parts one
//! after the other, and a part can be a prefix to scan by. Texts and byte strings end in `00 00`; a zero byte inside
//! is written `00 FF`.

use std::cmp::Reverse;
use std::ops::Range;

use crate::error::Corrupt;
use crate::limits::KEY_BYTES_MAX;
use crate::stamp::Stamp;

/// A value that can stand in a key.
pub trait Key: Sized {
    /// The number of bytes, if every value has the same; lets [`Reverse`] read without copying the rest.
    const WIDTH: Option<usize> = None;

    /// Appends the value's bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Takes one value from the front of `input`.
    fn read(input: &mut &[u8]) -> Result<Self, Corrupt>;
}

/// Appends a text, without owning a `String`.
pub fn text(out: &mut Vec<u8>, text: &str) {
    bytes(out, text.as_bytes());
}

/// Takes a text from the front of `input`.
pub fn read_text(input: &mut &[u8]) -> Result<String, Corrupt> {
    String::from_utf8(read_bytes(input)?).map_err(|_| Corrupt::new("a text in the key is not UTF-8"))
}

/// Appends a byte string.
pub fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    let mut rest = bytes;
    while let Some(zero) = rest.iter().position(|byte| *byte == 0) {
        out.extend_from_slice(&rest[..zero]);
        out.extend_from_slice(&[0x00, 0xff]);
        rest = &rest[zero + 1..];
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(&[0x00, 0x00]);
}

/// Takes a byte string from the front of `input`.
pub fn read_bytes(input: &mut &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut out = Vec::new();
    loop {
        let zero =
            input.iter().position(|byte| *byte == 0).ok_or_else(|| Corrupt::new("a text in the key has no end"))?;
        out.extend_from_slice(&input[..zero]);
        let mark = input.get(zero + 1).copied();
        *input = input.get(zero + 2..).unwrap_or_default();
        match mark {
            Some(0x00) => return Ok(out),
            Some(0xff) => out.push(0),
            _ => return Err(Corrupt::new("a text in the key has a bad escape")),
        }
    }
}

/// Takes `N` bytes from the front of `input`.
pub fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], Corrupt> {
    let (head, rest) = input.split_first_chunk::<N>().ok_or_else(|| Corrupt::new("the key ends too early"))?;
    *input = rest;
    Ok(*head)
}

/// The smallest key after `key`: where a page that follows it begins.
pub fn after(mut key: Vec<u8>) -> Vec<u8> {
    key.push(0);
    key
}

/// The rows whose keys begin with `prefix`.
///
/// An empty prefix, or one of only `FF` bytes, reaches to the end of every key the store accepts.
pub fn prefixed(prefix: Vec<u8>) -> Range<Vec<u8>> {
    let mut end = prefix.clone();
    while end.last() == Some(&0xff) {
        end.pop();
    }
    match end.last_mut() {
        Some(last) => *last += 1,
        None => end = vec![0xff; KEY_BYTES_MAX],
    }
    prefix..end
}

impl Key for () {
    const WIDTH: Option<usize> = Some(0);

    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Result<Self, Corrupt> {
        Ok(())
    }
}

impl Key for bool {
    const WIDTH: Option<usize> = Some(1);

    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        match take::<1>(input)? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(Corrupt::new("a truth value in the key is neither 0 nor 1")),
        }
    }
}

macro_rules! unsigned_keys {
    ($($type:ty),*) => {$(
        impl Key for $type {
            const WIDTH: Option<usize> = Some(size_of::<$type>());

            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
                Ok(<$type>::from_be_bytes(take(input)?))
            }
        }
    )*};
}

unsigned_keys!(u8, u16, u32, u64);

/// Bit 63, flipped so that negative numbers come first.
const SIGN: u64 = 1 << 63;

impl Key for i64 {
    const WIDTH: Option<usize> = Some(8);

    fn write(&self, out: &mut Vec<u8>) {
        (self.cast_unsigned() ^ SIGN).write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        Ok((u64::read(input)? ^ SIGN).cast_signed())
    }
}

impl<const N: usize> Key for [u8; N] {
    const WIDTH: Option<usize> = Some(N);

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        take(input)
    }
}

impl Key for Stamp {
    const WIDTH: Option<usize> = Some(Stamp::BYTES);

    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        u64::read(input).map(Stamp)
    }
}

impl Key for String {
    fn write(&self, out: &mut Vec<u8>) {
        text(out, self);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        read_text(input)
    }
}

impl Key for Vec<u8> {
    fn write(&self, out: &mut Vec<u8>) {
        bytes(out, self);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        read_bytes(input)
    }
}

/// Absent comes before every present value.
impl<T: Key> Key for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.is_some()));
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        if bool::read(input)? { T::read(input).map(Some) } else { Ok(None) }
    }
}

/// The bytes of the value, inverted: the newest first, where `T` is a time.
impl<T: Key> Key for Reverse<T> {
    const WIDTH: Option<usize> = T::WIDTH;

    fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        self.0.write(out);
        invert(&mut out[start..]);
    }

    fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
        let mut inverted = input[..T::WIDTH.unwrap_or(input.len()).min(input.len())].to_vec();
        invert(&mut inverted);
        let mut rest = inverted.as_slice();
        let value = T::read(&mut rest)?;
        let read = inverted.len() - rest.len();
        *input = &input[read..];
        Ok(Reverse(value))
    }
}

fn invert(bytes: &mut [u8]) {
    bytes.iter_mut().for_each(|byte| *byte = !*byte);
}

/// The width of several keys, one after the other.
const fn sum(widths: &[Option<usize>]) -> Option<usize> {
    let mut total = 0;
    let mut index = 0;
    while index < widths.len() {
        match widths[index] {
            Some(width) => total += width,
            None => return None,
        }
        index += 1;
    }
    Some(total)
}

macro_rules! tuple_keys {
    ($(($($name:ident $index:tt),+)),*) => {$(
        impl<$($name: Key),+> Key for ($($name,)+) {
            const WIDTH: Option<usize> = sum(&[$($name::WIDTH),+]);

            fn write(&self, out: &mut Vec<u8>) {
                $(self.$index.write(out);)+
            }

            fn read(input: &mut &[u8]) -> Result<Self, Corrupt> {
                Ok(($($name::read(input)?,)+))
            }
        }
    )*};
}

tuple_keys!((A 0), (A 0, B 1), (A 0, B 1, C 2), (A 0, B 1, C 2, D 3), (A 0, B 1, C 2, D 3, E 4));
