"""What an application makes of feeds v3, over plain HTTP, each answer decoded by the contract's own models (feeds-v3 §3, §4): a
notification feed, polls, shares, feedback, levels, metrics, collections and suggestions; and what an access request and a deletion of
feeds data make of all of it (v2 §4)."""

import json
import urllib.request
import uuid

import pytest

from models import check_call
from test_privacy import Caller

NEEDLE = "Needle-7f3c"


class Feeds(Caller):
    """Calls below `/api/v2/feeds`; what succeeds must decode as the contract says."""

    def __init__(self, claims=None):
        super().__init__("api/v2/feeds/", claims)

    def ok(self, method, path, body=None, **query):
        answer = super().ok(method, path, body, **query)
        check_call(method, path, answer)
        return answer


class Pair:
    """Two users with a feed and a timeline each, and ids that no other test uses."""

    def __init__(self):
        self.name = uuid.uuid4().hex[:12]
        self.ann, self.bob = f"ann-{self.name}", f"bob-{self.name}"
        self.feeds = Feeds()
        for user in (self.ann, self.bob):
            for group in ("user", "timeline"):
                self.feeds.ok("POST", f"feed_groups/{group}/feeds/{user}", {"user_id": user})

    def id(self, word):
        return f"{word}-{self.name}"

    def post(self, word, by, at, **more):
        body = {"id": self.id(word), "type": "post", "feeds": [f"user:{at}"], "user_id": by, "text": word, **more}
        return self.feeds.ok("POST", "activities", body)["activity"]


@pytest.fixture
def pair():
    return Pair()


def test_a_notification_feed_tells_who_did_what_and_counts_down_as_it_is_seen_and_read(pair):
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    pair.post("a1", ann, ann)
    told = {"user_id": bob, "create_notification_activity": True}
    reacted = feeds.ok("POST", f"activities/{pair.id('a1')}/reactions", {"type": "like", **told})
    assert reacted["notification_created"] is True
    comment = {"object_id": pair.id("a1"), "object_type": "activity", "comment": "nice", **told}
    assert feeds.ok("POST", "comments", comment)["notification_created"] is True
    follow = {"source": f"timeline:{bob}", "target": f"user:{ann}", "create_notification_activity": True}
    assert feeds.ok("POST", "follows", follow)["notification_created"] is True

    def page(**more):
        return feeds.ok("POST", f"feed_groups/notification/feeds/{ann}", {"user_id": ann, **more})

    first = page(enrichment_options={"include_flat_activities": True})
    assert sorted(one["type"] for one in first["activities"]) == ["comment", "follow", "reaction"]
    assert {one["user"]["id"] for one in first["activities"]} == {bob}
    status = first["notification_status"]
    assert (status["unseen"], status["unread"]) == (3, 3)
    group = first["aggregated_activities"][0]["group"]
    marks = f"feed_groups/notification/feeds/{ann}/activities/mark/batch"
    feeds.ok("POST", marks, {"user_id": ann, "mark_all_seen": True, "mark_read": [group]})
    status = page()["notification_status"]
    assert (status["unseen"], status["unread"]) == (0, 2)
    feeds.ok("DELETE", f"activities/{pair.id('a1')}/reactions/like", user_id=bob, delete_notification_activity="true")
    kinds = [one["type"] for group in page()["aggregated_activities"] for one in group["activities"]]
    assert sorted(kinds) == ["comment", "follow"]


def test_a_poll_on_an_activity_is_voted_in_answered_and_the_vote_is_taken_back(pair):
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    shared = Caller("api/v2/")
    poll = {
        "name": "Where?",
        "user_id": ann,
        "allow_answers": True,
        "options": [{"text": "Pond"}, {"text": "Lake"}],
    }
    poll = shared.ok("POST", "polls", poll)["poll"]
    assert pair.post("a1", ann, ann, poll_id=poll["id"])["poll"]["name"] == "Where?"
    votes = f"activities/{pair.id('a1')}/polls/{poll['id']}/vote"
    pond = poll["options"][0]["id"]
    cast = feeds.ok("POST", votes, {"user_id": bob, "vote": {"option_id": pond}})
    assert (cast["vote"]["option_id"], cast["poll"]["vote_counts_by_option"][pond]) == (pond, 1)
    answered = feeds.ok("POST", votes, {"user_id": bob, "vote": {"answer_text": "At the well"}})
    assert answered["poll"]["answers_count"] == 1
    gone = feeds.ok("DELETE", f"{votes}/{cast['vote']['id']}", user_id=bob)
    assert gone["poll"]["vote_counts_by_option"].get(pond, 0) == 0
    shown = feeds.ok("GET", f"activities/{pair.id('a1')}", user_id=bob)["activity"]["poll"]
    assert (shown["vote_count"], [vote["is_answer"] for vote in shown["own_votes"]]) == (0, [True])


