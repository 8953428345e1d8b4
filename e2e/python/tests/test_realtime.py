"""Realtime with the tokens of this client, which has no realtime of its own: Bayeux over a plain WebSocket."""

import asyncio
import json

import pytest
import websockets

PATIENCE = 10


async def handshake(pond):
    socket = await websockets.connect(f"{pond.url.replace('http', 'ws')}/faye")
    await socket.send(json.dumps([{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["websocket"]}]))
    (answer,) = json.loads(await socket.recv())
    assert answer["successful"]
    return socket, answer["clientId"]


async def subscribe(pond, socket, client, feed, token):
    channel = f"/site-{pond.app_id}-feed-{feed.slug}{feed.user_id}"
    ext = {"api_key": pond.key, "signature": token, "user_id": channel[1:]}
    subscription = {"channel": "/meta/subscribe", "clientId": client, "subscription": channel, "ext": ext}
    await socket.send(json.dumps([subscription]))
    (answer,) = json.loads(await socket.recv())
    return answer


def test_a_read_only_token_subscribes_and_is_told_what_is_added(pond):
    amy = pond.feed()

    async def listen():
        socket, client = await handshake(pond)
        answer = await subscribe(pond, socket, client, amy, amy.get_readonly_token())
        assert answer["successful"], answer
        await socket.send(json.dumps([{"channel": "/meta/connect", "clientId": client, "connectionType": "websocket"}]))
        added = await asyncio.to_thread(amy.add_activity, pond.activity("skates"))
        while True:
            messages = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE))
            told = [message["data"] for message in messages if "data" in message]
            if told:
                await socket.close()
                return added, told[0]

    added, told = asyncio.run(listen())
    assert (told["feed"], told["new"][0]["id"], told["new"][0]["object"]) == (amy.id, added["id"], "skates")


@pytest.mark.parametrize("slug", ["user", "timeline"])
def test_a_token_of_another_feed_does_not_subscribe(pond, slug):
    amy, bob = pond.feed(slug), pond.feed(slug)

    async def answer():
        socket, client = await handshake(pond)
        refusal = await subscribe(pond, socket, client, bob, amy.get_readonly_token())
        await socket.close()
        return refusal

    refusal = asyncio.run(answer())
    assert not refusal["successful"]
    assert refusal["error"]
