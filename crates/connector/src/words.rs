//! Closed lists of words: stored as numbers, shown as the specification spells them.

/// A closed list of words.
pub(crate) trait Words: Copy + 'static {
    /// Every variant, in order.
    const WORDS: &'static [Self];

    /// The word of this one.
    fn spelled(self) -> &'static str;
}

/// Declares an enum whose variants have a stored number and a word.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $number:literal $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, minicbor::Encode, minicbor::Decode)]
        #[cbor(index_only)]
        pub enum $name {
            $($(#[$what])* #[n($number)] $variant,)+
        }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The word.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// What the word means.
            pub fn parse(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|known| known.word() == word)
            }
        }

        impl $crate::words::Words for $name {
            const WORDS: &'static [$name] = $name::ALL;

            fn spelled(self) -> &'static str {
                self.word()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

pub(crate) use words;
