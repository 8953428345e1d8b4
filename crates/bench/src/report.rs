//! What a run found: lines, their verdicts, and the two forms they are printed in.

use std::fmt::Write;

use serde::Serialize;

use crate::bound::Bound;
use crate::environment::Environment;
use crate::install::Missing;
use crate::rows::Row;
use crate::stats::Spread;

/// Which way a ratio is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// Subject over other.
    Straight,
    /// Other over subject: how many times faster the subject is, of times.
    Inverse,
}

/// What the subject is compared with.
#[derive(Debug, Clone)]
enum Other {
    Nothing,
    Samples(String, Vec<f64>),
    Missing(String, String),
}

/// One comparison of a row, with a sample for each round.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    what: String,
    unit: &'static str,
    subject: Vec<f64>,
    other: Other,
    direction: Direction,
    must: Option<Bound>,
    goal: Option<Bound>,
}

impl Line {
    /// The subject's samples, a figure for each round.
    pub(crate) fn new(what: impl Into<String>, unit: &'static str, subject: &[f64]) -> Self {
        Self {
            what: what.into(),
            unit,
            subject: subject.to_vec(),
            other: Other::Nothing,
            direction: Direction::Straight,
            must: None,
            goal: None,
        }
    }

    /// Compares with `samples` of the same rounds: the ratio is subject over these.
    pub(crate) fn over(mut self, name: &str, samples: &[f64]) -> Self {
        self.other = Other::Samples(name.to_owned(), samples.to_vec());
        self
    }

    /// Compares with `samples` of the same rounds: the ratio is these over the subject.
    pub(crate) fn under(mut self, name: &str, samples: &[f64]) -> Self {
        self.direction = Direction::Inverse;
        self.over(name, samples)
    }

    /// Says that there was nothing to compare with, and why.
    pub(crate) fn missing(mut self, name: &str, missing: &Missing) -> Self {
        self.other = Other::Missing(name.to_owned(), missing.0.clone());
        self
    }

    /// What the ratio, or the value where there is none, must reach.
    pub(crate) fn must(mut self, bound: Bound) -> Self {
        self.must = Some(bound);
        self
    }

    /// What it should.
    pub(crate) fn goal(mut self, bound: Bound) -> Self {
        self.goal = Some(bound);
        self
    }

    fn ratio(&self) -> Option<Spread> {
        let Other::Samples(_, other) = &self.other else { return None };
        match self.direction {
            Direction::Straight => Spread::of_ratios(&self.subject, other),
            Direction::Inverse => Spread::of_ratios(other, &self.subject),
        }
    }

    /// What the bounds are about.
    fn judged(&self) -> Option<Spread> {
        match self.other {
            Other::Nothing => Spread::of(&self.subject),
            _ => self.ratio(),
        }
    }
}

/// How a line did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As good as it should be.
    Goal,
    /// As good as it must be.
    Must,
    /// Not as good as it must be, or should where there is no must.
    Missed,
    /// Nothing to compare with.
    PeerMissing,
    /// For information.
    NoBound,
}

impl Verdict {
    fn of(line: &Line) -> Self {
        if matches!(line.other, Other::Missing(..)) {
            return Self::PeerMissing;
        }
        let is_met = |bound: Bound| line.judged().is_some_and(|spread| bound.is_met(spread.median));
        match (line.must.map(is_met), line.goal.map(is_met)) {
            (None, None) => Self::NoBound,
            (must, Some(true)) if must != Some(false) => Self::Goal,
            (Some(true), None) => Self::Goal,
            (Some(true), Some(_)) => Self::Must,
            _ => Self::Missed,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Goal => "yes",
            Self::Must => "must",
            Self::Missed => "**no**",
            Self::PeerMissing => "peer missing",
            Self::NoBound => "—",
        }
    }
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) environment: Environment,
    pub(crate) rounds: usize,
    pub(crate) is_quick: bool,
    pub(crate) lines: Vec<Reported>,
    pub(crate) notes: Vec<String>,
}

/// A line as it is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Reported {
    row: u8,
    name: &'static str,
    row_must: &'static str,
    row_goal: &'static str,
    what: String,
    unit: &'static str,
    subject: Option<Spread>,
    subject_rounds: Vec<f64>,
    other: Option<String>,
    other_missing: Option<String>,
    other_value: Option<Spread>,
    other_rounds: Vec<f64>,
    ratio: Option<Spread>,
    must: Option<Bound>,
    goal: Option<Bound>,
    verdict: Verdict,
}

