//! The same targets driven by libFuzzer; `MILLPOND_FUZZ_TARGET` names the one.

#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("MILLPOND_FUZZ_TARGET").unwrap_or_default();
    fuzz::target(&name).unwrap_or_else(|| panic!("no target `{name}`"))
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| (TARGET.run)(input));
