"""What an application's own server sets up and changes in one go, over plain HTTP and in both dialects: batches of channels,
predefined filters and groups, push, retention (chat §11.3, §11.9, §11.14.14)."""

import time
import uuid

import pytest
from test_privacy import EVERY_SECONDS, WAIT_SECONDS, Caller

DIALECTS = pytest.mark.parametrize("prefix, chat", [("", ""), ("api/v2/", "chat/")], ids=["classic", "v2"])


def fresh():
    return uuid.uuid4().hex[:12]


def done(server, task):
    """The result of a task, once it is there."""
    for _ in range(int(WAIT_SECONDS / EVERY_SECONDS)):
        answer = server.ok("GET", f"tasks/{task}")
        if answer["status"] in ("completed", "failed"):
            assert answer["status"] == "completed", answer
            return answer["result"]
        time.sleep(EVERY_SECONDS)
    raise AssertionError(f"task {task} did not end in {WAIT_SECONDS} s")


@DIALECTS
def test_a_batch_changes_channels_and_says_which_it_could_not(prefix, chat):
    server, amy = Caller(prefix), f"amy-{fresh()}"
    ids = [fresh() for _ in range(3)]
    for channel in ids[:2]:
        server.ok("POST", f"{chat}channels/messaging/{channel}/query", {"data": {"created_by_id": amy}})
    cids = [f"messaging:{channel}" for channel in ids]
    batch = {"operation": "addMembers", "filter": {"cids": {"$in": cids}}, "members": [{"user_id": amy}]}
    result = done(server, server.ok("PUT", f"{chat}channels/batch", batch)["task_id"])
    assert result["success_channels_count"] == 2
    assert [failed["cids"] for failed in result["failed_channels"]] == [[cids[2]]]
    found = server.ok("POST", f"{chat}channels", {"filter_conditions": {"members": {"$in": [amy]}}})
    assert {state["channel"]["id"] for state in found["channels"]} == set(ids[:2])


@DIALECTS
def test_a_predefined_filter_is_filled_in_and_is_a_group(prefix, chat):
    server, amy, name = Caller(prefix), f"amy-{fresh()}", f"mine-{fresh()}"
    data = {"data": {"created_by_id": amy, "members": [{"user_id": amy}]}}
    channel = fresh()
    server.ok("POST", f"{chat}channels/messaging/{channel}/query", data)
    server.ok("PATCH", "app", {"predefined_filters": {name: {"filter": {"members": {"$in": ["{{user_id}}"]}}}}})
    found = server.ok("POST", f"{chat}channels", {"predefined_filter": name, "user_id": amy})
    assert [state["channel"]["id"] for state in found["channels"]] == [channel]
    assert found["predefined_filter"]["filter"] == {"members": {"$in": [amy]}}
    grouped = server.ok("POST", f"{chat}channels/grouped", {"groups": {name: {}}, "user_id": amy})
    assert [state["channel"]["id"] for state in grouped["groups"][name]["channels"]] == [channel]


@DIALECTS
def test_push_is_stored_and_rendered_and_nothing_is_said_to_be_sent(prefix, chat):
    server, amy, name = Caller(prefix), f"amy-{fresh()}", fresh()
    data = {"data": {"created_by_id": amy, "members": [{"user_id": amy}]}}
    channel, message = fresh(), fresh()
    server.ok("POST", f"{chat}channels/messaging/{channel}/query", data)
    said = {"message": {"id": message, "text": "hi", "user_id": amy}}
    server.ok("POST", f"{chat}channels/messaging/{channel}/message", said)
    provider = {"type": "apn", "name": name, "apn_auth_key": "secret", "apn_notification_template": "{{ message.text }}"}
    shown = server.ok("POST", "push_providers", {"push_provider": provider})["push_provider"]
    assert shown["apn_auth_key"] == "********"
    try:
        device = {"id": fresh(), "user_id": amy, "push_provider": "apn", "push_provider_name": name}
        server.ok("POST", "devices", device)
        checked = {"user_id": amy, "message_id": message, "push_provider_type": "apn", "push_provider_name": name}
        answer = server.ok("POST", "check_push", checked)
        assert answer["rendered_apn_template"] == "hi"
        assert answer["rendered_message"]["message_id"] == message
        assert "nothing was sent" in answer["device_errors"][device["id"]]["error_message"]
        wanted = {"preferences": [{"user_id": amy, "chat_level": "none"}]}
        assert server.ok("POST", "push_preferences", wanted)["user_preferences"] == {amy: {"chat_level": "none"}}
    finally:
        server.ok("DELETE", f"push_providers/apn/{name}")


@DIALECTS
def test_a_retention_policy_is_set_shown_and_ended(prefix, chat):
    server = Caller(prefix)
    # Nothing here is ten years old.
    policy = {"policy": "old-messages", "max_age_hours": 24 * 366 * 10}
    set_to = server.ok("POST", f"{chat}retention_policy", policy)["policy"]
    try:
        assert set_to["config"] == {"max_age_hours": policy["max_age_hours"]}
        assert set_to in server.ok("GET", f"{chat}retention_policy")["policies"]
        assert isinstance(server.ok("POST", f"{chat}retention_policy/runs", {})["runs"], list)
    finally:
        server.ok("POST", f"{chat}retention_policy/delete", {"policy": "old-messages"})
