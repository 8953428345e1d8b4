"""What people and moderators do with messages, over plain HTTP and in both dialects: threads, drafts, reminders, polls, the review
queue, imports (chat §11.4 to §11.6, §11.12; v2 §6.5)."""

import json
import time
import urllib.request

import pytest
from test_chat_plain import DIALECTS, fresh
from test_privacy import EVERY_SECONDS, WAIT_SECONDS, Caller


@pytest.fixture
def cid():
    return fresh()


def room(server, chat, channel, *people):
    data = {"created_by_id": people[0], "members": [{"user_id": user} for user in people]}
    server.ok("POST", f"{chat}channels/messaging/{channel}/query", {"data": data})


def say(server, chat, channel, user, text, **more):
    message = {"id": fresh(), "text": text, "user_id": user, **more}
    return server.ok("POST", f"{chat}channels/messaging/{channel}/message", {"message": message})["message"]


@DIALECTS
def test_a_thread_is_listed_counted_read_and_named(prefix, chat, cid):
    server, amy, bob = Caller(prefix), f"amy-{fresh()}", f"bob-{fresh()}"
    room(server, chat, cid, amy, bob)
    parent = say(server, chat, cid, amy, "who comes?")["id"]
    for text in ("me", "me too"):
        assert say(server, chat, cid, bob, text, parent_id=parent)["type"] == "reply"
    threads = server.ok("POST", f"{chat}threads", {"user_id": amy})["threads"]
    assert [(thread["parent_message_id"], thread["reply_count"]) for thread in threads] == [(parent, 2)]
    assert [reply["text"] for reply in threads[0]["latest_replies"]] == ["me", "me too"]
    unread = server.ok("GET", f"{chat}unread", user_id=amy)
    assert [(thread["parent_message_id"], thread["unread_count"]) for thread in unread["threads"]] == [(parent, 2)]
    asked = {"thread_unread_counts": True, "user_id": amy}
    state = server.ok("POST", f"{chat}channels/messaging/{cid}/query", asked)
    assert [thread["parent_message_id"] for thread in state["threads"]] == [parent]
    server.ok("POST", f"{chat}channels/messaging/{cid}/read", {"user_id": amy, "thread_id": parent})
    assert server.ok("GET", f"{chat}unread", user_id=amy)["total_unread_threads_count"] == 0
    named = server.ok("PATCH", f"{chat}threads/{parent}", {"user_id": amy, "set": {"title": "Guests"}})["thread"]
    assert named["title"] == server.ok("GET", f"{chat}threads/{parent}")["thread"]["title"] == "Guests"


@DIALECTS
def test_a_draft_is_kept_found_and_thrown_away(prefix, chat, cid):
    server, amy = Caller(prefix), f"amy-{fresh()}"
    room(server, chat, cid, amy)
    path = f"{chat}channels/messaging/{cid}/draft"
    server.ok("POST", path, {"message": {"text": "dear", "user_id": amy}})
    first = server.ok("GET", path, user_id=amy)["draft"]["message"]
    found = server.ok("POST", f"{chat}drafts/query", {"user_id": amy})["drafts"]
    assert [(draft["channel_cid"], draft["message"]) for draft in found] == [(f"messaging:{cid}", first)]
    server.ok("DELETE", path, user_id=amy)
    assert server.ok("POST", f"{chat}drafts/query", {"user_id": amy})["drafts"] == []


@DIALECTS
def test_a_message_is_saved_for_later_moved_and_let_go(prefix, chat, cid):
    server, amy = Caller(prefix), f"amy-{fresh()}"
    room(server, chat, cid, amy)
    overrides = {"set": {"config_overrides": {"user_message_reminders": True}}}
    server.ok("PATCH", f"{chat}channels/messaging/{cid}", overrides)
    message = say(server, chat, cid, amy, "buy milk")["id"]
    path = f"{chat}messages/{message}/reminders"
    made = server.ok("POST", path, {"user_id": amy, "remind_at": "2040-01-01T00:00:00Z"})
    assert made.get("reminder", made)["message_id"] == message
    moved = server.ok("PATCH", path, {"user_id": amy, "remind_at": "2041-01-01T00:00:00Z"})["reminder"]
    assert moved["remind_at"] != made.get("reminder", made)["remind_at"]
    asked = {"user_id": amy, "filter": {"message_id": message}}
    assert len(server.ok("POST", f"{chat}reminders/query", asked)["reminders"]) == 1
    server.ok("DELETE", path, user_id=amy)
    assert server.ok("POST", f"{chat}reminders/query", asked)["reminders"] == []


