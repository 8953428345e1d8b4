//! The order of a key's bytes is the order of its values, for every type of key.

use std::cmp::Reverse;
use std::fmt::Debug;

use proptest::collection::vec;
use proptest::prelude::*;
use store::{Key, Stamp, key};

fn bytes(key: &impl Key) -> Vec<u8> {
    let mut out = Vec::new();
    key.write(&mut out);
    out
}

/// Order, round trip and self-delimitation of two values of a type.
fn check<K: Key + Ord + Debug>(one: &K, two: &K) {
    assert_eq!(bytes(one).cmp(&bytes(two)), one.cmp(two), "{one:?} and {two:?}");
    let both = [bytes(one), bytes(two), vec![1, 2, 3]].concat();
    let mut input = both.as_slice();
    assert_eq!(K::read(&mut input).as_ref(), Ok(one));
    assert_eq!(K::read(&mut input).as_ref(), Ok(two));
    assert_eq!(input, [1, 2, 3]);
    if let Some(width) = K::WIDTH {
        assert_eq!(bytes(one).len(), width);
    }
    assert!(one == two || !bytes(one).starts_with(&bytes(two)));
}

/// Texts in which zeros, `FF`-like letters and shared beginnings are common.
fn any_text() -> impl Strategy<Value = String> {
    vec(prop_oneof![Just('\0'), Just('\u{1}'), Just('a'), Just('ÿ'), any::<char>()], 0..6).prop_map(String::from_iter)
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(0), Just(1), Just(0xff), any::<u8>()], 0..6)
}

macro_rules! ordered {
    ($($name:ident: $value:expr;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]
            $(#[test]
            fn $name((one, two) in ($value, $value)) {
                check(&one, &two);
                check(&Reverse(one), &Reverse(two));
            })*
        }
    };
}

ordered! {
    nothing_is_ordered: any::<()>();
    truth_values_are_ordered: any::<bool>();
    bytes_are_ordered: any::<u8>();
    short_numbers_are_ordered: any::<u16>();
    numbers_are_ordered: any::<u32>();
    long_numbers_are_ordered: any::<u64>();
    signed_numbers_are_ordered: prop_oneof![any::<i64>(), -3_i64..3];
    arrays_are_ordered: any::<[u8; 5]>();
    stamps_are_ordered: any::<u64>().prop_map(Stamp);
    texts_are_ordered: any_text();
    byte_strings_are_ordered: any_bytes();
    options_are_ordered: proptest::option::of(any_text());
    reversed_texts_are_ordered: any_text().prop_map(Reverse);
    singles_are_ordered: any_text().prop_map(|text| (text,));
    pairs_are_ordered: (any_text(), any::<bool>());
    triples_are_ordered: (any_bytes(), any_text(), -2_i64..2);
    quadruples_are_ordered: (any_text(), any::<bool>().prop_map(Reverse), any_text().prop_map(Reverse), any_bytes());
    quintuples_are_ordered: (any::<bool>(), any_text(), any::<bool>(), any_text(), 0_u8..2);
    nested_tuples_are_ordered: ((any_text(), 0_u8..2), (any_text().prop_map(Reverse), 0_u16..2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn reading_never_panics(input in vec(any::<u8>(), 0..24)) {
        let _ = <(String, Reverse<String>, i64)>::read(&mut input.as_slice());
        let _ = <(Reverse<(bool, Vec<u8>)>, Option<u8>)>::read(&mut input.as_slice());
        let _ = <([u8; 7], Stamp)>::read(&mut input.as_slice());
    }

    #[test]
    fn a_prefix_holds_exactly_what_begins_with_it(prefix in vec(prop_oneof![Just(0xff_u8), any::<u8>()], 0..4), rest in any_bytes(), other in any_bytes()) {
        let range = key::prefixed(prefix.clone());
        let inside = [prefix.clone(), rest].concat();
        prop_assert!(range.contains(&inside));
        prop_assert_eq!(range.contains(&other), other.starts_with(&prefix));
        prop_assert!(inside < key::after(inside.clone()));
    }
}

#[test]
fn texts_are_written_without_being_owned() {
    let mut out = Vec::new();
    key::text(&mut out, "a\0b");
    assert_eq!(out, bytes(&"a\0b".to_owned()));
    assert_eq!(out, [b'a', 0, 0xff, b'b', 0, 0]);
    let mut input = out.as_slice();
    assert_eq!(key::read_text(&mut input).unwrap(), "a\0b");
    assert!(input.is_empty());
}

#[test]
fn broken_keys_say_what_is_wrong() {
    let said = |input: &[u8]| String::read(&mut &*input).unwrap_err().to_string();
    assert_eq!(said(b"abc"), "corrupt bytes: a text in the key has no end");
    assert_eq!(said(b"abc\0"), "corrupt bytes: a text in the key has a bad escape");
    assert_eq!(said(b"abc\0\x07"), "corrupt bytes: a text in the key has a bad escape");
    assert_eq!(said(b"\xc3\x28\0\0"), "corrupt bytes: a text in the key is not UTF-8");
    assert_eq!(u32::read(&mut &[1, 2][..]).unwrap_err().to_string(), "corrupt bytes: the key ends too early");
    assert!(bool::read(&mut &[2][..]).is_err());
}
