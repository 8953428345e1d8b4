"""The calls that a privacy connector makes for a person, over plain HTTP and in both dialects (v2 §2.3, §2.5, §2.7, §3).

Access: find the person by e-mail, export what is stored, ask for moderation's report. Deletion: everything hard, then look
at the task until it is done; after that nothing may be found.
"""

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import jwt
import pytest

# How often and how long a connector looks at a task.
EVERY_SECONDS = 0.2
WAIT_SECONDS = 60


def _token(claims):
    return jwt.encode(claims, os.environ["STREAM_API_SECRET"], algorithm="HS256")


class Caller:
    """An application's own server, or a user with `claims`, in the dialect that begins with `prefix`."""

    def __init__(self, prefix, claims=None):
        self.prefix = prefix
        self.token = _token(claims or {"server": True})

    def call(self, method, path, body=None, **query):
        query = urllib.parse.urlencode({"api_key": os.environ["STREAM_API_KEY"], **query})
        request = urllib.request.Request(
            f"{os.environ['MILLPOND_URL']}/{self.prefix}{path}?{query}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": self.token,
                "Stream-Auth-Type": "jwt",
                "Content-Type": "application/json",
            },
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def ok(self, method, path, body=None, **query):
        status, answer = self.call(method, path, body, **query)
        assert status in (200, 201), (path, answer)
        return answer

    def find(self, email):
        payload = json.dumps({"filter_conditions": {"email": email}})
        return [user["id"] for user in self.ok("GET", "users", payload=payload)["users"]]

    def wait(self, task):
        """The task when it is done: its status only goes forward on the way."""
        order = ["waiting", "pending", "running", "completed"]
        until, reached = time.monotonic() + WAIT_SECONDS, 0
        while time.monotonic() < until:
            told = self.ok("GET", f"tasks/{task}")
            assert told["status"] in order[reached:], told
            reached = order.index(told["status"])
            if told["status"] == "completed":
                return told
            assert "result" not in told, told
            time.sleep(EVERY_SECONDS)
        raise AssertionError(f"the task is {told['status']} after {WAIT_SECONDS} seconds")

    def wait_for_either(self, task):
        """Waits until the task is completed or has failed."""
        until = time.monotonic() + WAIT_SECONDS
        while self.ok("GET", f"tasks/{task}")["status"] not in ("completed", "failed"):
            assert time.monotonic() < until, f"the task is not done after {WAIT_SECONDS} seconds"
            time.sleep(EVERY_SECONDS)


@pytest.fixture(params=["", "api/v2/"], ids=["classic", "v2"])
def server(request):
    return Caller(request.param)


@pytest.fixture
def person(server):
    """Somebody with an e-mail address who talks with another and was reported."""
    name = uuid.uuid4().hex[:12]
    ann, bob, email = f"ann-{name}", f"bob-{name}", f"{name}@example.com"
    custom = {"email": email} if server.prefix == "" else {"custom": {"email": email}}
    server.ok("POST", "users", {"users": {ann: {"id": ann, "name": "Ann", **custom}, bob: {"id": bob}}})
    chat = "chat/" if server.prefix else ""
    data = {"created_by_id": bob, "members": [ann, bob]}
    server.ok("POST", f"{chat}channels/messaging/{name}/query", {"data": data})
    for message, user in (("a", ann), ("b", bob)):
        body = {"message": {"id": f"{message}-{name}", "user_id": user, "text": f"said by {user}"}}
        server.ok("POST", f"{chat}channels/messaging/{name}/message", body)
    server.ok("POST", f"{chat}messages/b-{name}/reaction", {"reaction": {"type": "like", "user_id": ann}})
    flag = {"entity_type": "stream:user", "entity_id": ann, "user_id": bob, "reason": "rude"}
    server.ok("POST", "moderation/flag", flag)
    return ann, bob, email