@DIALECTS
def test_a_poll_is_attached_voted_on_and_closed(prefix, chat, cid):
    server, amy, bob = Caller(prefix), f"amy-{fresh()}", f"bob-{fresh()}"
    room(server, chat, cid, amy, bob)
    poll = {"name": "Lunch?", "options": [{"text": "soup"}, {"text": "cake"}], "user_id": amy}
    poll = server.ok("POST", "polls", poll)["poll"]
    soup = poll["options"][0]["id"]
    message = say(server, chat, cid, amy, "", poll_id=poll["id"])["id"]
    vote = {"vote": {"option_id": soup}, "user_id": bob}
    cast = server.ok("POST", f"{chat}messages/{message}/polls/{poll['id']}/vote", vote)
    assert cast["vote"]["option_id"] == soup and cast["poll"]["vote_counts_by_option"][soup] == 1
    votes = server.ok("POST", f"polls/{poll['id']}/votes", {"filter": {}})["votes"]
    assert [vote["user_id"] for vote in votes] == [bob]
    closed = server.ok("PATCH", f"polls/{poll['id']}", {"set": {"is_closed": True}, "user_id": amy})["poll"]
    assert closed["is_closed"]
    assert server.ok("GET", f"{chat}messages/{message}")["message"]["poll"]["is_closed"]


def test_a_reported_message_is_found_decided_about_and_closed(cid):
    server, amy, bob = Caller("api/v2/"), f"amy-{fresh()}", f"bob-{fresh()}"
    room(server, "chat/", cid, amy, bob)
    message = say(server, "chat/", cid, amy, "rubbish")["id"]
    report = {"entity_type": "stream:chat:v1:message", "entity_id": message, "user_id": bob, "reason": "rude"}
    item = server.ok("POST", "moderation/flag", report)["item_id"]
    asked = {"filter": {"entity_id": message}}
    found = server.ok("POST", "moderation/review_queue", asked)["items"]
    assert [(one["id"], one["message"]["text"], one["flags_count"]) for one in found] == [(item, "rubbish", 1)]
    decision = {"action_type": "delete_message", "item_id": item, "user_id": bob, "delete_message": {"reason": "rude"}}
    assert server.ok("POST", "moderation/submit_action", decision)["item"]["status"] == "reviewed"
    assert server.ok("GET", f"chat/messages/{message}")["message"]["type"] == "deleted"
    logs = server.ok("POST", "moderation/logs", {"filter": {"target_user_id": amy}})["logs"]
    assert "delete_message" in [log["type"] for log in logs]


@DIALECTS
def test_a_file_is_put_at_its_address_and_imported(prefix, chat):
    server, amy, channel = Caller(prefix), f"amy-{fresh()}", fresh()
    rows = [
        {"type": "user", "item": {"id": amy, "name": "Amy"}},
        {"type": "channel", "item": {"id": channel, "type": "messaging", "created_by": amy}},
        {
            "type": "message",
            "item": {
                "id": fresh(), "channel_type": "messaging", "channel_id": channel, "user": amy, "text": "before",
                "type": "regular", "created_at": "2020-01-01T00:00:00Z",
            },
        },
    ]
    place = server.ok("POST", "import_urls", {"filename": "rows.json"})
    upload = urllib.request.Request(place["upload_url"], json.dumps(rows).encode(), method="PUT")
    with urllib.request.urlopen(upload, timeout=30) as answer:
        assert answer.status == 200
    task = server.ok("POST", "imports", {"path": place["path"], "mode": "insert"})["import_task"]
    for _ in range(int(WAIT_SECONDS / EVERY_SECONDS)):
        task = server.ok("GET", f"imports/{task['id']}")["import_task"]
        if task["state"] in ("completed", "failed", "analyze_failed"):
            break
        time.sleep(EVERY_SECONDS)
    assert task["state"] == "completed", task
    state = server.ok("POST", f"{chat}channels/messaging/{channel}/query", {"state": True})
    assert [message["text"] for message in state["messages"]] == ["before"]
