use super::*;

const START: i64 = 1_760_000_000 * SECOND;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(START + micros)
}

/// A server with a limit on windows of a minute, and the times of the calls that it saw.
struct Server {
    limit: u64,
    used_by_others: u64,
    calls: Vec<i64>,
}

impl Server {
    fn new(limit: u64) -> Self {
        Server { limit, used_by_others: 0, calls: Vec::new() }
    }

    fn answer(&mut self, now: i64) -> LimitHeaders {
        self.calls.push(now);
        let window = now.div_euclid(60 * SECOND);
        let ours = self.calls.iter().rev().take_while(|call| call.div_euclid(60 * SECOND) == window).count() as u64;
        LimitHeaders {
            limit: Some(self.limit),
            remaining: Some(self.limit.saturating_sub(ours + self.used_by_others)),
            reset_secs: Some((START + (window + 1) * 60 * SECOND) / SECOND),
            retry_after_secs: None,
        }
    }

    /// The most calls in any window of a minute, wherever it begins.
    fn busiest(&self) -> usize {
        let in_window = |first: &i64| {
            let start = self.calls.partition_point(|call| call < first);
            self.calls.partition_point(|call| *call < first + 60 * SECOND) - start
        };
        self.calls.iter().map(in_window).max().unwrap_or(0)
    }
}

/// Makes `count` calls as fast as the gate lets them; answers the moment after the last.
fn run(state: &mut LimitState, server: &mut Server, mut now: i64, count: usize, garbage: bool) -> i64 {
    for _ in 0..count {
        while let Some(until) = state.gate(75, at(now)).until() {
            assert!(until > at(now));
            now = until.micros() - START;
        }
        let headers = server.answer(now);
        let headers = if garbage { LimitHeaders::default() } else { headers };
        state.learn(headers, 75, at(now), at(now), 500_000);
        state.passed(at(now));
    }
    now
}

#[test]
fn a23_29_every_window_stays_below_the_target_and_uses_it() {
    let (mut state, mut server) = (LimitState::cold(at(0)), Server::new(60));
    let end = run(&mut state, &mut server, 0, 10_000, false);
    assert!(server.busiest() <= 46, "{}", server.busiest());
    let utilisation = 10_000.0 / (end as f64 / (60 * SECOND) as f64) / 60.0;
    assert!((0.70..=0.80).contains(&utilisation), "{utilisation}");
}

#[test]
fn a23_29_a_raised_limit_is_used_within_a_window() {
    let (mut state, mut server) = (LimitState::cold(at(0)), Server::new(60));
    let now = run(&mut state, &mut server, 0, 45, false);
    server.limit = 600;
    let raised = run(&mut state, &mut server, now, 450, false);
    // What is left of the window that was full, and one of its own.
    assert!(raised - now < 63 * SECOND, "{}", (raised - now) / SECOND);
}

#[test]
fn a23_29_without_headers_or_with_garbage_the_lowest_limit_holds() {
    let (mut state, mut server) = (LimitState::cold(at(0)), Server::new(60));
    run(&mut state, &mut server, 0, 500, true);
    assert!(server.busiest() <= 46);
    let cold = LimitState::cold(at(0));
    for bad in [
        LimitHeaders {
            limit: Some(0),
            remaining: Some(0),
            reset_secs: Some(START / SECOND),
            ..LimitHeaders::default()
        },
        LimitHeaders {
            limit: Some(9),
            remaining: Some(99),
            reset_secs: Some(START / SECOND),
            ..LimitHeaders::default()
        },
        LimitHeaders { limit: Some(9), remaining: Some(1), reset_secs: Some(i64::MAX), ..LimitHeaders::default() },
        LimitHeaders { limit: Some(9), remaining: None, reset_secs: Some(START / SECOND), ..LimitHeaders::default() },
    ] {
        let mut state = cold.clone();
        state.learn(bad, 75, at(0), at(0), 0);
        assert_eq!(state, cold);
    }
}

#[test]
fn a23_30_others_keep_their_share_and_the_work_ends_all_the_same() {
    let (mut state, mut server) = (LimitState::cold(at(0)), Server::new(1000));
    server.used_by_others = 900;
    run(&mut state, &mut server, 0, 3, false);
    assert!(server.calls[1] - server.calls[0] >= 59 * SECOND, "the reserve holds: {:?}", server.calls);
    let before = server.calls.len();
    let now = *server.calls.last().unwrap();
    let end = run(&mut state, &mut server, now, 100, false);
    assert_eq!(server.calls.len() - before, 100);
    assert!(server.busiest() <= 21, "a starved client takes two percent: {}", server.busiest());
    assert!(end - now < 12 * 60 * SECOND, "{}", (end - now) / SECOND);
}

#[test]
fn a23_28_a_429_closes_the_class_halves_the_pace_and_clean_windows_give_it_back() {
    let (mut state, mut server) = (LimitState::cold(at(0)), Server::new(60));
    assert_eq!(state.gate(75, at(0)), Gate::Go);
    state.refused(at(0), at(300 * SECOND));
    assert_eq!(state.factor(), 500);
    assert_eq!(state.gate(75, at(10 * SECOND)), Gate::Closed(at(300 * SECOND)));
    state.refused(at(SECOND), at(200 * SECOND));
    assert_eq!(state.factor(), 500, "answers to calls that were under way do not halve it again");
    run(&mut state, &mut server, 300 * SECOND, 400, false);
    assert_eq!(state.factor(), 1000);
}

#[test]
fn a_flood_of_429s_leaves_a_twentieth_of_the_pace() {
    let mut state = LimitState::cold(at(0));
    for second in 0..20 {
        state.refused(at(second * SECOND), at((second + 1) * SECOND));
    }
    assert_eq!(state.factor(), 50);
}

#[test]
fn a_reset_beyond_the_window_says_that_the_window_is_longer() {
    let mut state = LimitState::cold(at(0));
    let headers = |ahead: i64| LimitHeaders {
        limit: Some(60),
        remaining: Some(50),
        reset_secs: Some(START / SECOND + ahead),
        retry_after_secs: None,
    };
    state.learn(headers(60), 75, at(0), at(0), 0);
    assert_eq!(state.window_secs, 60);
    state.learn(headers(800), 75, at(0), at(0), 0);
    assert_eq!(state.window_secs, 900);
}

#[test]
fn calls_that_wait_are_told_different_moments_at_the_pace() {
    let mut state = LimitState::cold(at(0));
    assert_eq!(state.gate(75, at(0)), Gate::Go);
    let told: Vec<Gate> = (0..3).map(|_| state.gate(75, at(0))).collect();
    let interval = 60 * SECOND * 100 / (75 * 60) + 1;
    assert_eq!(told, [1, 2, 3].map(|turn| Gate::Wait(at(turn * interval))));
    // Each finds its turn free, and what comes in between waits behind them.
    assert_eq!(state.gate(75, at(interval)), Gate::Go);
    assert_eq!(state.gate(75, at(interval)), Gate::Wait(at(4 * interval)));
    assert_eq!(state.gate(75, at(2 * interval)), Gate::Go);
    assert_eq!(state.gate(75, at(3 * interval)), Gate::Go);
    state.refused(at(3 * interval), at(300 * SECOND));
    assert_eq!(
        state.gate(75, at(4 * interval)),
        Gate::Closed(at(300 * SECOND)),
        "what is closed opens for the first of them"
    );
}
