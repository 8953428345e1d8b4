//! Integrations and tokens.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    Ended,
    args::{Add, Integrations, Pair, Token},
    here::{Here, in_path, secret},
    print, settings,
};
use crate::output;

/// The id of an integration that is named by name or id.
pub(super) async fn id(here: &Here, name: &str) -> Result<Result<String, Ended>> {
    let all = match here.pages("/v1/integrations", &[]).await? {
        Ok(all) => all,
        Err(ended) => return Ok(Err(ended)),
    };
    let found = print::list(&all["data"]).iter().find(|one| one["id"] == name || one["name"] == name);
    Ok(match found.and_then(|one| one["id"].as_str()) {
        Some(id) => Ok(id.to_owned()),
        None => {
            let remedy = "`millpond privacy integrations list` shows them";
            Err(here.nothing(&format!("there is no integration `{name}`; {remedy}"))?)
        }
    })
}

fn credentials(pair: &Pair, body: &mut Value) -> Result<()> {
    body["api_key"] = secret(&pair.key_file)?.as_str().into();
    body["api_secret"] = secret(&pair.secret_file)?.as_str().into();
    Ok(())
}

/// `integrations`.
pub(super) async fn integrations(here: &Here, command: Integrations) -> Result<Ended> {
    let shows_settings = matches!(command, Integrations::Show(_) | Integrations::Set(_));
    let (method, name, action, body) = match command {
        Integrations::List => {
            return match here.pages("/v1/integrations", &[]).await? {
                Ok(all) => {
                    if print::list(&all["data"]).is_empty() {
                        here.progress("There are none yet: `millpond privacy integrations add` connects one.");
                    }
                    here.show(&all, |all| print::list(&all["data"]).iter().try_for_each(print::integration))
                }
                Err(ended) => Ok(ended),
            };
        }
        Integrations::Add(given) => return add(here, &given).await,
        Integrations::Set(given) => {
            let body = settings::changes(&given)?;
            ("PATCH", given.named.integration, "", Some(body))
        }
        Integrations::Show(named) => ("GET", named.integration, "", None),
        Integrations::Test { named, no_delete_probe } => {
            ("POST", named.integration, "/test", Some(json!({"delete_probe": !no_delete_probe})))
        }
        Integrations::Disable(named) => ("POST", named.integration, "/disable", None),
        Integrations::Enable(named) => ("POST", named.integration, "/enable", None),
        Integrations::Limits(named) => ("GET", named.integration, "/limits", None),
        Integrations::Remove { named, force: false } => ("DELETE", named.integration, "", None),
        Integrations::Remove { named, force: true } => ("DELETE", named.integration, "?force=true", None),
        Integrations::Rotate { named, pair, compromised } => {
            let mut body = json!({"compromised": compromised});
            credentials(&pair, &mut body)?;
            ("POST", named.integration, "/credentials", Some(body))
        }
    };
    let id = match id(here, &name).await? {
        Ok(id) => id,
        Err(ended) => return Ok(ended),
    };
    let shown = match here.call(method, &format!("/v1/integrations/{id}{action}"), body.as_ref()).await? {
        Ok(shown) => shown,
        Err(ended) => return Ok(ended),
    };
    here.show(&shown, |shown| match (shown["steps"].is_array(), shown["data"].is_array()) {
        (true, _) => print::report(shown),
        (_, true) => print::list(&shown["data"]).iter().try_for_each(print::limit),
        _ if shown.is_null() => output::line("done"),
        _ if shows_settings => print::settings(shown),
        _ => print::integration(shown),
    })?;
    Ok(if shown["ok"] == false { Ended::TestFailed } else { Ended::Done })
}

async fn add(here: &Here, given: &Add) -> Result<Ended> {
    let mut body = settings::body(&given.settings)?;
    body["name"] = given.name.as_str().into();
    body["dialect"] = given.dialect.as_str().into();
    body["trim"] = given.trim.into();
    body["allow_insecure"] = given.allow_insecure.into();
    body["delete_probe"] = (!given.no_delete_probe).into();
    body["save_untested"] = given.save_untested.into();
    if let Some(base_url) = &given.base_url {
        body["base_url"] = base_url.as_str().into();
    }
    credentials(&given.pair, &mut body)?;
    match here.call("POST", "/v1/integrations", Some(&body)).await? {
        Ok(shown) => here.show(&shown, |shown| {
            print::report(&shown["report"])?;
            print::integration(shown)
        }),
        Err(ended) => Ok(ended),
    }
}

/// `token`.
pub(super) async fn tokens(here: &Here, command: Token) -> Result<Ended> {
    let answered = match command {
        Token::Create { name, role, expires_at } => {
            let body = json!({"name": name, "role": role, "expires_at": expires_at});
            here.call("POST", "/v1/tokens", Some(&body)).await?
        }
        Token::List => here.pages("/v1/tokens", &[]).await?,
        Token::Revoke { id } => here.call("DELETE", &format!("/v1/tokens/{}", in_path(&id)), None).await?,
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line =
        |one: &Value| output::line(&format!("{} {} {}", text(&one["id"]), text(&one["role"]), text(&one["name"])));
    match answered {
        Ok(shown) => here.show(&shown, |shown| match (&shown["token"], &shown["data"]) {
            (Value::String(token), _) => output::line(token),
            (_, Value::Array(all)) => all.iter().try_for_each(line),
            _ => output::line("done"),
        }),
        Err(ended) => Ok(ended),
    }
}
