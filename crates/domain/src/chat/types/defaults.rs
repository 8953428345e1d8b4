//! The grants that channel types begin with (chat §8.3, §8.4). They are not stored; what an app changes is.

use std::{collections::BTreeMap, sync::LazyLock};

/// Role → ids of permissions.
pub type Grants = BTreeMap<String, Vec<String>>;

const ADMIN: &str = "add-links ban-channel-member ban-user create-attachment create-call create-channel create-mention \
    create-message create-reaction create-system-message delete-attachment delete-channel delete-message \
    delete-reaction flag-message join-call mute-channel pin-message read-channel read-channel-members \
    read-message-flags recreate-channel remove-own-channel-membership run-message-action send-custom-event \
    skip-channel-cooldown skip-message-moderation truncate-channel unblock-message update-channel \
    update-channel-cooldown update-channel-frozen update-channel-members update-message upload-attachment";
const MODERATOR: &str = "add-links ban-channel-member ban-user create-attachment create-call create-channel \
    create-mention create-message create-reaction create-system-message delete-attachment delete-channel-owner \
    delete-message delete-reaction flag-message join-call mute-channel pin-message read-channel read-channel-members \
    read-message-flags recreate-channel-owner remove-own-channel-membership run-message-action send-custom-event \
    skip-channel-cooldown skip-message-moderation truncate-channel-owner unblock-message update-channel \
    update-channel-cooldown update-channel-frozen update-channel-members update-message upload-attachment";
const USER: &str = "add-links-owner create-attachment-owner create-channel create-mention-owner create-message-owner \
    create-reaction-owner delete-attachment-owner delete-channel-owner delete-message-owner delete-reaction-owner \
    flag-message-owner mute-channel-owner pin-message-owner read-channel-members-owner read-channel-owner \
    recreate-channel-owner remove-own-channel-membership-owner run-message-action-owner send-custom-event-owner \
    truncate-channel-owner update-channel-members-owner update-channel-owner update-message-owner \
    upload-attachment-owner";
const CHANNEL_MEMBER: &str = "add-links create-attachment create-call create-mention create-message create-reaction \
    flag-message join-call mute-channel pin-message read-channel read-channel-members remove-own-channel-membership \
    run-message-action send-custom-event upload-attachment";
const CHANNEL_MODERATOR: &str = "add-links ban-channel-member create-attachment create-call create-mention \
    create-message create-reaction create-system-message delete-attachment delete-message delete-reaction \
    flag-message join-call mute-channel pin-message read-channel read-channel-members read-message-flags \
    remove-own-channel-membership run-message-action send-custom-event skip-channel-cooldown skip-message-moderation \
    unblock-message update-channel update-channel-cooldown update-channel-frozen update-channel-members \
    update-message upload-attachment";
const COMMERCE_GUEST: &str = "add-links create-channel delete-attachment-owner delete-message-owner \
    delete-reaction-owner flag-message-owner mute-channel-owner pin-message-owner read-channel-members-owner \
    read-channel-owner update-channel-members-owner update-message-owner upload-attachment";
const LIVESTREAM_USER: &str = "add-links create-attachment create-channel create-mention create-message \
    create-reaction delete-attachment-owner delete-message-owner delete-reaction-owner flag-message join-call \
    mute-channel pin-message-owner read-channel read-channel-members run-message-action send-custom-event \
    update-message-owner upload-attachment";
const LIVESTREAM_CHANNEL_MODERATOR: &str = "ban-channel-member create-call create-system-message delete-attachment \
    delete-message delete-reaction pin-message read-message-flags skip-channel-cooldown skip-message-moderation \
    unblock-message update-channel-cooldown update-channel-frozen update-message";
const LIVESTREAM_GUEST: &str = "flag-message join-call mute-channel read-channel read-channel-members";
const LIVESTREAM_ANONYMOUS: &str = "join-call read-channel read-channel-members";

/// Grants of moderators and users over channels that they made.
const OWN_CHANNELS: &str = "delete-channel-owner recreate-channel-owner truncate-channel-owner";

const APP_STAFF: &str = "flag-user mute-user read-flag-reports search-user update-flag-report update-user-owner";
const APP_USER: &str = "flag-user mute-user search-user update-user-owner";
const APP_GLOBAL: &str = "flag-user-any-team mute-user-any-team read-flag-reports-any-team search-user-any-team \
    update-flag-report-any-team update-user-owner";

/// The roles of apps with many teams, whose grants mean every team.
pub const GLOBAL_ROLES: [&str; 2] = ["global_admin", "global_moderator"];

static OF_TYPES: LazyLock<BTreeMap<&str, Grants>> =
    LazyLock::new(|| super::BUILT_IN.into_iter().map(|kind| (kind, with_global_roles(of_built_in(kind)))).collect());

