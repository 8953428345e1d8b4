//! Every help page is a snapshot, so that a change of the command line is seen in review.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

use std::process::Command;

/// The help of `words`, as it is printed without a terminal and without settings in the environment.
fn help(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_millpond")).args(words).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("Example"), "`{words:?} --help` has no example");
    text
}

macro_rules! page {
    ($name:ident, $($word:literal),*) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(help(&[$($word),*]));
        }
    };
}

page!(millpond,);
page!(serve, "serve");
page!(app, "app");
page!(app_create, "app", "create");
page!(app_list, "app", "list");
page!(app_rotate, "app", "rotate");
page!(app_revoke, "app", "revoke");
page!(app_groups, "app", "groups");
page!(app_groups_list, "app", "groups", "list");
page!(app_groups_set, "app", "groups", "set");
page!(app_groups_remove, "app", "groups", "remove");
page!(app_webhooks, "app", "webhooks");
page!(app_webhooks_list, "app", "webhooks", "list");
page!(app_webhooks_set, "app", "webhooks", "set");
page!(app_webhooks_remove, "app", "webhooks", "remove");
page!(token, "token");
page!(backup, "backup");
page!(restore, "restore");
page!(check, "check");
page!(config, "config");
page!(config_template, "config", "template");
page!(completions, "completions");
page!(bench, "bench");

#[test]
fn the_template_of_the_configuration() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_millpond")).args(["config", "template"]).env_clear().output().unwrap();
    insta::assert_snapshot!(String::from_utf8(output.stdout).unwrap());
}
