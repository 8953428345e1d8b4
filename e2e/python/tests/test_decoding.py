"""What a strict client makes of answers, and what the server makes of a strict client's requests (v2 §1.4, §8 no. 34, 45, 57, 59,
60, 64): the routes of users, tasks and privacy in the v2 dialect, over plain HTTP, decoded by the contract's own models."""

import json
import threading
import uuid

import pytest

from models import check, faults
from test_privacy import Caller

NEEDLE = "Needle-7f3c"


@pytest.fixture
def server():
    return Caller("api/v2/")


@pytest.fixture
def pair(server):
    """Ann, who has one of everything that is embedded in a user, and bob, whom she mutes, blocks and reports."""
    name = uuid.uuid4().hex[:12]
    ann, bob = f"ann-{name}", f"bob-{name}"
    user = {
        "id": ann,
        "name": f"Ann {NEEDLE}",
        "image": "https://x.test/a.png",
        "teams": ["red"],
        "teams_role": {"red": "admin"},
        "language": "en",
        "custom": {"email": f"{name}@example.com", "level": 7},
        "privacy_settings": {"typing_indicators": {"enabled": False}},
    }
    server.ok("POST", "users", {"users": {ann: user, bob: {"id": bob}}})
    server.ok("POST", "devices", {"id": f"phone-{name}", "push_provider": "firebase", "user_id": ann})
    server.ok("POST", "moderation/mute", {"target_ids": [bob], "timeout": 5, "user_id": ann})
    server.ok("POST", "users/block", {"blocked_user_id": bob, "user_id": ann})
    for by, about, reason in ((ann, bob, "abuse"), (bob, ann, "spam")):
        flag = {"entity_type": "stream:user", "entity_id": about, "reason": reason, "user_id": by}
        server.ok("POST", "moderation/flag", flag)
    data = {"created_by_id": ann, "members": [ann, bob]}
    server.ok("POST", f"chat/channels/messaging/{name}/query", {"data": data})
    for message, user in (("a", ann), ("b", bob)):
        said = {"id": f"{message}-{name}", "user_id": user, "text": f"{NEEDLE} @{bob}", "mentioned_users": [bob]}
        server.ok("POST", f"chat/channels/messaging/{name}/message", {"message": said})
        reaction = {"type": "like", "score": 3, "user_id": ann}
        server.ok("POST", f"chat/messages/{message}-{name}/reaction", {"reaction": reaction})
    return ann, bob


def _found(server, filter_conditions):
    return server.ok("GET", "users", payload=json.dumps({"filter_conditions": filter_conditions}))


def _ended(server, path, body=None):
    """Asks for something that takes long: each answer on the way decodes."""
    started = server.ok("POST", path, body)
    check("Started", started)
    server.wait_for_either(started["task_id"])
    task = server.ok("GET", f"tasks/{started['task_id']}")
    check("GetTask", task)
    assert task["created_at"] <= task["updated_at"]
    assert ("error" in task) == (task["status"] == "failed"), task
    return task


def test_every_answer_about_users_tasks_and_privacy_decodes_in_a_strict_client(server, pair):
    ann, bob = pair
    cat = f"cat-{uuid.uuid4().hex[:8]}"
    check("GetUsers", _found(server, {"id": {"$in": [ann, bob]}}))
    for path, query, model in (
        (f"users/{ann}/export", {}, "ExportUser"),
        ("users/block", {"user_id": ann}, "GetBlocks"),
        ("moderation/user_report", {"user_id": ann}, "Report"),
        ("moderation/user_report", {"user_id": bob}, "Report"),
        ("devices", {"user_id": ann}, "Devices"),
        ("rate_limits", {}, "RateLimits"),
    ):
        check(model, server.ok("GET", path, **query))
    patch = {"users": [{"id": ann, "set": {"country": "nl"}, "unset": ["level"]}]}
    check("UpdateUsers", server.ok("PATCH", "users", patch))
    for path, body, model in (
        ("users", {"users": {cat: {"id": cat}}}, "UpdateUsers"),
        ("guest", {"user": {"id": f"visitor-{cat}"}}, "Guest"),
        ("users/block", {"blocked_user_id": cat, "user_id": bob}, "Block"),
        ("users/unblock", {"blocked_user_id": cat, "user_id": bob}, "Empty"),
        ("moderation/mute", {"target_ids": [cat, "nobody"], "user_id": bob}, "Mute"),
        ("moderation/flag", {"entity_type": "stream:user", "entity_id": cat, "user_id": bob}, "Flag"),
        ("moderation/flags", {}, "Flags"),
        (f"users/{cat}/deactivate", {"created_by_id": ann}, "OneUser"),
        (f"users/{cat}/reactivate", {"name": "Cat"}, "OneUser"),
    ):
        check(model, server.ok("POST", path, body))
    for path, body in (
        ("users/deactivate", {"user_ids": [cat]}),
        ("users/reactivate", {"user_ids": [cat]}),
        ("export/users", {"user_ids": [ann]}),
        # Nobody is exported, and the task fails.
        ("export/users", {"user_ids": [f"nobody-{cat}"]}),
        ("chat/export_channels", {"channels": [{"type": "messaging", "id": ann.split("-")[1]}]}),
        (f"feeds/users/{ann}/export", None),
        (f"feeds/users/{ann}/delete", None),
        ("users/delete", {"user_ids": [cat, f"nobody-{cat}"]}),
    ):
        _ended(server, path, body)
    check("Empty", server.ok("POST", "users/restore", {"user_ids": [cat]}))
    hard = {"user_ids": [ann], "user": "hard", "messages": "hard", "conversations": "hard"}
    assert _ended(server, "users/delete", hard)["result"] == {ann: {"status": "ok"}}
    check("GetUsers", _found(server, {"id": bob}))
    check("Report", server.ok("GET", "moderation/user_report", user_id=bob))