static OF_APP: LazyLock<Grants> = LazyLock::new(|| {
    grants([
        ("admin", list(APP_STAFF)),
        ("moderator", list(APP_STAFF)),
        ("user", list(APP_USER)),
        ("guest", list(APP_USER)),
        ("anonymous", Vec::new()),
        ("global_admin", list(APP_GLOBAL)),
        ("global_moderator", list(APP_GLOBAL)),
    ])
});

/// What the type `name` grants before anybody changes it; a type of the app's own begins as `messaging`.
pub fn of_type(name: &str) -> &'static Grants {
    OF_TYPES.get(name).unwrap_or_else(|| &OF_TYPES["messaging"])
}

/// What is granted outside of channels before anybody changes it.
pub fn of_app() -> &'static Grants {
    &OF_APP
}

fn of_built_in(kind: &str) -> Grants {
    let messaging =
        |guest, anonymous, moderator: Vec<String>, user: Vec<String>, member: Vec<String>, staff: Vec<String>| {
            grants([
                ("admin", list(ADMIN)),
                ("moderator", moderator),
                ("user", user),
                ("channel_member", member),
                ("channel_moderator", staff),
                ("guest", list(guest)),
                ("anonymous", list(anonymous)),
            ])
        };
    let moderator_without = |gone: &str| without(&without_own(MODERATOR), gone);
    match kind {
        "gaming" => messaging(
            "",
            "",
            moderator_without("create-channel update-channel update-channel-members"),
            without(
                &without_own(USER),
                "create-channel pin-message-owner update-channel-members-owner update-channel-owner",
            ),
            without(&list(CHANNEL_MEMBER), "pin-message"),
            without(&list(CHANNEL_MODERATOR), "update-channel update-channel-members"),
        ),
        "commerce" => messaging(
            COMMERCE_GUEST,
            "",
            moderator_without(""),
            without(&without_own(USER), "create-channel update-channel-owner"),
            without(&list(CHANNEL_MEMBER), "create-call pin-message"),
            list(CHANNEL_MODERATOR),
        ),
        "livestream" => messaging(
            LIVESTREAM_GUEST,
            LIVESTREAM_ANONYMOUS,
            moderator_without("remove-own-channel-membership update-channel update-channel-members"),
            list(LIVESTREAM_USER),
            Vec::new(),
            list(LIVESTREAM_CHANNEL_MODERATOR),
        ),
        _ => messaging("", "", list(MODERATOR), list(USER), list(CHANNEL_MEMBER), list(CHANNEL_MODERATOR)),
    }
}

fn with_global_roles(mut of_type: Grants) -> Grants {
    for (global, role) in GLOBAL_ROLES.into_iter().zip(["admin", "moderator"]) {
        let everywhere = of_type[role].iter().map(|id| format!("{id}-any-team")).collect();
        of_type.insert(global.to_owned(), everywhere);
    }
    of_type
}

fn grants<const N: usize>(roles: [(&str, Vec<String>); N]) -> Grants {
    roles.into_iter().map(|(role, ids)| (role.to_owned(), ids)).collect()
}

fn list(ids: &str) -> Vec<String> {
    ids.split_whitespace().map(str::to_owned).collect()
}

fn without(ids: &[String], gone: &str) -> Vec<String> {
    ids.iter().filter(|id| !gone.split_whitespace().any(|gone| gone == *id)).cloned().collect()
}

fn without_own(ids: &str) -> Vec<String> {
    without(&list(ids), OWN_CHANNELS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(kind: &str) -> [usize; 7] {
        ["admin", "moderator", "user", "channel_member", "channel_moderator", "guest", "anonymous"]
            .map(|role| of_type(kind)[role].len())
    }

    #[test]
    fn each_type_begins_with_the_grants_of_the_contract() {
        assert_eq!(counts("messaging"), [35, 35, 24, 16, 30, 0, 0]);
        assert_eq!(counts("team"), counts("messaging"));
        assert_eq!(counts("gaming"), [35, 29, 17, 15, 28, 0, 0]);
        assert_eq!(counts("commerce"), [35, 32, 19, 14, 30, 13, 0]);
        assert_eq!(counts("livestream"), [35, 29, 19, 0, 14, 5, 3]);
        assert_eq!(counts("of-the-app"), counts("messaging"));
    }

    #[test]
    fn grants_are_sorted_and_stand_once() {
        for kind in super::super::BUILT_IN {
            for (role, ids) in of_type(kind) {
                assert!(ids.is_sorted_by(|a, b| a < b), "{kind} {role}");
            }
        }
    }

    #[test]
    fn global_roles_are_granted_the_same_in_any_team() {
        assert_eq!(of_type("messaging")["global_moderator"].len(), 35);
        assert!(of_type("messaging")["global_moderator"].contains(&"delete-channel-owner-any-team".to_owned()));
    }
}
