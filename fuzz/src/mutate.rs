//! Inputs changed at random, the same for the same seed.

/// The longest input that is made.
const BYTES_MAX: usize = 4096;
/// The most changes of one input.
const CHANGES_MAX: u64 = 8;

/// Dice that fall the same way each time (splitmix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as `seed` says.
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// `input` with a few changes: bytes turned, put in, cut out or doubled, words put in, a piece of `other` put in.
pub fn changed(input: &[u8], other: &[u8], words: &[&str], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.next() % CHANGES_MAX {
        let at = dice.below(bytes.len() + 1);
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.insert(at, dice.next() as u8),
            2 => drop(bytes.drain(at..end_of_piece(at, bytes.len(), dice))),
            3 => {
                let piece = bytes[at..end_of_piece(at, bytes.len(), dice)].to_vec();
                bytes.splice(at..at, piece);
            }
            4 if !words.is_empty() => drop(bytes.splice(at..at, words[dice.below(words.len())].bytes())),
            _ => {
                let from = dice.below(other.len() + 1);
                bytes.splice(at..at, other[from..end_of_piece(from, other.len(), dice)].iter().copied());
            }
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn end_of_piece(start: usize, len: usize, dice: &mut Dice) -> usize {
    let longest = (len - start).min(1 << dice.below(7));
    start + dice.below(longest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_inputs_and_another_seed_others() {
        let make = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| changed(b"some input", b"another", &["word"], &mut dice)).collect::<Vec<_>>()
        };
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
    }

    #[test]
    fn nothing_can_be_changed_too() {
        let mut dice = Dice::new(7);
        for _ in 0..1000 {
            changed(b"", b"", &[], &mut dice);
        }
    }

    #[test]
    fn an_input_stays_within_its_bound() {
        let (long, mut dice) = (vec![b'x'; BYTES_MAX], Dice::new(3));
        assert!((0..200).all(|_| changed(&long, &long, &["word"], &mut dice).len() <= BYTES_MAX));
    }
}