def test_nulls_for_lists_and_maps_are_not_given_and_clear_nothing(server, pair):
    ann, bob = pair
    before = _found(server, {"id": ann})["users"][0]
    user = {"id": ann, "teams": None, "teams_role": None, "privacy_settings": None}
    server.ok("POST", "users", {"users": {ann: user}})
    server.ok("PATCH", "users", {"users": [{"id": ann, "set": None, "unset": None}]})
    after = _found(server, {"id": ann})["users"][0]
    assert faults("FullUserResponse", after) == []
    for name in ("teams", "teams_role", "privacy_settings", "devices", "blocked_user_ids"):
        assert after[name] == before[name], name
    for path, body in (
        ("users/delete", {"user_ids": None}),
        ("users/restore", {"user_ids": None}),
        ("users/deactivate", {"user_ids": None}),
        ("users/reactivate", {"user_ids": None}),
        ("export/users", {"user_ids": None}),
        ("users", {"users": None}),
        ("moderation/mute", {"target_ids": None, "user_id": ann}),
    ):
        status, answer = server.call("POST", path, body)
        assert (status, answer["code"]) == (400, 4), (path, answer)
    modes = dict.fromkeys(
        ("user", "messages", "conversations", "calls", "files", "new_channel_owner_id", "new_call_owner_id")
    )
    assert _ended(server, "users/delete", {"user_ids": [bob], **modes})["result"] == {bob: {"status": "ok"}}


def test_ids_are_escaped_lists_are_split_at_commas_and_the_actor_may_stand_in_the_query(server, pair):
    ann, bob = pair
    odd = f"a@{ann}.c"
    server.ok("POST", "users", {"users": {odd: {"id": odd}}})
    assert server.ok("GET", f"users/{odd.replace('@', '%40')}/export")["user"]["id"] == odd
    limits = server.ok("GET", "rate_limits", endpoints="GetUsers,DeleteUsers", android="", ios="")
    assert sorted(limits["server_side"]) == ["DeleteUsers", "GetUsers"]
    assert len(server.ok("GET", "rate_limits", endpoints="")["server_side"]) > 2, "no value is as if it were not there"
    server.ok("POST", "users/block", {"blocked_user_id": ann}, user_id=bob)
    assert server.ok("GET", "users/block", user_id=bob)["blocks"][0]["blocked_user_id"] == ann
    server.ok("POST", "users/unblock", {"blocked_user_id": ann}, user_id=bob)
    assert server.ok("GET", "users/block", user_id=bob)["blocks"] == []


def _feeds(server, pair):
    """Ann and bob post to each other's feeds, follow, comment, react and bookmark."""
    ann, bob = pair
    feeds = Caller("api/v2/feeds/")
    for user in pair:
        for group in ("user", "timeline"):
            feeds.ok("POST", f"feed_groups/{group}/feeds/{user}", {"user_id": user})
    for by in pair:
        for at in pair:
            text = NEEDLE if by == ann else "said by bob"
            activity = {"id": f"{by}-at-{at}", "type": "post", "feeds": [f"user:{at}"], "user_id": by, "text": text}
            feeds.ok("POST", "activities", activity)
    feeds.ok("POST", "follows", {"source": f"timeline:{bob}", "target": f"user:{ann}"})
    feeds.ok("POST", "follows", {"source": f"timeline:{ann}", "target": f"user:{bob}"})
    on = f"{bob}-at-{bob}"
    for by in pair:
        text = NEEDLE if by == ann else "said by bob"
        comment = {"id": f"c-{by}", "comment": text, "user_id": by, "object_id": on, "object_type": "activity"}
        feeds.ok("POST", "comments", comment)
        feeds.ok("POST", f"activities/{on}/reactions", {"type": "like", "user_id": by})
        feeds.ok("POST", f"activities/{on}/bookmarks", {"user_id": by, "new_folder": {"name": text}})
    for kind, thing in (("activity", f"{ann}-at-{ann}"), ("comment", f"c-{ann}")):
        flag = {
            "entity_type": f"stream:feeds:v3:{kind}",
            "entity_id": thing,
            "entity_creator_id": ann,
            "user_id": bob,
            "reason": "rude",
            "moderation_payload": {"texts": [NEEDLE]},
        }
        server.ok("POST", "moderation/flag", flag)
    return feeds


