//! The binary as its users see it: settings and where they come from, errors and exit codes, apps and tokens.

#![expect(clippy::unwrap_used, reason = "in a test, and in what serves tests, a failure is a panic")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A place with a data directory, and nothing in the environment.
struct Place {
    dir: TempDir,
    environment: Vec<(&'static str, &'static str)>,
}

/// What a call came to.
struct Came {
    code: i32,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), environment: Vec::new() }
    }

    fn with_environment(environment: &[(&'static str, &'static str)]) -> Self {
        Self { environment: environment.to_vec(), ..Self::new() }
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join("millpond-data")
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_millpond"));
        command.args(line.split_whitespace()).current_dir(self.dir.path()).env_clear();
        command.envs(self.environment.iter().copied());
        command
    }

    fn run(&self, line: &str) -> Came {
        let Output { status, stdout, stderr } = self.command(line).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Came { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }

    fn json(&self, line: &str) -> Value {
        let came = self.run(line);
        assert_eq!(came.code, 0, "{line}: {}", came.err);
        serde_json::from_str(&came.out).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    /// The value of `name` and its source, as `--print-config` tells.
    fn setting(&self, flags: &str, name: &str) -> String {
        let came = self.run(&format!("serve --print-config {flags}"));
        assert_eq!(came.code, 0, "{}", came.err);
        came.out.lines().find(|line| line.contains(name)).unwrap().to_owned()
    }
}

/// A server that is told to end when the test does.
struct Served {
    child: Child,
    lines: Vec<Value>,
}

impl Served {
    fn start(place: &Place, flags: &str) -> Self {
        let mut command = place.command(&format!("serve --json --listen 127.0.0.1:0 --log-level error {flags}"));
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let lines = out.lines().take(2).map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        Self { child, lines }
    }

    /// Sends SIGTERM, and returns the exit code.
    fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// Settings and where they come from.

#[test]
fn flags_go_before_the_environment_before_the_file_before_the_defaults() {
    let place = Place::new();
    place.write("pond.toml", "drain-seconds = 3");
    assert_eq!(place.setting("", "drain-seconds"), "drain-seconds = 25 # default");
    assert_eq!(place.setting("--config pond.toml", "drain-seconds"), "drain-seconds = 3 # file");
    let place = Place::with_environment(&[("MILLPOND_DRAIN_SECONDS", "2"), ("MILLPOND_CONFIG", "pond.toml")]);
    place.write("pond.toml", "drain-seconds = 3\nidle-seconds = 4");
    assert_eq!(place.setting("", "drain-seconds"), "drain-seconds = 2 # environment");
    assert_eq!(place.setting("", "idle-seconds"), "idle-seconds = 4 # file");
    assert_eq!(place.setting("--drain-seconds 1", "drain-seconds"), "drain-seconds = 1 # flag");
}

#[test]
fn each_kind_of_setting_comes_from_each_source() {
    let kinds = [
        ("listen", "MILLPOND_LISTEN", "127.0.0.1:1,[::1]:2", "[\"127.0.0.1:1\", \"[::1]:2\"]"),
        ("public-url", "MILLPOND_PUBLIC_URL", "https://pond", "\"https://pond\""),
        ("ephemeral", "MILLPOND_EPHEMERAL", "true", "true"),
        ("cache-bytes", "MILLPOND_CACHE_BYTES", "2GiB", "\"2GiB\""),
        ("rate-limits", "MILLPOND_RATE_LIMITS", "2.5", "2.5"),
        ("rate-limits", "MILLPOND_RATE_LIMITS", "off", "\"off\""),
        ("app-id", "MILLPOND_APP_ID", "7", "7"),
        ("preset", "MILLPOND_PRESET", "sdk-suites", "\"sdk-suites\""),
        ("feeds", "MILLPOND_FEEDS", "feeds.toml", "\"feeds.toml\""),
        ("log-format", "MILLPOND_LOG_FORMAT", "json", "\"json\""),
    ];
    for (name, variable, word, toml) in kinds {
        let by_flag = Place::new().setting(&format!("--{name}={word}"), name);
        assert_eq!(by_flag.split(" # ").last(), Some("flag"));
        let by_environment = Place::with_environment(&[(variable, word)]).setting("", name);
        assert_eq!(by_environment, by_flag.replace("# flag", "# environment"));
        let place = Place::new();
        place.write("pond.toml", &format!("{name} = {toml}"));
        assert_eq!(place.setting("--config pond.toml", name), by_flag.replace("# flag", "# file"));
    }
}

#[test]
fn a_file_serves_every_command() {
    let place = Place::new();
    place.write("pond.toml", "data-dir = \"elsewhere\"\ndrain-seconds = 1");
    let came = place.run("check --config pond.toml");
    assert_eq!((came.code, came.err.contains("elsewhere")), (1, true), "{}", came.err);
    let came = place.run("app list --config pond.toml");
    assert_eq!((came.code, came.err.contains("elsewhere")), (1, true), "{}", came.err);
}

#[test]
fn the_template_without_its_comment_marks_is_a_valid_file() {
    let place = Place::new();
    let template = place.run("config template").out;
    let is_setting = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let file: Vec<&str> = template.lines().filter(is_setting).map(|line| &line[1..]).collect();
    let without_key: Vec<&str> = file.into_iter().filter(|line| !line.starts_with("server-key")).collect();
    place.write("pond.toml", &without_key.join("\n"));
    assert!(without_key.len() > 20);
    assert_eq!(place.run("serve --print-config --config pond.toml").err, "");
}

#[test]
fn secrets_are_not_printed_among_the_settings() {
    let place = Place::with_environment(&[("MILLPOND_SERVER_KEY", "hush-1")]);
    let out = place.run("serve --print-config --app-secret hush-2").out;
    assert!(!out.contains("hush"), "{out}");
    assert!(!place.run("serve --help").out.contains("hush"));
}

// Errors and exit codes.

#[test]
fn what_cannot_be_understood_ends_with_2_and_names_the_remedy() {
    let place = Place::new();
    place.write("key.toml", "\nlissten = []");
    place.write("type.toml", "drain-seconds = \"soon\"");
    for (line, expected) in [
        ("serve --config key.toml", "key.toml: line 2: there is no setting `lissten`; did you mean `listen`?"),
        ("serve --config type.toml", "type.toml: line 1: `drain-seconds` wants a whole number, not a text"),
        ("serve --config absent.toml", "absent.toml: cannot be read"),
        ("serve --lissten 127.0.0.1:1", "'--listen'"),
        ("serve --rate-limits much", "`much` is not a rate limit; use off, default, or a factor"),
        ("serve --cache-bytes 10MB", "not a size; write bytes such as 10485760, or 10MiB"),
        ("token --app 1", "<--user <USER>|--server>"),
        ("token --app 1 --user anna --server", "cannot be used with"),
        ("srve", "similar subcommand exists: 'serve'"),
    ] {
        let came = place.run(line);
        assert_eq!(came.code, 2, "{line}: {}", came.err);
        assert!(came.err.contains(expected), "{line}: {}", came.err);
    }
}

#[test]
fn what_fails_ends_with_1_and_names_the_remedy() {
    let place = Place::new();
    place.write("taken.dump", "");
    for (line, expected) in [
        ("check", "there is no data directory ./millpond-data; name it with --data-dir"),
        ("app list", "there is no data directory ./millpond-data; name it with --data-dir"),
        ("backup taken.dump", "taken.dump exists; choose another name"),
        ("restore absent.dump", "cannot read absent.dump"),
        ("check --backup taken.dump", "taken.dump"),
    ] {
        let came = place.run(line);
        assert_eq!((came.code, came.out.as_str()), (1, ""), "{line}: {}", came.err);
        assert!(came.err.starts_with("error: ") && came.err.contains(expected), "{line}: {}", came.err);
    }
    assert!(!place.data_dir().exists(), "a command that reads makes no data directory");
}

// Apps, tokens, data.

#[test]
fn apps_are_made_listed_rotated_and_revoked_without_a_server() {
    let place = Place::new();
    let made = place.json("app create --name shop --key key-1 --secret secret-1 --json");
    assert_eq!((&made["id"], &made["key"], &made["secret"]), (&1.into(), &"key-1".into(), &"secret-1".into()));
    let apps = place.json("app list --json");
    assert_eq!(apps["apps"], serde_json::json!([made]));
    let rotated = place.json("app rotate key-1 --json");
    assert_ne!(rotated["secret"], made["secret"]);
    assert_eq!(place.json("app revoke 1 --json")["is_suspended"], true);
    let listed = place.run("app list").out;
    assert!(listed.contains("key-1") && listed.contains("revoked"), "{listed}");
    assert!(!listed.contains(rotated["secret"].as_str().unwrap()), "a list shows no secrets");
}

#[test]
fn feed_groups_are_listed_set_and_removed_by_command() {
    let place = Place::new();
    place.json("app create --json");
    place.write("top.json", r#"{"score":"n","defaults":{"n":1}}"#);
    let line = "app groups set 1 news --type aggregated --access global_read --format {{verb}} --ranking top=top.json \
                --default-ranking top --no-realtime";
    assert_eq!(place.run(line).out, "feed group news\n");
    let groups = place.json("app groups list 1 --json");
    let news = groups["feed_groups"].as_array().unwrap().iter().find(|group| group["name"] == "news").unwrap().clone();
    let expected = serde_json::json!({
        "name": "news", "type": "aggregated", "access": "global_read", "aggregation_format": "{{verb}}",
        "ranking": { "top": { "score": "n", "defaults": { "n": 1 } } }, "default_ranking": "top", "realtime": false,
    });
    assert_eq!(news, expected);
    let listed = place.run("app groups list 1").out;
    assert!(listed.lines().any(|line| line.split_whitespace().eq(["news", "aggregated", "global_read", "{{verb}}"])));
    assert_eq!(place.run("app groups remove 1 news").out, "removed news\n");
    let again = place.run("app groups remove 1 news");
    assert_eq!((again.code, again.err.contains("there is no feed group `news`")), (1, true), "{}", again.err);
    let came = place.run("app groups set 1 news --type round");
    assert_eq!((came.code, came.err.contains("unknown variant `round`")), (2, true), "{}", came.err);
}

#[test]
fn feed_webhooks_are_listed_set_and_removed_by_command() {
    let place = Place::new();
    place.json("app create --json");
    let line = "app webhooks set 1 search --url https://example.com/hook --feed-groups user,timeline --no-reactions";
    let refused = place.run(&line.replace("https://example.com", "http://127.0.0.1:9"));
    assert_eq!((refused.code, refused.err.contains("url")), (1, true), "{}", refused.err);
    assert_eq!(place.run(&format!("{line} --no-verify")).out, "feed webhook search\n");
    let shown = serde_json::json!({
        "id": "search", "url": "https://example.com/hook", "feed_groups": ["user", "timeline"], "reactions": false,
    });
    assert_eq!(place.json("app webhooks list 1 --json"), serde_json::json!({ "feed_webhooks": [shown] }));
    assert_eq!(place.run("app webhooks list 1").out, "search  https://example.com/hook  user,timeline\n");
    assert_eq!(place.run("app webhooks remove 1 search").out, "removed search\n");
    assert_eq!(place.run("app webhooks list 1").out, "");
}

#[test]
fn a_server_begins_with_the_feed_groups_and_webhooks_of_a_file() {
    let place = Place::new();
    place.write("feeds.toml", "[feed_groups.news]\ntype = \"flat\"\n[feed_webhooks.a]\nurl = \"https://example.com/\"\nfeed_groups = [\"news\"]");
    place.write("pond.toml", "feeds = \"feeds.toml\"");
    let served = Served::start(&place, "--config pond.toml");
    let groups = place.json("app groups list 1 --json");
    assert!(groups["feed_groups"].as_array().unwrap().iter().any(|group| group["name"] == "news"), "{groups}");
    assert_eq!(place.json("app webhooks list 1 --json")["feed_webhooks"][0]["feed_groups"][0], "news");
    assert_eq!(served.stop(), 0);
    place.write("feeds.toml", "[feed_groups.news]\ntype = \"round\"");
    let came = place.run("serve --config pond.toml");
    assert_eq!((came.code, came.err.contains("feeds.toml does not say what feeds are")), (1, true), "{}", came.err);
}

#[test]
fn an_app_that_is_not_there_is_named() {
    let place = Place::new();
    place.json("app create --json");
    let came = place.run("token --app 7 --server");
    assert_eq!((came.code, came.err.contains("there is no app `7`")), (1, true), "{}", came.err);
}

#[test]
fn a_token_is_signed_for_a_user_or_the_server() {
    let place = Place::new();
    place.json("app create --secret secret-1 --json");
    let user = place.run("token --app 1 --user anna").out;
    assert_eq!(user.trim().split('.').count(), 3);
    assert_ne!(user, place.json("token --app 1 --server --json")["token"].as_str().unwrap());
}

#[test]
fn a_running_server_does_the_work_itself_and_drains_at_sigterm() {
    let place = Place::new();
    let served = Served::start(&place, "--app-key key-1 --app-secret secret-1 --app-id 3");
    let app = &served.lines[0];
    assert_eq!((&app["key"], &app["secret"], &app["app_id"]), (&"key-1".into(), &"secret-1".into(), &3.into()));
    assert_eq!(app["url"], served.lines[1]["url"]);
    assert_eq!(served.lines[1]["event"], "ready");
    assert_eq!(place.json("app list --json")["apps"][0]["id"], 3);
    assert_eq!(place.json("app create --name second --json")["id"], 4);
    assert!(place.run("token --app 3 --server").out.trim().len() > 20);
    let came = place.run("check");
    assert_eq!((came.code, came.err.contains("another Millpond")), (1, true), "{}", came.err);
    assert_eq!(served.stop(), 0);
    assert!(!place.data_dir().join("admin.json").exists());
    assert_eq!(place.json("app list --json")["apps"].as_array().unwrap().len(), 2);
}

#[test]
fn what_lets_others_in_is_readable_by_the_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let _served = Served::start(&place, "");
    for name in ["admin.json", "server.key"] {
        let mode = std::fs::metadata(place.data_dir().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn an_ephemeral_server_leaves_nothing_behind() {
    let place = Place::new();
    let tmp = place.dir.path().join("tmp");
    std::fs::create_dir(&tmp).unwrap();
    let mut command = place.command("serve --ephemeral --listen 127.0.0.1:0 --log-level error");
    let mut child = command.env("TMPDIR", &tmp).stdout(Stdio::piped()).spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let ready = out.lines().map(Result::unwrap).find(|line| line.starts_with("ready http://127.0.0.1:"));
    assert!(ready.is_some() && !is_empty(&tmp));
    assert_eq!(Served { child, lines: Vec::new() }.stop(), 0);
    assert!(is_empty(&tmp) && !place.data_dir().exists());
}

fn is_empty(dir: &Path) -> bool {
    std::fs::read_dir(dir).unwrap().next().is_none()
}

#[test]
fn what_is_left_of_somebody_is_told_by_place_and_never_by_content() {
    let place = Place::new();
    place.json("app create --name shop-of-ann --json");
    let clean = place.run("check --residue ann --needle ann@example.com");
    assert_eq!((clean.code, clean.out.starts_with("nothing is left: ")), (0, true), "{}", clean.out);
    let found = place.run("check --residue ann --needle Shop-of-Ann");
    assert_eq!(found.code, 1);
    assert!(found.out.starts_with("app 0, table app (app id): 1 rows, needle 1\nsomething is left: "), "{}", found.out);
    assert!(!found.out.to_lowercase().contains("shop"), "{}", found.out);
    let elsewhere = place.run("check --residue ann --needle shop-of-ann --app 1 --json");
    let told: serde_json::Value = serde_json::from_str(&elsewhere.out).unwrap();
    assert_eq!((elsewhere.code, &told["is_clean"], &told["rows"]), (0, &true.into(), &serde_json::json!([])));
    assert_eq!(place.run("check --needle x").code, 2);
}

#[test]
fn a_compacted_directory_holds_what_it_held() {
    let place = Place::new();
    let made = place.json("app create --name shop --json");
    assert_eq!(place.json("compact --json")["outcome"], "compacted");
    assert_eq!(place.json("app list --json")["apps"], serde_json::json!([made]));
    assert_eq!(place.json("check --json")["outcome"], "whole");
}

#[test]
fn a_backup_is_checked_and_restored() {
    let place = Place::new();
    let made = place.json("app create --name shop --json");
    let backed_up = place.json("backup pond.dump --json");
    assert_eq!(backed_up["outcome"], "backed up");
    assert_eq!(place.json("check --backup pond.dump --json")["rows"], backed_up["rows"]);
    assert_eq!(place.json("restore pond.dump --data-dir other --json")["rows"], backed_up["rows"]);
    std::fs::copy(place.data_dir().join("server.key"), place.dir.path().join("other/server.key")).unwrap();
    assert_eq!(place.json("app list --data-dir other --json")["apps"], serde_json::json!([made]));
}