def test_an_access_request_finds_the_person_and_all_that_is_stored(server, person):
    ann, bob, email = person
    assert server.find(email) == [ann]
    assert server.find("nobody@example.com") == []
    export = server.ok("GET", f"users/{ann}/export")
    assert export["user"]["id"] == ann
    assert [message["text"] for message in export["messages"]] == [f"said by {ann}"]
    assert [reaction["type"] for reaction in export["reactions"]] == ["like"]
    report = server.ok("GET", "moderation/user_report", user_id=ann)
    assert (report["summary"]["flags_received"], report["flags_received"][0]["reason"]) == (1, "rude")
    assert bob not in json.dumps(report), "who reported is not told"


def test_a_deletion_request_leaves_nothing_that_another_request_finds(server, person):
    ann, bob, email = person
    hard = {
        "user_ids": [ann],
        "user": "hard",
        "messages": "hard",
        "conversations": "hard",
        "calls": "hard",
        "files": "hard",
    }
    task = server.ok("POST", "users/delete", hard)["task_id"]
    assert server.find(email) == [], "gone before the task is done"
    assert server.wait(task)["result"] == {ann: {"status": "ok", "calls_deleted": 0}}, "there are no calls here"
    assert server.find(email) == []
    assert server.call("GET", f"users/{ann}/export")[0] == 404
    assert server.call("GET", "moderation/user_report", user_id=ann)[0] == 404
    assert server.ok("GET", f"users/{bob}/export")["messages"] == [], "a conversation goes with what both said"
    again = server.wait(server.ok("POST", "users/delete", hard)["task_id"])
    assert again["result"][ann]["status"] == "error"


def test_feeds_data_is_exported_to_a_file_and_deleted_while_the_person_stays(server, person):
    ann, bob, email = person
    # Feeds have one dialect; the task is looked at in either.
    feeds = Caller("api/v2/feeds/")
    for feed in (f"feed_groups/user/feeds/{ann}", f"feed_groups/user/feeds/{bob}"):
        feeds.ok("POST", feed, {"user_id": feed.rsplit("/", 1)[1]})
    post = {"type": "post", "feeds": [f"user:{ann}"], "user_id": ann, "text": f"said by {ann}"}
    activity = feeds.ok("POST", "activities", post)["activity"]["id"]
    comment = {"comment": "said by bob", "user_id": bob, "object_id": activity, "object_type": "activity"}
    feeds.ok("POST", "comments", comment)

    def exported():
        task = feeds.ok("POST", f"users/{ann}/export")["task_id"]
        with urllib.request.urlopen(server.wait(task)["result"]["url"], timeout=10) as file:
            return json.load(file)

    told = exported()
    assert [row["text"] for row in told["activities"]] == [f"said by {ann}"]
    assert told["user"]["custom"]["email"] == email
    assert "said by bob" not in json.dumps(told), "what others said is theirs"
    gone = server.wait(feeds.ok("POST", f"users/{ann}/delete", {"hard_delete": True})["task_id"])["result"]
    assert (gone[ann], gone["counts"]["activities"]) == ({"status": "ok"}, 1)
    assert feeds.call("GET", f"activities/{activity}")[0] == 404
    assert exported()["activities"] == []
    assert server.find(email) == [ann], "the account stays"
    assert server.ok("GET", f"users/{ann}/export")["messages"] != [], "and so does what was said in chat"


def test_the_calls_of_a_connector_are_for_the_applications_own_server(server, person):
    ann, _, _ = person
    as_ann = Caller(server.prefix, {"user_id": ann})
    for method, path, body in (
        ("GET", f"users/{ann}/export", None),
        ("GET", "moderation/user_report", None),
        ("POST", "users/delete", {"user_ids": [ann]}),
        ("GET", f"tasks/{uuid.uuid4()}", None),
    ):
        status, answer = as_ann.call(method, path, body)
        assert (status, answer["code"], answer["StatusCode"]) == (403, 17, 403), path
