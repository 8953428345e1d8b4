"""What the tests call of the official client, written down while they run: docs/compatibility.md is made from it.

A method that a test calls is noted with how it ended. What methods call of each other is not noted.
"""

import contextvars
import functools
import inspect
import os
import pathlib

from stream.client import AsyncStreamClient, StreamClient
from stream.collections import AsyncCollections, Collections
from stream.exceptions import StreamApiException
from stream.feed.feeds import AsyncFeed, Feed
from stream.personalization.personalizations import AsyncPersonalization, Personalization
from stream.reactions import AsyncReactions, Reactions
from stream.users import AsyncUsers, Users

CLASSES = {
    "client": (StreamClient, AsyncStreamClient),
    "feed": (Feed, AsyncFeed),
    "reactions": (Reactions, AsyncReactions),
    "collections": (Collections, AsyncCollections),
    "users": (Users, AsyncUsers),
    "personalization": (Personalization, AsyncPersonalization),
}
CLIENTS = ("python", "python-async")

_inside = contextvars.ContextVar("inside", default=False)
_noted = set()


def _note(client, method, outcome):
    test = os.environ.get("PYTEST_CURRENT_TEST", "").split("::")[0]
    _noted.add((client, method, outcome, pathlib.Path(test).name))


def _outcome(error):
    is_refusal = isinstance(error, StreamApiException) and error.status_code
    return f"refused {error.status_code}" if is_refusal else "failed"


def _watched(client, name, method):
    """`method`, noted as `name` when a test calls it."""

    @functools.wraps(method)
    def call(*parameters, **named):
        if _inside.get():
            return method(*parameters, **named)
        token = _inside.set(True)
        try:
            answer = method(*parameters, **named)
        except Exception as error:
            _note(client, name, _outcome(error))
            raise
        finally:
            _inside.reset(token)
        _note(client, name, "answered")
        return answer

    @functools.wraps(method)
    async def call_async(*parameters, **named):
        if _inside.get():
            return await method(*parameters, **named)
        token = _inside.set(True)
        try:
            answer = await method(*parameters, **named)
        except Exception as error:
            _note(client, name, _outcome(error))
            raise
        finally:
            _inside.reset(token)
        _note(client, name, "answered")
        return answer

    return call_async if inspect.iscoroutinefunction(method) else call


def watch():
    """Notes what tests call, if somebody wants to know."""
    if "MILLPOND_E2E_CALLS" not in os.environ:
        return
    for name, pair in CLASSES.items():
        for client, holder in zip(CLIENTS, pair):
            for member, method in inspect.getmembers(holder, inspect.isfunction):
                if member.startswith("_"):
                    continue
                _note(client, f"{name}.{member}", "exists")
                setattr(holder, member, _watched(client, f"{name}.{member}", method))


def write():
    """Writes down what was noted."""
    folder = os.environ.get("MILLPOND_E2E_CALLS")
    if folder:
        path = pathlib.Path(folder) / f"python-{os.getpid()}"
        path.write_text("".join("\t".join(line) + "\n" for line in sorted(_noted)), encoding="utf-8")
