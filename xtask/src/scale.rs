//! `cargo xtask scale`: the acceptance checks of the privacy connector at the contract's sizes (its §23 no. 13, 40 and 49).
//! `cargo xtask test` does the same with a fifth of the requests of no. 49, which alone takes longer than the others together.
//!
//! A release build of these tests would build every dependency once more, for their set of features. So they are built as
//! all tests are, but for the few crates of ours whose code runs here: they are optimised, which takes a minute.

use std::time::Duration;

use anyhow::Result;
use rustix::fs::statvfs;

use crate::shell;

const STEP_MAX: Duration = Duration::from_secs(30 * 60);
/// Our crates whose code the checks run, and nothing else depends on that is large.
const OPTIMISED: [&str; 2] = ["connector", "testing"];
/// How much: what waits for the build and for the checks together is least here.
const LEVEL: u8 = 1;
/// The checks, each in a small binary of its own: what is built with optimisation is little.
const CHECKS: [&str; 3] = ["batch", "memory", "scale"];
/// Where there may be memory for files: what is measured is not the disk, whose speed differs from machine to machine.
const MEMORY: &str = "/dev/shm";
/// The room that the files need, in bytes, with some to spare.
const ROOM: u64 = 4 << 30;

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scale {
    /// What a step of `cargo xtask test` has time for.
    Step,
    /// Everything.
    Full,
}

impl Scale {
    /// As the tests know it.
    fn word(self) -> &'static str {
        match self {
            Scale::Step => "step",
            Scale::Full => "full",
        }
    }
}

/// Runs the three checks.
pub(crate) async fn run(scale: Scale) -> Result<()> {
    let mut command = shell::cargo();
    for name in OPTIMISED {
        command.args(["--config", &format!("profile.dev.package.{name}.opt-level={LEVEL}")]);
    }
    command.args(["test", "--workspace", "--locked"]);
    for name in CHECKS {
        command.args(["--test", name]);
    }
    command.env("MILLPOND_SCALE", scale.word());
    if statvfs(MEMORY).is_ok_and(|files| files.f_bavail * files.f_frsize >= ROOM) {
        command.env("TMPDIR", MEMORY);
    }
    shell::run(&mut command, STEP_MAX).await
}
