"""Two people in a room, with a plain WebSocket client and plain HTTP: what each of them hears."""

import asyncio
import json
import urllib.error
import urllib.parse
import urllib.request
import uuid

import jwt
import pytest
import websockets

from conftest import Pond

PATIENCE = 10


class Chat:
    """Calls the chat API as somebody, or as the app's own server."""

    def __init__(self):
        pond = Pond()
        self.url, self.key, self.secret = pond.url, pond.key, pond.secret

    def token(self, user=None):
        claims = {"user_id": user} if user else {"server": True}
        return jwt.encode(claims, self.secret, algorithm="HS256")

    async def call(self, method, path, body=None, user=None, **query):
        query = urllib.parse.urlencode({"api_key": self.key, **query})
        request = urllib.request.Request(
            f"{self.url}/{path}?{query}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={
                "Authorization": self.token(user),
                "Stream-Auth-Type": "jwt",
                "Content-Type": "application/json",
            },
        )

        def answer():
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return json.loads(response.read())

        return await asyncio.to_thread(answer)

    async def connect(self, user):
        details = {"user_id": user, "user_details": {"id": user, "name": user.title()}}
        query = urllib.parse.urlencode(
            {
                "json": json.dumps(details),
                "api_key": self.key,
                "authorization": self.token(user),
                "stream-auth-type": "jwt",
            }
        )
        socket = await websockets.connect(f"{self.url.replace('http', 'ws')}/connect?{query}")
        return Person(self, user, socket, json.loads(await socket.recv()))


class Person:
    """A connected user."""

    def __init__(self, chat, user, socket, hello):
        self.chat, self.id, self.socket, self.hello = chat, user, socket, hello
        self.connection = hello["connection_id"]

    async def post(self, path, body):
        return await self.chat.call("POST", path, body, user=self.id, connection_id=self.connection)

    async def watch(self, channel):
        return await self.post(f"channels/{channel}/query", {"watch": True, "presence": True, "state": True})

    async def hears(self, kind):
        """The next event of this kind; others are passed over."""
        while True:
            event = json.loads(await asyncio.wait_for(self.socket.recv(), PATIENCE))
            if event["type"] == kind:
                return event

    async def leave(self):
        await self.socket.close()


@pytest.fixture
def names():
    mark = uuid.uuid4().hex[:8]
    return f"amy-{mark}", f"bob-{mark}", f"messaging/room-{mark}"


async def room(chat, names):
    """Two people who are members of a room."""
    amy, bob, channel = names
    users = {user: {"id": user, "name": user} for user in (amy, bob)}
    await chat.call("POST", "users", {"users": users})
    data = {"created_by_id": amy, "members": [amy, bob]}
    await chat.call("POST", f"channels/{channel}/query", {"data": data})


