//! Does the tasks of all apps: each step one transaction, several tasks at a time, none twice (chat §14).
//!
//! A commit that plans a task wakes the worker. It looks now and then besides, for what failed and waits, and for the tasks
//! of a server that was killed.

use std::{io, sync::Arc, time::Duration};

use domain::{
    App, Error, log,
    tasks::{self, Kind, Mode, Step},
};
use ids::Timestamp;
use store::Store;
use tokio::{sync::Notify, task::JoinSet};

use super::{campaigns, news};
use crate::{Server, apps::Tenant, exports, files, imports, seal};

/// How often the worker looks, if nothing wakes it.
const EVERY: Duration = Duration::from_secs(1);
/// Tasks at work at a time.
const AT_ONCE_MAX: usize = 4;
/// Steps after which a task lets others go first.
const STEPS_MAX: usize = 256;

/// Why a task did not come on; another try may succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failed {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
    /// A file beside the store could not be written or removed.
    #[error("a file beside the store cannot be written or removed: {0}")]
    File(#[from] io::Error),
    /// Somebody was erased while an export was written.
    #[error("somebody of whom the export tells was erased meanwhile")]
    Overtaken,
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Failed::Store(error.into())
    }
}

type Result<T> = std::result::Result<T, Failed>;

/// What wakes the worker, and by which number it holds its tasks.
pub(crate) struct Wake {
    planned: Arc<Notify>,
    store: Store,
    holder: u64,
}

impl Wake {
    /// The number by which this process holds its tasks.
    pub(crate) fn holder(&self) -> u64 {
        self.holder
    }

    /// Listens to the commits of `store`.
    pub(crate) fn new(store: &Store) -> Self {
        let planned = news::of(store, |published| published.appended.iter().any(|(_, entry)| log::is_planned(entry)));
        Wake { planned, store: store.clone(), holder: u64::from_le_bytes(seal::random()) }
    }
}

/// Works until the server ends.
pub(crate) async fn work(server: Arc<Server>) {
    let mut at_work = JoinSet::new();
    loop {
        if let Err(error) = start_due(&server, &mut at_work).await {
            tracing::warn!(%error, "the tasks could not be read; trying again later");
        }
        tokio::select! {
            // Whoever planned it is answered first.
            () = server.tasks.planned.notified(), if at_work.len() < AT_ONCE_MAX => tokio::task::yield_now().await,
            // There is room for another.
            Some(_) = at_work.join_next() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Does what is due, until nothing is.
///
/// # Errors
/// When the store fails.
pub(crate) async fn run_due(server: &Arc<Server>) -> Result<()> {
    let mut at_work = JoinSet::new();
    loop {
        let is_idle = !start_due(server, &mut at_work).await?;
        if at_work.join_next().await.is_none() && is_idle {
            return Ok(());
        }
    }
}

/// Starts what is due, as far as there is room; whether there was anything.
async fn start_due(server: &Arc<Server>, at_work: &mut JoinSet<()>) -> Result<bool> {
    let room = AT_ONCE_MAX.saturating_sub(at_work.len());
    if room == 0 {
        return Ok(true);
    }
    let due = tasks::due(&server.tasks.store, now(server), room).await?;
    let mut is_any = false;
    for (app, id) in &due {
        let Some(tenant) = server.apps.all().into_iter().find(|tenant| tenant.app.id == *app) else { continue };
        is_any = true;
        let (holder, now) = (server.tasks.holder, now(server));
        // Taken here and not in the task's own time, so that it is no longer due when the queue is read again.
        match tenant.app.write(async |tx| tasks::take(tx, id, holder, now).await).await? {
            Some(task) => {
                at_work.spawn(attempt(server.clone(), tenant, id.clone(), task.kind));
            }
            // With an old task its file may have gone.
            None => exports::sweep(server, &tenant).await?,
        }
    }
    Ok(is_any)
}

fn now(server: &Server) -> Timestamp {
    Timestamp::from_micros(server.clock.now_micros())
}

/// Does steps of a task that is taken, to its end or until others are to go first.
async fn attempt(server: Arc<Server>, tenant: Arc<Tenant>, id: String, kind: Kind) {
    let (holder, app) = (server.tasks.holder, &tenant.app);
    let outcome = match &kind {
        Kind::Import => match imports::run(&server, &tenant, &id).await {
            Ok(()) => exports::sweep(&server, &tenant).await,
            failed => failed,
        },
        Kind::RunCampaign(campaign) => campaigns::run(&server, &tenant, &id, campaign).await,
        kind if kind.is_export() => match exports::run(&server, &tenant, &id).await {
            Ok(()) => exports::sweep(&server, &tenant).await,
            failed => failed,
        },
        kind => go_on(&server, &tenant, &id, kind).await,
    };
    if let Err(error) = &outcome {
        tracing::warn!(%error, task = %id, app = app.id.0, "a task failed; trying again later");
    }
    let now = now(&server);
    let has_failed = outcome.is_err();
    let given = app.write(async |tx| tasks::give_back(tx, &id, holder, has_failed, now).await).await;
    if let Err(error) = given {
        tracing::warn!(%error, task = %id, app = app.id.0, "a task could not be given back; its lease will end");
    }
}

async fn go_on(server: &Server, tenant: &Tenant, id: &str, kind: &Kind) -> Result<()> {
    let app = &tenant.app;
    for _ in 0..STEPS_MAX {
        // Before the last step, so that nothing is left when the task is completed.
        exports::sweep(server, tenant).await?;
        files::sweep(server, tenant).await?;
        if step(server, app, id).await? == Step::Done {
            if erases(kind) {
                server.compaction.erased(&*server.clock).await?;
            }
            break;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// Whether nothing may be left of what the task removes.
fn erases(kind: &Kind) -> bool {
    match kind {
        Kind::DeleteUsers(asked) => asked.user == Mode::Hard || asked.messages == Some(Mode::Hard),
        Kind::DeleteChannels { is_hard, .. } => *is_hard,
        Kind::DeleteMessages(asked) => asked.mode == Mode::Hard,
        Kind::DeleteFeeds { .. } | Kind::Retain(_) => true,
        _ => false,
    }
}

/// A step of the task `id`; done, too, if somebody else has the task by now.
async fn step(server: &Server, app: &App, id: &str) -> Result<Step> {
    let (holder, now) = (server.tasks.holder, now(server));
    let done = app.write(async |tx| {
        let Some(mut task) = tasks::held(tx, id, holder).await? else { return Ok(Step::Done) };
        let step = tasks::step(tx, id, &mut task, now).await?;
        tasks::keep(tx, id, task, step, now);
        Ok(step)
    });
    match done.await {
        Ok(step) => Ok(step),
        Err(error @ Error::Store(_)) => Err(error.into()),
        Err(error) => skip(app, id, holder, &error, now).await,
    }
}

/// Goes on after an item of which nothing can come.
async fn skip(app: &App, id: &str, holder: u64, error: &Error, now: Timestamp) -> Result<Step> {
    let failure = error.to_string();
    let skipped = app.write(async |tx| {
        let Some(mut task) = tasks::held(tx, id, holder).await? else { return Ok(Step::Done) };
        tasks::skip(tx, &mut task, &failure).await?;
        tasks::keep(tx, id, task, Step::More, now);
        Ok(Step::More)
    });
    Ok(skipped.await?)
}