def _asked(server, feeds, bob):
    """What each question is answered, by the model that the answer has."""
    of_bob = {"filter": {"user_id": bob}}
    return [
        ("GetUsers", _found(server, {})),
        ("GetActivity", feeds.ok("GET", f"activities/{bob}-at-{bob}")),
        ("GetComment", feeds.ok("GET", f"comments/c-{bob}")),
        ("QueryActivities", feeds.ok("POST", "activities/query", of_bob)),
        ("QueryFeeds", feeds.ok("POST", "feeds/query", {"filter": {"created_by_id": bob}})),
        ("QueryBookmarks", feeds.ok("POST", "bookmarks/query", of_bob)),
        ("QueryFollows", feeds.ok("POST", "follows/query", {"filter": {"source_feed": f"timeline:{bob}"}})),
        ("Empty", server.ok("POST", "moderation/review_queue", {})),
        ("Flags", server.ok("POST", "moderation/flags", {})),
    ]


def test_after_an_erasure_whoever_asks_for_everything_finds_no_trace_and_can_read_all_answers(server, pair):
    ann, bob = pair
    feeds = _feeds(server, pair)
    before = _asked(server, feeds, bob)
    for model, answer in before:
        check(model, answer)
    assert sum(ann in json.dumps(answer) for _, answer in before) > 4, "before, most answers tell of her"
    pages = []
    for path, body in (
        (f"feed_groups/user/feeds/{bob}", {"user_id": bob, "limit": 1}),
        (f"feed_groups/timeline/feeds/{bob}", {"user_id": bob, "limit": 1}),
        (f"activities/{bob}-at-{bob}/reactions/query", {"limit": 1}),
    ):
        pages.append((path, body, feeds.ok("POST", path, body)["next"]))
    hard = {"user_ids": [ann], "user": "hard", "messages": "hard", "conversations": "hard", "files": True}
    assert _ended(server, "users/delete", hard)["result"] == {ann: {"status": "ok"}}
    for model, answer in _asked(server, feeds, bob):
        check(model, answer)
        # Bob's own comment of the same activity stands where it stood; of hers nothing is told.
        assert f'"{ann}"' not in json.dumps(answer) and f"-at-{ann}" not in json.dumps(answer).replace(
            f"{bob}-at-{ann}", ""
        ), (model, answer)
        assert NEEDLE not in json.dumps(answer).replace(f"{NEEDLE} @", "") or model in ("GetUsers", "Empty", "Flags")
    for path in (f"activities/{ann}-at-{ann}", f"activities/{ann}-at-{bob}"):
        assert feeds.call("GET", path)[0] == 404, path
    # Pages that were begun before go on without her.
    for path, body, following in pages:
        while following:
            page = feeds.ok("POST", path, {**body, "next": following})
            assert f'"{ann}"' not in json.dumps(page) and NEEDLE not in json.dumps(page), (path, page)
            following = page.get("next")


def test_deletions_of_one_user_that_come_together_all_complete_while_others_write(server, pair):
    ann, bob = pair
    hard = {"user_ids": [ann, ann], "user": "hard", "messages": "hard", "conversations": "hard"}
    tasks, refused = [], []

    def delete():
        tasks.append(server.ok("POST", "users/delete", hard)["task_id"])

    def write():
        as_ann = Caller("api/v2/", {"user_id": ann})
        room = f"chat/channels/messaging/{ann.split('-')[1]}/message"
        for _ in range(20):
            status, _ = as_ann.call("POST", room, {"message": {"text": NEEDLE}})
            refused.append(status)
            flag = {"entity_type": "stream:user", "entity_id": ann, "user_id": bob, "reason": "late"}
            server.call("POST", "moderation/flag", flag)

    workers = [threading.Thread(target=work) for work in (delete, delete, write, delete, delete)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(tasks) == 4
    for task in tasks:
        result = server.wait(task)["result"][ann]
        assert result["status"] in ("ok", "error"), result
    assert refused[-1] >= 400, "who is gone says nothing more"
    assert _found(server, {"id": ann})["users"] == []
    assert server.call("GET", f"users/{ann}/export")[0] == 404
