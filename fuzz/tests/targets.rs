//! The targets on their seeds, and on seeds changed at random, the same ones each time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzz::{
    Target,
    mutate::{Dice, changed},
    seeds,
};

/// Runs `target`, and shows the input that it fails on.
fn run(target: &Target, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| (target.run)(input))) {
        eprintln!("{} fails on {:?}", target.name, String::from_utf8_lossy(input));
        std::panic::resume_unwind(panic);
    }
}

fn holds(name: &str) {
    let target = fuzz::target(name).expect("a target");
    let seeds = seeds(&target);
    assert!(!seeds.is_empty(), "{name} has no seeds");
    for (_, seed) in &seeds {
        run(&target, seed);
    }
    let mut dice = Dice::new(0x6d69_6c6c);
    for _ in 0..target.changed_seeds {
        let [one, other] = [dice.below(seeds.len()), dice.below(seeds.len())];
        let input = changed(&seeds[one].1, &seeds[other].1, target.words, &mut dice);
        run(&target, &input);
    }
}

#[test]
fn ranking() {
    holds("ranking");
}

#[test]
fn templates() {
    holds("templates");
}

#[test]
fn filters() {
    holds("filters");
}

#[test]
fn edits() {
    holds("edits");
}

#[test]
fn bayeux() {
    holds("bayeux");
}

#[test]
fn requests() {
    holds("requests");
}

#[test]
fn images() {
    holds("images");
}

#[test]
fn og() {
    holds("og");
}
