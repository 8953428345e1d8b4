"""Users, and references to them."""

import pytest
from stream.exceptions import DoesNotExistException, InputException, StreamApiException


def without_duration(answer):
    return {key: value for key, value in answer.items() if key != "duration"}


def test_a_user_is_added_got_updated_and_deleted(pond):
    users, amy = pond.client.users, pond.name("amy")
    added = users.add(amy, {"name": "Amy"})
    assert set(added) - {"duration"} == {"id", "data", "created_at", "updated_at"}
    assert without_duration(users.get(amy)) == without_duration(added)
    assert users.update(amy, {"name": "Amelia"})["data"] == {"name": "Amelia"}
    assert users.get(amy)["data"] == {"name": "Amelia"}
    users.delete(amy)
    with pytest.raises(DoesNotExistException) as refusal:
        users.get(amy)
    assert refusal.value.status_code == 404


def test_a_user_is_added_once_unless_the_stored_one_is_asked_for(pond):
    users, amy = pond.client.users, pond.name("amy")
    users.add(amy, {"name": "Amy"})
    with pytest.raises(StreamApiException) as refusal:
        users.add(amy, {"name": "Eve"})
    assert refusal.value.status_code == 409
    assert users.add(amy, {"name": "Eve"}, get_or_create=True)["data"] == {"name": "Amy"}


def test_a_user_without_data_has_none(pond):
    assert pond.client.users.add(pond.name("amy"))["data"] == {}


def test_data_that_is_no_object_is_refused(pond):
    users, amy = pond.client.users, pond.name("amy")
    users.add(amy, {"name": "Amy"})
    with pytest.raises(InputException):
        users.update(amy, "text")
    assert users.get(amy)["data"] == {"name": "Amy"}


def test_a_profile_counts_who_follows_whom(pond):
    users, amy, bob = pond.client.users, pond.name("amy"), pond.name("bob")
    for user in (amy, bob):
        users.add(user)
    pond.client.feed("timeline", amy).follow("user", bob)
    counts = ("followers_count", "following_count")
    assert [users.get(amy, with_follow_counts=True)[name] for name in counts] == [0, 1]
    assert [users.get(bob, with_follow_counts=True)[name] for name in counts] == [1, 0]
    assert counts[0] not in users.get(amy)


def test_an_enriched_feed_shows_who_acted_or_that_nobody_is_there(pond):
    users, amy = pond.client.users, pond.name("amy")
    stored = users.add(amy, {"name": "Amy"})
    reference = users.create_reference(amy)
    assert reference == users.create_reference(stored) == f"SU:{amy}"
    own = pond.feed()
    own.add_activity({"actor": reference, "verb": "greet", "object": "SU:nobody-at-all"})
    read = pond.only(own, enrich=True)
    assert read["actor"] == without_duration(stored)
    missing = {"id": "nobody-at-all", "error": "ReferenceNotFound", "reference_type": "user"}
    assert read["object"] == {**missing, "reference": "SU:nobody-at-all"}
    assert pond.only(own)["actor"] == reference
