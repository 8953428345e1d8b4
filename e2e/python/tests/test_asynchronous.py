"""The asynchronous client speaks the same protocol through another library: one walk through the whole of it."""

import asyncio

import pytest
from stream.exceptions import InputException


def test_the_asynchronous_client_posts_follows_reads_updates_and_removes(make_async_pond):
    pond = make_async_pond()

    async def walk():
        amy, bob = pond.feed(), pond.feed("timeline")
        await bob.follow("user", amy.user_id, activity_copy_limit=10)
        added = await amy.add_activity(pond.activity(**pond.identity(), price=30))
        page = await bob.get(limit=5)
        assert [(activity["object"], activity["origin"]) for activity in page["results"]] == [("skates", amy.id)]
        await pond.client.activity_partial_update(id=added["id"], set={"price": 20})
        results = (await pond.client.get_activities(ids=[added["id"]], enrich=True))["results"]
        assert results[0]["price"] == 20
        await bob.unfollow("user", amy.user_id, keep_history=True)
        assert len((await bob.get())["results"]) == 1
        await amy.remove_activity(added["id"])
        assert (await bob.get())["results"] == []

    asyncio.run(walk())


def test_the_asynchronous_client_is_refused_alike(make_async_pond):
    pond = make_async_pond()
    with pytest.raises(InputException):
        asyncio.run(pond.feed().add_activity({"actor": "amy"}))
