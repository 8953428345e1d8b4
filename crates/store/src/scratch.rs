//! A buffer to write keys and records into.
//!
//! Nobody knows how long they get before they are written. Written into a vector of their own they would be copied each time it
//! grows, and stay in a larger one than they need for as long as the memtable holds them.

use std::cell::Cell;

/// The largest buffer that a thread keeps for the next one, in bytes.
const KEPT_BYTES_MAX: usize = 16 * 1024;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What `write` appends to an empty buffer, in a vector that is just as long.
pub(crate) fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    // Whoever writes while another is at it finds an empty buffer, which is as good.
    let mut buffer = BUFFER.take();
    write(&mut buffer);
    let written = buffer.clone();
    if buffer.capacity() <= KEPT_BYTES_MAX {
        buffer.clear();
        BUFFER.set(buffer);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_has_its_own_length_and_nothing_of_the_one_before() {
        let long = written(|out| out.extend_from_slice(&[1; 100]));
        let (mut inner, outer) = (Vec::new(), written(|out| out.push(2)));
        assert_eq!((long.len(), long.capacity(), outer), (100, 100, vec![2]));
        let around = written(|out| {
            out.push(3);
            inner = written(|out| out.push(4));
            out.push(5);
        });
        assert_eq!((around, inner), (vec![3, 5], vec![4]));
    }
}