def test_shares_are_counted_and_listed_and_a_deleted_share_counts_no_more(pair):
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    pair.post("a1", ann, ann)
    pair.post("s1", bob, bob, parent_id=pair.id("a1"))
    repost = {"type": "repost", "user_id": bob, "target_feeds": [f"timeline:{bob}"]}
    second = feeds.ok("POST", f"activities/{pair.id('a1')}/reactions", repost)["reference_activity"]
    assert (second["type"], second["parent"]["id"]) == ("repost", pair.id("a1"))
    shares = feeds.ok("GET", f"activities/{pair.id('a1')}/shares", limit=1)
    assert [share["activity_id"] for share in shares["shares"]] == [second["id"]], "the newest first"
    older = feeds.ok("GET", f"activities/{pair.id('a1')}/shares", limit=1, next=shares["next"])
    assert [(share["activity_id"], share["user"]["id"]) for share in older["shares"]] == [(pair.id("s1"), bob)]
    feeds.ok("DELETE", f"activities/{pair.id('s1')}", hard_delete="true")
    shown = feeds.ok("GET", f"activities/{pair.id('a1')}")["activity"]
    assert (shown["share_count"], len(shown["latest_shares"])) == (1, 1)


def test_feedback_hides_for_its_user_alone_and_metrics_add_up(pair):
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    pair.post("a1", ann, ann)
    feeds.ok("POST", f"activities/{pair.id('a1')}/feedback", {"hide": True, "user_id": bob})
    path = f"activities/{pair.id('a1')}"
    assert feeds.ok("GET", path, user_id=bob)["activity"]["hidden"] is True
    assert feeds.ok("GET", path, user_id=ann)["activity"]["hidden"] is False
    events = [
        {"activity_id": pair.id("a1"), "metric": "views"},
        {"activity_id": pair.id("a1"), "metric": "views", "delta": 4},
        {"activity_id": pair.id("none"), "metric": "views"},
    ]
    tracked = feeds.ok("POST", "activities/metrics/track", {"events": events, "user_id": bob})["results"]
    assert [result["allowed"] for result in tracked] == [True, True, False]
    assert feeds.ok("GET", path)["activity"]["metrics"] == {"views": 5}
    status, answer = feeds.call("POST", "activities/metrics/track", {"events": events})
    assert (status, answer["code"]) == (400, 4), "whose events they are must be said"


def test_a_level_opens_tagged_activities_to_its_members_and_others_see_a_preview(pair):
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    gold = pair.id("gold")
    level = {"id": gold, "name": "Gold", "priority": 7, "tags": ["premium"], "custom": {"price": 5}}
    assert feeds.ok("POST", "membership_levels", level)["membership_level"]["priority"] == 7
    feeds.ok("PATCH", f"membership_levels/{gold}", {"description": "for friends"})
    found = feeds.ok("POST", "membership_levels/query", {"filter": {"id": gold}})["membership_levels"]
    assert [(one["description"], one["custom"]) for one in found] == [("for friends", {"price": 5})]
    pair.post("a1", ann, ann, visibility="tag", visibility_tag="premium")

    def seen():
        activity = Feeds({"user_id": bob}).ok("GET", f"activities/{pair.id('a1')}")["activity"]
        return activity["preview"], activity.get("text")

    assert seen() == (True, None)
    member = {"operation": "upsert", "members": [{"user_id": bob, "membership_level": gold}]}
    added = feeds.ok("PATCH", f"feed_groups/user/feeds/{ann}/members", member)["added"]
    assert added[0]["membership_level"]["id"] == gold
    assert seen() == (False, "a1")
    feeds.ok("DELETE", f"membership_levels/{gold}")
    assert seen() == (True, None)


