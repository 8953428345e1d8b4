//! Every setting of an integration has a flag that says the same as the field of the service.

use serde_json::json;

use super::*;

/// Flags, the field that each sets, and what it holds then: none is the default.
fn table() -> Vec<(&'static str, &'static str, Value)> {
    vec![
        ("--async-deletion-behavior complete_on_submit", "/async_deletion_behavior", json!("complete_on_submit")),
        ("--email-field mail", "/email_field", json!("mail")),
        ("--throttle 0.5", "/throttle/target", json!(0.5)),
        ("--delete-calls soft", "/delete_options/calls", json!("soft")),
        ("--delete-user pruning --delete-messages soft", "/delete_options/user", json!("pruning")),
        ("--delete-user soft --delete-messages pruning", "/delete_options/messages", json!("pruning")),
        ("--delete-user soft --delete-conversations soft", "/delete_options/conversations", json!("soft")),
        ("--files-forms true,hard", "/delete_options/files_forms", json!([true, "hard"])),
        ("--new-channel-owner-id heir", "/delete_options/new_channel_owner_id", json!("heir")),
        ("--multi-match-access hold", "/policies/multi_match_access", json!("hold")),
        ("--multi-match-delete all", "/policies/multi_match_delete", json!("all")),
        ("--approval true", "/policies/approval", json!(true)),
        ("--four-eyes true", "/policies/four_eyes", json!(true)),
        ("--require-verification true", "/policies/require_verification", json!(true)),
        ("--cooling-off 2h", "/policies/cooling_off_s", json!(7200)),
        ("--verify-erasure false", "/policies/verify_erasure", json!(false)),
        ("--erasure-ledger encrypted", "/erasure_ledger", json!("encrypted")),
        ("--poll hourly", "/poll/preset", json!("hourly")),
        ("--poll-first 10", "/poll/first_s", json!(10)),
        ("--poll-most 10m", "/poll/most_s", json!(600)),
        ("--poll-after-an-hour 30m", "/poll/after_an_hour_s", json!(1800)),
        ("--poll-after-a-day 2h", "/poll/after_a_day_s", json!(7200)),
        ("--poll-spread 0.2", "/poll/spread", json!(0.2)),
        ("--include-feeds false", "/include_feeds", json!(false)),
        ("--include-files true", "/include_files", json!(true)),
        ("--file-hosts cdn.example.com,.example.org", "/file_hosts", json!(["cdn.example.com", ".example.org"])),
        ("--redact-others true", "/redact_others", json!(true)),
        ("--redact-others true --raw false", "/raw", json!(false)),
        ("--async-export-fallback false", "/async_export_fallback", json!(false)),
        ("--export-before-delete true", "/export_before_delete", json!(true)),
    ]
}

/// The settings of a shown integration, without what is found out about it.
fn settings(shown: &Value) -> Value {
    let names = ["async_deletion_behavior", "email_field", "throttle", "delete_options", "policies", "poll"];
    let more = ["erasure_ledger", "include_feeds", "include_files", "file_hosts", "redact_others", "raw"];
    let most = ["async_export_fallback", "export_before_delete"];
    names.iter().chain(&more).chain(&most).map(|name| ((*name).to_owned(), shown[name].clone())).collect()
}

/// The pointers to every single setting.
fn fields(settings: &Value) -> Vec<String> {
    let inner = |(name, value): (&String, &Value)| match value {
        Value::Object(fields) => fields.keys().map(|field| format!("/{name}/{field}")).collect(),
        _ => vec![format!("/{name}")],
    };
    settings.as_object().unwrap().iter().flat_map(inner).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_every_setting_has_a_flag() {
    let place = Place::connected().await;
    let before = settings(&place.prints(DONE, "integrations show Stream", "Integration"));
    let table = table();
    for field in fields(&before) {
        assert!(table.iter().any(|(_, known, _)| *known == field), "no flag sets {field}");
    }
    for (flags, field, wanted) in &table {
        assert_ne!(before.pointer(field), Some(wanted), "{field} is so by default, which shows nothing");
        let shown = place.prints(DONE, &format!("integrations set Stream {flags}"), "Integration");
        assert_eq!(shown.pointer(field), Some(wanted), "{flags}");
    }
    place.ends(DONE, "integrations set Stream --email-field email --name River");
    let again = settings(&place.prints(DONE, "integrations show River", "Integration"));
    assert_eq!(again.pointer("/delete_options/new_channel_owner_id"), Some(&json!("heir")), "what is left out stays");
    // What was set is taken back.
    let mut line = place.command("--output json integrations set River --include-feeds auto");
    let output = line.args(["--new-channel-owner-id", "", "--file-hosts", ""]).output().unwrap();
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&shown["include_feeds"], &shown["file_hosts"]), (&Value::Null, &json!([])));
    assert_eq!(shown["delete_options"]["new_channel_owner_id"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_50_settings_are_taken_at_once_too_and_a_wrong_one_is_named_with_what_it_may_be() {
    let place = Place::connected().await;
    let flags: Vec<&str> =
        table().into_iter().map(|(flags, ..)| flags).filter(|flags| !flags.contains("soft")).collect();
    // `--redact-others` stands in two rows.
    let flags = flags.join(" ").replacen("--redact-others true", "", 1);
    let url = place.upstream.url();
    let add = format!("integrations add --name All --key-file key --secret-file secret --base-url {url}");
    let shown = place.prints(DONE, &format!("{add} {flags}"), "Integration");
    assert_eq!(shown["policies"]["cooling_off_s"], 7200);
    let refused = |flags: &str| {
        let refused = place.ends(USAGE, &format!("integrations set Stream {flags}"));
        refused["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("--multi-match-delete some"), "`policies.multi_match_delete` must be one of hold, all");
    assert_eq!(refused("--delete-user gone"), "`delete_options.user` must be one of soft, pruning, hard");
    assert!(refused("--delete-messages soft").contains("a hard `user` needs hard `messages`"));
    assert!(refused("--throttle 7").contains("`throttle.target` must be a share"));
    assert!(refused("--raw false").contains("`redact_others` is true"));
    assert!(refused("--include-feeds perhaps").contains("true, false or auto"));
    assert_eq!(refused("--poll often"), "`poll.preset` must be one of quick, hourly");
    assert_eq!(refused("--erasure-ledger paper"), "`erasure_ledger` must be one of hash, encrypted, off");
    assert!(refused("--poll-first 10m").contains("`first_s` must not be longer than `most_s`"));
    assert!(refused("--poll-after-a-day 2d").contains("waits must be 1 to 86400 seconds"));
    assert!(refused("--poll-spread 0.6").contains("must be a share from 0 to 0.5"));
    assert!(refused("--cooling-off soon").contains("write 60, 5m or 1h"));
    assert!(refused("").contains("say what to change"));
    place.ends(USAGE, "integrations set Stream --approval perhaps");
}
