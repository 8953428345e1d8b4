//! A run from its arguments to its table.

use std::io::Write;

use anyhow::{Context, Result, bail, ensure};
use tokio::signal::unix::{SignalKind, signal};

use crate::args::Args;
use crate::bench::Bench;
use crate::cores::Cores;
use crate::environment::Environment;
use crate::progress::Progress;
use crate::report::{Report, Reported};
use crate::rows::{self, Row};

/// Runs the rows that `args` ask for and prints what was found.
///
/// The run has a thread of its own, with a runtime of its own: it is the client, and gets a core for itself.
pub async fn run(args: Args) -> Result<()> {
    let (done, outcome) = tokio::sync::oneshot::channel();
    let client = std::thread::Builder::new().name("bench".to_owned()).spawn(move || {
        // Nobody is there to receive it only if the caller has gone, and then nobody wants it.
        let _ = done.send(on_own_runtime(args));
    })?;
    let report = outcome.await.context("the client's thread failed")?;
    client.join().ok();
    writeln!(std::io::stdout(), "{}", report?)?;
    Ok(())
}

/// Measures, and returns the text to print.
fn on_own_runtime(args: Args) -> Result<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        tokio::select! {
            text = measure(&args) => text,
            // Dropping the run stops its processes and removes its folder.
            signal = interrupted() => {
                signal?;
                bail!("interrupted")
            }
        }
    })
}

/// Waits for someone to want the run to end.
async fn interrupted() -> Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    tokio::select! {
        signal = tokio::signal::ctrl_c() => signal?,
        _ = term.recv() => {}
    }
    Ok(())
}

async fn measure(args: &Args) -> Result<String> {
    let rows = rows::choose(&args.rows)?;
    let cores = Cores::new(!args.no_pin);
    let environment = Environment::look(&args.dir, &cores);
    cores.enter_client();
    let wants_redis = rows.iter().any(|row| row.wants_redis);
    let mut bench = Bench::new(args, wants_redis, cores, Progress::new(rows.len()))?;
    if args.quick {
        bench.notes.push("a quick run: it shows that the rows run, and its figures mean little".to_owned());
    }
    bench.notes.extend(environment.warnings());
    let budget = bench.sizes.run_max;
    let lines = tokio::time::timeout(budget, measure_rows(&mut bench, &rows))
        .await
        .with_context(|| format!("the run took longer than {budget:?}"))??;
    bench.progress.finish();
    bench.note_beside();
    let report = Report { environment, rounds: bench.sizes.rounds, is_quick: args.quick, lines, notes: bench.notes };
    if args.json { Ok(serde_json::to_string_pretty(&report)?) } else { Ok(report.markdown()) }
}

async fn measure_rows(bench: &mut Bench, rows: &[&Row]) -> Result<Vec<Reported>> {
    bench.prove_headroom().await?;
    let mut lines = Vec::new();
    for row in rows {
        bench.progress.now(&format!("row {}: {}", row.number, row.name));
        let found = (row.measure)(bench).await.with_context(|| format!("row {}: {}", row.number, row.name))?;
        ensure!(!found.is_empty(), "row {} found nothing", row.number);
        lines.extend(found.into_iter().map(|line| Reported::new(row, line)));
        bench.progress.done();
    }
    Ok(lines)
}