def test_collections_stand_in_activities_and_are_not_found_when_they_are_gone(pair):
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    film = {"name": "films", "id": pair.id("lotr"), "custom": {"title": "Rings"}}
    feeds.ok("POST", "collections", {"collections": [film], "user_id": ann})
    assert feeds.call("POST", "collections", {"collections": [film], "user_id": ann})[0] == 400
    ref = f"films:{film['id']}"
    inline = {"name": "films", "id": pair.id("dune"), "custom": {"title": "Dune"}}
    shown = pair.post("b1", bob, bob, collection_refs=[ref], collections=[inline])["collections"]
    assert {one["custom"]["title"] for one in shown.values()} == {"Rings", "Dune"}
    feeds.ok("PATCH", "collections", {"collections": [{**film, "custom": {"title": "Towers"}}]})
    read = feeds.ok("GET", "collections", collection_refs=f"{ref},films:none")["collections"]
    assert [(one["user_id"], one["custom"]) for one in read] == [(ann, {"title": "Towers"})]
    mine = feeds.ok("POST", "collections/query", {"user_id": bob, "filter": {"name": "films"}})["collections"]
    assert [one["id"] for one in mine] == [inline["id"]]
    feeds.ok("DELETE", "collections", collection_refs=ref)
    shown = feeds.ok("GET", f"activities/{pair.id('b1')}")["activity"]["collections"]
    assert {key: one["status"] for key, one in shown.items()} == {ref: "notfound", f"films:{inline['id']}": "ok"}


def test_whom_those_follow_whom_one_follows_is_suggested_and_interests_come_from_reactions(pair):
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    cat = pair.id("cat")
    feeds.ok("POST", f"feed_groups/user/feeds/{cat}", {"user_id": cat})
    for source, target in ((f"user:{ann}", f"user:{bob}"), (f"user:{bob}", f"user:{cat}")):
        feeds.ok("POST", "follows", {"source": source, "target": target})
    found = feeds.ok("GET", "feed_groups/user/follow_suggestions", user_id=ann, limit=50)["suggestions"]
    assert f"user:{cat}" in [one["feed"] for one in found]
    assert f"user:{bob}" not in [one["feed"] for one in found], "whom one follows is not suggested"
    pair.post("b1", bob, bob, interest_tags=[" Boats ", "tea"])
    feeds.ok("POST", f"activities/{pair.id('b1')}/reactions", {"type": "like", "user_id": ann})
    interests = feeds.ok("GET", f"users/{ann}/interests")["interests"]
    assert interests == [{"tag": "boats", "count": 1}, {"tag": "tea", "count": 1}]


def _everything(pair):
    """Ann has something in every set that an access request is answered with; all her words hold the needle. She is a member of
    bob's feed, too, which a softer deletion leaves."""
    feeds, ann, bob = pair.feeds, pair.ann, pair.bob
    pair.post("b1", bob, bob)
    pair.post("a1", ann, ann, text=NEEDLE, custom={"of": NEEDLE})
    feeds.ok("POST", "follows", {"source": f"timeline:{ann}", "target": f"user:{bob}"})
    feeds.ok("POST", "follows", {"source": f"timeline:{bob}", "target": f"user:{ann}"})
    on = {"object_id": pair.id("b1"), "object_type": "activity"}
    feeds.ok("POST", "comments", {"id": pair.id("c1"), "comment": NEEDLE, "user_id": ann, **on})
    feeds.ok("POST", "comments", {"id": pair.id("c2"), "comment": "bob's", "user_id": bob, "parent_id": pair.id("c1")})
    for of in (f"activities/{pair.id('b1')}", f"comments/{pair.id('c2')}"):
        told = {"type": "like", "user_id": ann, "custom": {"of": NEEDLE}, "create_notification_activity": True}
        feeds.ok("POST", f"{of}/reactions", told)
        feeds.ok("POST", f"{of}/bookmarks", {"user_id": ann, "new_folder": {"name": f"{NEEDLE} {of[:3]}"}})
    entry = {"name": "films", "id": pair.id("of-ann"), "custom": {"title": NEEDLE}}
    feeds.ok("POST", "collections", {"collections": [entry], "user_id": ann})
    feeds.ok("POST", f"activities/{pair.id('b1')}/feedback", {"show_more": True, "user_id": ann})
    feeds.ok("POST", f"feed_groups/user/feeds/{bob}/activities/mark/batch", {"mark_all_seen": True, "user_id": ann})
    member = {"operation": "upsert", "members": [{"user_id": ann}]}
    feeds.ok("PATCH", f"feed_groups/user/feeds/{bob}/members", member)


