//! `app` and `token`: asked of the server that runs on the data directory, or of one that runs for this one question.
//!
//! There is one way in, the administration of a server: what the command line can do, a server has checked.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use client::admin::{Admin, File};
use server::apps::NewApp;
use server::{Options, Running, front};
use store::{OpenError, Store};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wire::admin::{App, Apps, CreateApp, CreateToken};

use crate::args::{self, AppCommand, Preset};
use crate::{feeds, output, serve};

/// Runs `app …`.
pub(crate) async fn run(args: args::App) -> Result<()> {
    let (dir, key) = (&args.data.data_dir, args.data.server_key.as_deref());
    let app = match args.command {
        AppCommand::List => {
            let apps = ask(dir, key, async |admin| Ok(admin.apps().await?)).await?;
            return print_all(args.json, apps);
        }
        AppCommand::Create { name, key: app_key, secret, id, preset } => {
            let is_for_sdk_suites = preset == Some(Preset::SdkSuites);
            create(dir, key, CreateApp { id, name, key: app_key, secret, is_for_sdk_suites }).await?
        }
        AppCommand::Groups { command } => {
            return ask(dir, key, async |admin| feeds::groups(admin, args.json, command).await).await;
        }
        AppCommand::Webhooks { command } => {
            return ask(dir, key, async |admin| feeds::webhooks(admin, args.json, command).await).await;
        }
        AppCommand::Rotate { app } => ask(dir, key, async |admin| Ok(admin.rotate_app(&app).await?)).await?,
        AppCommand::Revoke { app } => ask(dir, key, async |admin| Ok(admin.revoke_app(&app).await?)).await?,
    };
    print(args.json, &app)
}

/// Runs `token`.
pub(crate) async fn token(args: args::Token) -> Result<()> {
    let wanted = CreateToken { app: args.app, user: args.user, expires_in: args.expires_in };
    let key = args.data.server_key.as_deref();
    let token = ask(&args.data.data_dir, key, async |admin| Ok(admin.create_token(&wanted).await?)).await?;
    if args.json { output::json(&token) } else { output::line(&token.token) }
}

fn print(is_json: bool, app: &App) -> Result<()> {
    if is_json {
        return output::json(app);
    }
    let state = if app.is_suspended { "revoked" } else { "active" };
    output::text(&format!(
        "app id  {}\nname    {}\nkey     {}\nsecret  {}\nstate   {state}\n",
        app.id, app.name, app.key, app.secret
    ))
}

/// Lists apps without their secrets, unless a program asks.
fn print_all(is_json: bool, apps: Vec<App>) -> Result<()> {
    if is_json {
        return output::json(&Apps { apps });
    }
    let width = apps.iter().map(|app| app.key.chars().count()).max().unwrap_or_default();
    for app in apps {
        let state = if app.is_suspended { "revoked" } else { "active" };
        output::line(&format!("{:>6}  {:<width$}  {state:<7}  {}", app.id, app.key, app.name))?;
    }
    Ok(())
}

/// Makes an app; in a fresh directory it is the first one.
async fn create(dir: &Path, key: Option<&str>, app: CreateApp) -> Result<App> {
    match open(dir)? {
        None => Ok(Admin::of_data_dir(dir)?.create_app(&app).await?),
        Some(store) => {
            let CreateApp { id, name, key: app_key, secret, is_for_sdk_suites } = app;
            let new = NewApp { id, name, key: app_key, secret, is_for_sdk_suites };
            let running = start(store.clone(), dir, key, Some(new)).await?;
            let made = running.app().to_wire();
            store.close();
            Ok(made)
        }
    }
}

/// Puts `question` to the server that runs on `dir`, or to one started for it.
async fn ask<T>(dir: &Path, key: Option<&str>, question: impl AsyncFnOnce(&Admin) -> Result<T>) -> Result<T> {
    ensure!(dir.is_dir(), "there is no data directory {}; name it with --data-dir", dir.display());
    let Some(store) = open(dir)? else {
        return question(&Admin::of_data_dir(dir)?).await;
    };
    let moment = Moment::begin(start(store.clone(), dir, key, None).await?)?;
    let answer = question(&moment.admin).await;
    moment.end().await;
    store.close();
    answer
}

/// The store in `dir`, or nothing if a server runs on it.
fn open(dir: &Path) -> Result<Option<Store>> {
    match Store::open(dir, &store::Options::default()) {
        Ok(store) => Ok(Some(store)),
        Err(OpenError::Locked { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn start(store: Store, dir: &Path, key: Option<&str>, app: Option<NewApp>) -> Result<Running> {
    let listen = vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))];
    let front = front::Options { listen, ..front::Options::default() };
    server::start(store, Options { front, app, ..Options::new(serve::seal(key, dir)?) }).await
}

/// A server that runs for one question.
struct Moment {
    admin: Admin,
    stop: oneshot::Sender<()>,
    served: JoinHandle<front::Drained>,
}

impl Moment {
    fn begin(running: Running) -> Result<Self> {
        let address = running.addresses().first().context("no loopback address could be taken")?;
        let file = File { url: format!("http://{address}"), token: running.admin_token().to_owned() };
        let admin = Admin::new(file)?;
        let (stop, stopped) = oneshot::channel();
        // A stop that never comes, because the question failed, is a stop too.
        let served = tokio::spawn(running.serve(async { stopped.await.unwrap_or_default() }));
        Ok(Self { admin, stop, served })
    }

    async fn end(self) {
        // Both fail only if the server has ended already.
        let _ = self.stop.send(());
        drop(self.admin);
        let _ = self.served.await;
    }
}
