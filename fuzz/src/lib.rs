//! What strangers' bytes reach, as functions of bytes: fuzz targets.
//!
//! A target is right for every input, or it panics. The tests run each on its seeds and on a bounded number of changed
//! seeds, everywhere and without a special build; `cargo xtask fuzz TARGET` lets libFuzzer, which sees what an input
//! reaches, look for as long as one likes. What it finds becomes a seed.

#![expect(clippy::unwrap_used, reason = "in what serves tests, a failure is a panic")]

pub mod mutate;
pub mod targets;

/// Something that is run on any bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name, that of the folder of its seeds too.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Words that inputs of it are made of.
    pub words: &'static [&'static str],
    /// Changed seeds that the tests run: fewer where a run is slow.
    pub changed_seeds: u32,
    /// Runs it on an input. Panics where something is wrong.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    targets::ranking::TARGET,
    targets::templates::TARGET,
    targets::filters::TARGET,
    targets::edits::TARGET,
    targets::bayeux::TARGET,
    targets::requests::TARGET,
    targets::images::TARGET,
    targets::og::TARGET,
];

/// The target of this name.
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}

/// The seeds of a target, by file name: what is interesting to begin with, and what was once found.
pub fn seeds(target: &Target) -> Vec<(String, Vec<u8>)> {
    // As cargo names it when it runs this: checkouts that share a target directory share the binary.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
    let folder = std::path::Path::new(&here).join("seeds").join(target.name);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |file: std::io::Result<std::fs::DirEntry>| {
        let file = file.unwrap();
        (file.file_name().to_string_lossy().into_owned(), std::fs::read(file.path()).unwrap())
    };
    let mut seeds: Vec<_> = files.map(read).collect();
    seeds.sort();
    seeds
}