def test_a_room_of_two_hears_messages_reactions_typing_and_reads(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        first, second = await chat.connect(amy), await chat.connect(bob)
        assert first.hello["type"] == "health.check" and first.hello["me"]["id"] == amy
        await first.watch(channel)
        state = await second.watch(channel)
        assert state["watcher_count"] == 2
        assert (await first.hears("user.watching.start"))["user"]["id"] in (amy, bob)

        await first.post(f"channels/{channel}/event", {"event": {"type": "typing.start"}})
        assert (await second.hears("typing.start"))["user"]["id"] == amy

        sent = (await first.post(f"channels/{channel}/message", {"message": {"text": "hi"}}))["message"]
        for person in (first, second):
            event = await person.hears("message.new")
            assert event["message"]["id"] == sent["id"] and event["message"]["text"] == "hi"
            assert event["cid"] == channel.replace("/", ":") and event["user"]["id"] == amy

        reaction = {"reaction": {"type": "love"}}
        await second.post(f"messages/{sent['id']}/reaction", reaction)
        event = await first.hears("reaction.new")
        assert (event["reaction"]["type"], event["user"]["id"]) == ("love", bob)
        assert event["message"]["reaction_counts"] == {"love": 1}

        await second.post(f"channels/{channel}/read", {})
        assert (await first.hears("message.read"))["user"]["id"] == bob
        assert (await second.hears("notification.mark_read"))["unread_channels"] == 0
        await first.leave()
        await second.leave()

    asyncio.run(run())


def test_who_does_not_watch_is_notified_with_the_number_of_unread_messages(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        first, second = await chat.connect(amy), await chat.connect(bob)
        await first.watch(channel)
        await first.post(f"channels/{channel}/message", {"message": {"text": "hi"}})
        event = await second.hears("notification.message_new")
        assert event["message"]["text"] == "hi" and event["channel"]["id"] == channel.split("/")[1]
        assert (event["total_unread_count"], event["unread_channels"]) == (1, 1)
        await first.leave()
        await second.leave()

    asyncio.run(run())


def test_people_hear_who_comes_and_goes(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        first = await chat.connect(amy)
        await first.watch(channel)
        second = await chat.connect(bob)
        event = await first.hears("user.presence.changed")
        assert (event["user"]["id"], event["user"]["online"]) == (bob, True)
        await second.leave()
        event = await first.hears("user.presence.changed")
        assert (event["user"]["id"], event["user"]["online"]) == (bob, False)
        await first.leave()

    asyncio.run(run())


def test_who_was_away_connects_again_and_is_told_what_was_missed(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        first, second = await chat.connect(amy), await chat.connect(bob)
        await second.watch(channel)
        await first.watch(channel)
        await first.post(f"channels/{channel}/message", {"message": {"text": "one"}})
        before = await second.hears("message.new")
        await second.leave()
        for text in ("two", "three"):
            await first.post(f"channels/{channel}/message", {"message": {"text": text}})
        second = await chat.connect(bob)
        assert second.hello["me"]["unread_channels"] == 1
        cids = [channel.replace("/", ":")]
        missed = await second.post("sync", {"channel_cids": cids, "last_sync_at": before["created_at"]})
        told = [event["message"]["text"] for event in missed["events"] if event["type"] == "message.new"]
        assert told == ["two", "three"]
        await first.leave()
        await second.leave()

    asyncio.run(run())


def test_a_forged_token_is_told_and_closed_with_1000(names):
    async def run():
        chat, (amy, _, _) = Chat(), names
        chat.secret = "not the secret of the app, though long enough"
        query = urllib.parse.urlencode(
            {"json": json.dumps({"user_id": amy}), "api_key": chat.key, "authorization": chat.token(amy)}
        )
        async with websockets.connect(f"{chat.url.replace('http', 'ws')}/connect?{query}") as socket:
            error = json.loads(await socket.recv())
            assert (error["error"]["code"], error["code"]) == (43, 43)
            with pytest.raises(websockets.ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1000

    asyncio.run(run())


def test_a_draft_follows_its_user_from_one_connection_to_the_other_until_it_is_sent(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        phone, laptop = await chat.connect(amy), await chat.connect(amy)
        draft = {"message": {"text": "almost", "custom": {"colour": "red"}}}
        await phone.post(f"channels/{channel}/draft", draft)
        heard = (await laptop.hears("draft.updated"))["draft"]
        assert (heard["message"]["text"], heard["message"]["custom"]) == ("almost", {"colour": "red"})
        assert (await laptop.watch(channel))["draft"]["message"]["id"] == heard["message"]["id"]
        listed = await laptop.post("drafts/query", {"filter": {"channel_cid": channel.replace("/", ":")}})
        assert [found["message"]["text"] for found in listed["drafts"]] == ["almost"]
        await phone.post(f"channels/{channel}/message", {"message": {"text": "done"}})
        assert (await laptop.hears("draft.deleted"))["draft"]["message"]["id"] == heard["message"]["id"]
        assert "draft" not in await laptop.watch(channel)
        for person in (phone, laptop):
            await person.leave()

    asyncio.run(run())


def test_a_message_that_was_saved_for_later_is_remembered_when_its_moment_comes(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        person = await chat.connect(bob)
        sent = await chat.call("POST", f"channels/{channel}/message", {"message": {"text": "read me", "user_id": amy}})
        path = f"messages/{sent['message']['id']}/reminders"
        # A moment that is over has come.
        await person.post(path, {"remind_at": "2020-01-01T00:00:00Z"})
        assert (await person.hears("reminder.created"))["reminder"]["message_id"] == sent["message"]["id"]
        due = await person.hears("notification.reminder_due")
        assert (due["message_id"], due["user_id"]) == (sent["message"]["id"], bob)
        found = await person.post("reminders/query", {"filter": {"message_id": sent["message"]["id"]}})
        assert [one["message"]["text"] for one in found["reminders"]] == ["read me"]
        await chat.call("DELETE", path, user=bob)
        assert (await person.hears("reminder.deleted"))["message_id"] == sent["message"]["id"]
        await person.leave()

    asyncio.run(run())


def test_two_people_vote_in_a_poll_and_both_hear_the_counts(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        first, second = await chat.connect(amy), await chat.connect(bob)
        await first.watch(channel)
        await second.watch(channel)
        options = [{"text": "soup"}, {"text": "bread"}]
        poll = (await first.post("polls", {"name": "Lunch?", "options": options, "enforce_unique_vote": True}))["poll"]
        soup, bread = [option["id"] for option in poll["options"]]
        sent = (await first.post(f"channels/{channel}/message", {"message": {"poll_id": poll["id"]}}))["message"]
        assert (await second.hears("message.new"))["message"]["poll"]["name"] == "Lunch?"
        vote = f"messages/{sent['id']}/polls/{poll['id']}/vote"
        await second.post(vote, {"vote": {"option_id": soup}})
        assert (await first.hears("poll.vote_casted"))["poll"]["vote_counts_by_option"] == {soup: 1, bread: 0}
        await second.post(vote, {"vote": {"option_id": bread}})
        heard = await first.hears("poll.vote_changed")
        assert (heard["poll"]["vote_counts_by_option"], heard["poll_vote"]["user_id"]) == ({soup: 0, bread: 1}, bob)
        await chat.call("PATCH", f"polls/{poll['id']}", {"set": {"is_closed": True}}, user=amy)
        assert (await second.hears("poll.closed"))["poll"]["is_closed"] is True
        with pytest.raises(urllib.error.HTTPError) as refused:
            await second.post(vote, {"vote": {"option_id": soup}})
        assert refused.value.code == 400
        for person in (first, second):
            await person.leave()

    asyncio.run(run())


def test_a_live_location_moves_before_the_eyes_of_the_others_until_it_ends(names):
    async def run():
        chat, (amy, bob, channel) = Chat(), names
        await room(chat, names)
        await chat.call("PATCH", "app", {"shared_locations_enabled": True})
        overrides = {"set": {"config_overrides": {"shared_locations": True}}}
        await chat.call("PATCH", f"channels/{channel}", overrides)
        person = await chat.connect(bob)
        location = {"latitude": 60.2, "longitude": 24.9, "created_by_device_id": "phone", "end_at": "2100-01-01T00:00:00Z"}
        sent = await chat.call("POST", f"channels/{channel}/message", {"message": {"shared_location": location}}, user=amy)
        state = await person.watch(channel)
        assert [live["message_id"] for live in state["active_live_locations"]] == [sent["message"]["id"]]
        moved = {"message_id": sent["message"]["id"], "latitude": 60.3, "longitude": 25.0}
        await chat.call("PUT", "users/live_locations", moved, user=amy)
        heard = (await person.hears("message.updated"))["message"]["shared_location"]
        assert (heard["latitude"], heard["longitude"]) == (60.3, 25.0)
        end = {"message_id": sent["message"]["id"], "end_at": "2020-01-01T00:00:00Z"}
        await chat.call("PUT", "users/live_locations", end, user=amy)
        await person.hears("message.updated")
        assert (await chat.call("GET", "users/live_locations", user=amy))["active_live_locations"] == []
        await person.leave()

    asyncio.run(run())
