"""What the facts in `tests/` need: the client of a server-side application, and names that nobody else uses."""

import datetime
import os
import uuid
from urllib.parse import urlparse

import pytest
import pytz
import stream


def _wanted(name):
    value = os.environ.get(name)
    assert value, f"{name} is not set; run: cargo xtask test --only e2e-python"
    return value


class Pond:
    """One app on one server, and short words for what tests say often."""

    def __init__(self, use_async=False):
        # The client puts `api.` before any host but this one.
        self.url = f"http://localhost:{urlparse(_wanted('MILLPOND_URL')).port}"
        self.key = _wanted("STREAM_API_KEY")
        self.secret = _wanted("STREAM_API_SECRET")
        self.app_id = _wanted("STREAM_APP_ID")
        self.client = self.connect(self.key, self.secret, use_async)

    def connect(self, key, secret, use_async=False):
        return stream.connect(key, secret, self.app_id, base_url=self.url, timeout=10, use_async=use_async)

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


@pytest.fixture
def pond():
    return Pond()


@pytest.fixture
def make_async_pond():
    return lambda: Pond(use_async=True)