SETS = {
    "feeds": 2,
    "follows": 2,
    # Two of them tell bob of something.
    "activities": 3,
    "comments": 1,
    "reactions": 2,
    "bookmarks": 2,
    "bookmark_folders": 2,
    "collections": 1,
}


@pytest.mark.parametrize("prefix", ["", "api/v2/"], ids=["classic", "v2"])
@pytest.mark.parametrize("is_hard", [False, True], ids=["soft", "hard"])
def test_all_nine_sets_of_feeds_are_exported_and_deleted_and_the_account_stays(pair, prefix, is_hard):
    feeds, ann, bob, server = pair.feeds, pair.ann, pair.bob, Caller(prefix)
    _everything(pair)

    def exported():
        task = feeds.ok("POST", f"users/{ann}/export")["task_id"]
        with urllib.request.urlopen(server.wait(task)["result"]["url"], timeout=10) as file:
            return json.load(file)

    told = exported()
    assert {name: len(told[name]) for name in SETS} == SETS
    assert told["user"]["id"] == ann and "bob's" not in json.dumps(told)
    beside = {name: len(rows) for name, rows in told["extra"].items() if rows}
    assert beside == {"activity_feedback": 1, "mark_state": 1, "memberships": 1}
    gone = server.wait(feeds.ok("POST", f"users/{ann}/delete", {"hard_delete": is_hard})["task_id"])["result"]
    assert gone[ann] == {"status": "ok"}
    assert {name: gone["counts"][name] for name in SETS} == SETS
    for path in (f"activities/{pair.id('a1')}", f"feed_groups/user/feeds/{bob}"):
        status, answer = feeds.call("GET" if path.startswith("act") else "POST", path, {"user_id": bob})
        assert NEEDLE not in json.dumps(answer) and f'"{ann}"' not in json.dumps(answer.get("activities")), path
        assert status == (404 if path.startswith("act") else 201)
    for path, wanted in (
        ("bookmarks/query", {"user_id": ann}),
        ("bookmark_folders/query", {"user_id": ann}),
        ("activities/query", {"user_id": ann}),
        ("comments/query", {"user_id": ann}),
        ("collections/query", {"user_id": ann}),
        ("feeds/query", {"created_by_id": ann}),
        ("follows/query", {"source_feed": f"timeline:{ann}"}),
        ("follows/query", {"target_feed": f"user:{ann}"}),
    ):
        found = feeds.ok("POST", path, {"filter": wanted})
        rows = next(value for value in found.values() if isinstance(value, list))
        assert rows == [], path
    notified = feeds.ok("POST", f"feed_groups/notification/feeds/{bob}", {"user_id": bob})
    assert notified["aggregated_activities"] == [], "what bob was told of her is gone"
    left = exported()
    assert {name: len(left[name]) for name in SETS if left[name]} == (
        {} if is_hard else {"feeds": 2, "activities": 3, "comments": 1, "collections": 1}
    ), "softly, what is kept is still hers to know of"
    payload = json.dumps({"filter_conditions": {"id": ann}})
    assert [user["id"] for user in server.ok("GET", "users", payload=payload)["users"]] == [ann]
    # She begins anew, and empty.
    again = feeds.ok("POST", f"feed_groups/user/feeds/{ann}", {"user_id": ann})
    assert (again["created"], again["activities"], again["feed"]["follower_count"]) == (True, [], 0)
