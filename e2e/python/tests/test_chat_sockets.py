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
