//! What the run is doing now, on standard error: a line that changes on a terminal, lines that stay elsewhere.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressStyle};

/// Where progress goes.
///
/// It is drawn only when the run says something, never by a timer: the client's core is busy.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    is_silent: bool,
}

impl Progress {
    /// Progress of `steps` rows.
    pub(crate) fn new(steps: usize) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("[{elapsed_precise}] {bar:20} {pos}/{len} {wide_msg}");
            let bar = ProgressBar::new(steps as u64);
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        Self { bar, is_silent: false }
    }

    /// Says nothing.
    #[cfg(test)]
    pub(crate) fn silent() -> Self {
        Self { bar: None, is_silent: true }
    }

    /// What is being done; replaced by the next.
    pub(crate) fn now(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(what.to_owned()),
            None => self.say(what),
        }
    }

    /// Something to keep on the screen.
    pub(crate) fn say(&self, what: &str) {
        match &self.bar {
            Some(bar) => bar.println(what),
            None if self.is_silent => {}
            None => eprintln!("{what}"),
        }
    }

    /// A row is done.
    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// All is done.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
