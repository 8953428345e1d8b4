//! The signature of the archive as a whole: it is the archive's comment, which is the last thing in the file.
//!
//! The manifest signs what is in the files. An archive has more bytes than that: headers that are written twice, padding
//! between bits, gaps that no reader looks at. Whoever checks them field by field forgets one; a signature forgets none,
//! and holds whatever library wrote the archive.
//!
//! **Invariant:** every byte before the signature is signed, the length of the comment too, so nothing can follow it.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::signing::{self, Fingerprint, Signer};

/// What stands before the signature.
const TAG: &str = "millpond.privacy.archive/1 ";
/// An Ed25519 signature in base64.
const SIGNATURE_BYTES: usize = 88;
const COMMENT_BYTES: u16 = (TAG.len() + SIGNATURE_BYTES) as u16;
/// An archive without a comment ends with its length, in this many bytes.
const LENGTH_BYTES: usize = 2;

/// Takes an archive and puts its signature at the end.
pub(super) struct Sealed<W: Write> {
    out: W,
    hash: Fingerprint,
    /// The last bytes so far: in the end, the length of the comment that the archive does not have yet.
    held: Vec<u8>,
}

fn statement(hash: Fingerprint) -> String {
    format!("{TAG}{}", hash.finish())
}

impl<W: Write> Sealed<W> {
    pub(super) fn new(out: W) -> Self {
        Sealed { out, hash: Fingerprint::default(), held: Vec::new() }
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.out.write_all(bytes)
    }

    /// Gives the archive its comment.
    pub(super) fn finish(mut self, signer: &Signer) -> io::Result<W> {
        if self.held != [0; LENGTH_BYTES] {
            return Err(io::Error::other("the archive has a comment already"));
        }
        self.pass(&COMMENT_BYTES.to_le_bytes())?;
        self.pass(TAG.as_bytes())?;
        let signature = signer.sign(statement(self.hash).as_bytes());
        self.out.write_all(signature.as_bytes())?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let kept = bytes.len().min(LENGTH_BYTES);
        let (now, later) = bytes.split_at(bytes.len() - kept);
        let free = (self.held.len() + kept).saturating_sub(LENGTH_BYTES);
        let held: Vec<u8> = self.held.drain(..free).collect();
        self.pass(&held)?;
        self.pass(now)?;
        self.held.extend_from_slice(later);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether the archive is, byte for byte, what was signed with the key that `public_key` belongs to.
pub(super) fn verify(mut archive: impl Read + Seek, public_key: &str) -> io::Result<bool> {
    let length = archive.seek(SeekFrom::End(0))?;
    let Some(signed) = length.checked_sub(SIGNATURE_BYTES as u64) else { return Ok(false) };
    archive.rewind()?;
    let mut hash = Fingerprint::default();
    let mut buffer = vec![0; 64 << 10];
    let mut rest = archive.by_ref().take(signed);
    loop {
        let count = rest.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    let mut signature = Vec::new();
    archive.take(SIGNATURE_BYTES as u64).read_to_end(&mut signature)?;
    let signature = String::from_utf8(signature).unwrap_or_default();
    Ok(signing::verify(statement(hash).as_bytes(), &signature, public_key))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn sealed(pieces: &[&[u8]]) -> (Vec<u8>, String) {
        let signer = Signer::of_seed(&[7; 32]);
        let mut out = Sealed::new(Vec::new());
        for piece in pieces {
            out.write_all(piece).unwrap();
        }
        (out.finish(&signer).unwrap(), signer.public_key())
    }

    #[test]
    fn an_archive_is_the_same_however_it_was_written() {
        let (whole, key) = sealed(&[b"archive\0\0"]);
        for sizes in [&[4, 4, 1][..], &[7, 2], &[1, 0, 8], &[9]] {
            let mut rest = &b"archive\0\0"[..];
            let pieces = sizes.iter().map(|size| rest.split_off(..*size).unwrap());
            assert_eq!(sealed(&pieces.collect::<Vec<_>>()).0, whole);
        }
        assert!(verify(Cursor::new(&whole), &key).unwrap());
    }

    #[test]
    fn nothing_may_be_before_or_after_and_nothing_may_be_missing() {
        let (whole, key) = sealed(&[b"archive\0\0"]);
        let longer = [&whole[..], b"x"].concat();
        let shifted = [b"x", &whole[..]].concat();
        for other in [&longer[..], &shifted, &whole[1..], &whole[..whole.len() - 1], &whole[..10], b""] {
            assert!(!verify(Cursor::new(other), &key).unwrap(), "{other:?}");
        }
    }
}
