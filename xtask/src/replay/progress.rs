//! Progress: a bar on a terminal, a line now and then anywhere else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How far a long job has come.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    label: &'static str,
    total: usize,
    done: usize,
}

impl Progress {
    pub(crate) fn new(label: &'static str, total: usize) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {per_sec} {eta}");
            let bar = ProgressBar::new(total as u64).with_message(label);
            style.map_or(bar.clone(), |style| bar.with_style(style))
        });
        Self { bar, label, total, done: 0 }
    }

    pub(crate) fn advance(&mut self, by: usize) {
        let tenth = |done: usize| done * 10 / self.total.max(1);
        let is_new_tenth = tenth(self.done + by) > tenth(self.done);
        self.done += by;
        match &self.bar {
            Some(bar) => bar.inc(by as u64),
            None if is_new_tenth => eprintln!("{}: {} of {}", self.label, self.done, self.total),
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Prints what was done, and how fast.
pub(crate) fn report(what: &str, count: usize, unit: &str, took: Duration) {
    let seconds = took.as_secs_f64().max(0.001);
    println!("{what} {count} {unit} in {seconds:.1} s, {:.0} a second", count as f64 / seconds);
}