impl Reported {
    pub(crate) fn new(row: &Row, line: Line) -> Self {
        let (ratio, verdict) = (line.ratio(), Verdict::of(&line));
        let (other, other_rounds, other_missing) = match line.other {
            Other::Nothing => (None, Vec::new(), None),
            Other::Samples(name, samples) => (Some(name), samples, None),
            Other::Missing(name, reason) => (Some(name), Vec::new(), Some(reason)),
        };
        Self {
            row: row.number,
            name: row.name,
            row_must: row.must,
            row_goal: row.goal,
            what: line.what,
            unit: line.unit,
            subject: Spread::of(&line.subject),
            subject_rounds: line.subject,
            other,
            other_missing,
            other_value: Spread::of(&other_rounds),
            other_rounds,
            ratio,
            must: line.must,
            goal: line.goal,
            verdict,
        }
    }

    fn other(&self) -> String {
        let Some(name) = &self.other else { return "—".to_owned() };
        match (&self.other_missing, self.other_value) {
            (Some(reason), _) => format!("{name}: missing ({reason})"),
            (None, Some(value)) => format!("{name}: {}", quantity(value.median, self.unit)),
            (None, None) => format!("{name}: none"),
        }
    }

    fn ratio(&self) -> String {
        self.ratio.map_or_else(
            || "—".to_owned(),
            |spread| format!("{}× [{}–{}]", number(spread.median), number(spread.min), number(spread.max)),
        )
    }
}

impl Report {
    /// The report for people.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{} rounds on {}\n\n", self.rounds, self.environment);
        text.push_str("| # | metric | Millpond | limit or peer | ratio, median [min–max] | must | goal | met |\n");
        text.push_str("|---|---|---|---|---|---|---|---|\n");
        for line in &self.lines {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                line.row,
                line.what,
                line.subject.map_or_else(|| "—".to_owned(), |value| quantity(value.median, line.unit)),
                line.other(),
                line.ratio(),
                bound(line.must),
                bound(line.goal),
                line.verdict.text()
            );
        }
        for note in &self.notes {
            let _ = write!(text, "\n- {note}");
        }
        text.push('\n');
        text
    }
}

fn bound(bound: Option<Bound>) -> String {
    bound.map_or_else(|| "—".to_owned(), |bound| bound.to_string())
}

fn quantity(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value))
}

/// Three digits that matter, and no more precision than that.
fn number(value: f64) -> String {
    match value {
        size if size >= 100.0 => grouped(size.round() as u64),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A count with its thousands apart.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line::new("pages", "req/s", &[50.0, 60.0, 55.0])
    }

    #[test]
    fn a_ratio_goes_the_way_its_bound_is_meant() {
        let straight = line().over("hyper", &[100.0, 100.0, 100.0]).ratio().unwrap();
        assert_eq!((straight.median, straight.min, straight.max), (0.55, 0.5, 0.6));
        let inverse = line().under("Redis", &[500.0, 600.0, 550.0]).ratio().unwrap();
        assert_eq!(inverse.median, 10.0);
    }

    #[test]
    fn a_verdict_is_about_the_median_ratio() {
        let bounds = |must, goal| {
            let line = line().over("hyper", &[100.0, 100.0, 100.0]);
            Verdict::of(&line.must(Bound::AtLeast(must)).goal(Bound::AtLeast(goal)))
        };
        assert_eq!(bounds(0.5, 0.55), Verdict::Goal);
        assert_eq!(bounds(0.5, 0.75), Verdict::Must);
        assert_eq!(bounds(0.6, 0.75), Verdict::Missed);
        let only_goal = line().over("hyper", &[100.0, 100.0, 100.0]).goal(Bound::AtLeast(4.0));
        assert_eq!(Verdict::of(&only_goal), Verdict::Missed);
    }

    #[test]
    fn a_line_without_a_peer_is_judged_by_its_value() {
        let line = Line::new("memory", "B", &[20.0]).must(Bound::AtMost(29.0)).goal(Bound::AtMost(14.0));
        assert_eq!(Verdict::of(&line), Verdict::Must);
        assert_eq!(Verdict::of(&Line::new("memory", "B", &[20.0])), Verdict::NoBound);
    }

    #[test]
    fn a_missing_peer_is_neither_met_nor_left_out() {
        let line = line().missing("Redis", &Missing("not on PATH".to_owned())).must(Bound::AtLeast(10.0));
        let reported = Reported::new(&crate::rows::ROWS[0], line);
        assert_eq!(reported.verdict, Verdict::PeerMissing);
        assert_eq!(reported.other(), "Redis: missing (not on PATH)");
    }

    #[test]
    fn numbers_have_three_digits_that_matter() {
        let numbers = [0.123, 1.005, 12.34, 123.4, 1_234_567.0].map(number);
        assert_eq!(numbers, ["0.12", "1.00", "12.3", "123", "1,234,567"]);
    }
}
