"""What the facts in `tests/` need: the client of a server-side application, and names that nobody else uses.

Every fact is told twice: by the synchronous client, and by the asynchronous one with each call run to its end.
"""

import asyncio
import datetime
import functools
import inspect
import os
import uuid
from urllib.parse import urlparse

import pytest
import pytz
import stream

import calls

calls.watch()


def _wanted(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set; run: cargo xtask test --only e2e-python"
    return value


class Blocking:
    """The asynchronous client, or a part of it, called as the synchronous one is: each call is run to its end."""

    def __init__(self, part):
        self._part = part

    def __getattr__(self, name):
        member = getattr(self._part, name)
        return functools.partial(_finish, member) if callable(member) else _blocking(member)


def _finish(method, *parameters, **named):
    answer = method(*parameters, **named)
    return asyncio.run(answer) if inspect.iscoroutine(answer) else _blocking(answer)


def _blocking(value):
    return Blocking(value) if type(value).__module__.startswith("stream.") else value


class Pond:
    """One app on one server, and short words for what tests say often."""

    def __init__(self, use_async=False):
        self.use_async = use_async
        # The client puts `api.` before any host but this one.
        self.url = f"http://localhost:{urlparse(_wanted('MILLPOND_URL')).port}"
        self.key = _wanted("STREAM_API_KEY")
        self.secret = _wanted("STREAM_API_SECRET")
        self.app_id = _wanted("STREAM_APP_ID")
        self.client = self.connect(self.key, self.secret)

    def connect(self, key, secret):
        options = {"base_url": self.url, "timeout": 10, "use_async": self.use_async}
        return stream.connect(key, secret, self.app_id, **options)

    def feed(self, slug="user"):
        """A feed that no other test uses."""
        return self.client.feed(slug, self.name(slug))

    @staticmethod
    def name(word="x"):
        return f"{word}-{uuid.uuid4().hex[:12]}"

    @staticmethod
    def second(count):
        """Times a second apart."""
        start = datetime.datetime(2024, 1, 1, tzinfo=pytz.utc)
        return start + datetime.timedelta(seconds=count)

    @staticmethod
    def activity(object="skates", **more):
        return {"actor": "amy", "verb": "buy", "object": object, **more}

    def identity(self, count=1):
        """What makes an activity known to its application."""
        return {"foreign_id": self.name(), "time": self.second(count)}

    def fill(self, feed, *things):
        """Adds activities with these objects, each newer than the one before; returns them in that order."""
        activities = [self.activity(thing, **self.identity(count)) for count, thing in enumerate(things)]
        return feed.add_activities(activities)["activities"]

    @staticmethod
    def objects(feed, **options):
        """The objects of a feed's activities, newest first."""
        return [activity["object"] for activity in feed.get(**options)["results"]]

    def only(self, feed, **options):
        """The one activity of a feed."""
        results = feed.get(**options)["results"]
        assert len(results) == 1, results
        return results[0]


class BlockingPond(Pond):
    def connect(self, key, secret):
        return Blocking(super().connect(key, secret))


@pytest.fixture(params=["sync", "async"])
def pond(request):
    return Pond() if request.param == "sync" else BlockingPond(use_async=True)


@pytest.fixture
def make_async_pond():
    return lambda: Pond(use_async=True)


def pytest_sessionfinish():
    calls.write()
