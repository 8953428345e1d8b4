"""Getting activities by what identifies them, and changing them."""

import uuid

import pytest
from stream.exceptions import DoesNotExistException, InputException


@pytest.fixture
def stored(pond):
    """Stores an activity with custom data in a feed of its own."""

    def store(**custom):
        amy, identity = pond.feed(), pond.identity()
        added = amy.add_activity(pond.activity(**identity, **custom))
        return amy, added["id"], identity

    return store


@pytest.mark.parametrize("enrich", [False, True])
def test_activities_are_got_by_id_and_by_foreign_id_and_time(pond, stored, enrich):
    (_, one, first), (_, two, second) = stored(), stored()
    by_id = pond.client.get_activities(ids=[two, one], enrich=enrich)["results"]
    pairs = [(identity["foreign_id"], identity["time"]) for identity in (second, first)]
    by_pair = pond.client.get_activities(foreign_id_times=pairs, enrich=enrich)["results"]
    assert [activity["id"] for activity in by_id] == [two, one]
    assert by_pair == by_id


def test_unknown_activities_are_left_out(pond, stored):
    _, known, _ = stored()
    results = pond.client.get_activities(ids=[str(uuid.uuid1()), known])["results"]
    assert [activity["id"] for activity in results] == [known]
    assert pond.client.get_activities(foreign_id_times=[(pond.name(), pond.second(1))])["results"] == []


def test_an_update_replaces_the_whole_activity_in_every_feed(pond, stored):
    amy, id, identity = stored(price=30, target="list:wishes")
    bob = pond.feed("timeline")
    bob.follow("user", amy.user_id)
    pond.client.update_activity({"actor": "bob", "verb": "sell", "object": "hat", **identity, "size": 38})
    for feed in (amy, bob):
        read = pond.only(feed)
        assert [read[field] for field in ("id", "actor", "verb", "object", "target", "size")] == [
            id, "bob", "sell", "hat", "", 38,
        ]
        assert "price" not in read


def test_an_activity_can_be_updated_with_what_was_read(pond, stored):
    amy, _, _ = stored(price=30)
    echo = pond.only(amy)
    pond.client.update_activity({**echo, "price": 20})
    assert pond.only(amy) == {**echo, "price": 20}


def test_many_activities_are_updated_at_once_and_unknown_ones_made(pond, stored):
    (amy, _, known), unknown = stored(), pond.identity()
    pond.client.update_activities([pond.activity("hat", **known), pond.activity("scarf", **unknown)])
    assert pond.objects(amy) == ["hat"]
    results = pond.client.get_activities(foreign_id_times=[(unknown["foreign_id"], unknown["time"])])["results"]
    assert [activity["object"] for activity in results] == ["scarf"]


@pytest.mark.parametrize("missing", ["foreign_id", "time"])
def test_an_update_without_identity_is_refused(pond, missing):
    identity = pond.identity()
    del identity[missing]
    with pytest.raises(InputException):
        pond.client.update_activity(pond.activity(**identity))


def test_more_than_a_hundred_updates_are_refused(pond):
    with pytest.raises(InputException):
        pond.client.update_activities([pond.activity(**pond.identity(count)) for count in range(101)])


def test_a_partial_update_sets_and_unsets_and_answers_with_the_result(pond, stored):
    amy, id, _ = stored(price=30, size={"eu": 38, "uk": 5}, colour="red")
    answer = pond.client.activity_partial_update(id=id, set={"price": 20, "size.us": 7}, unset=["colour", "size.eu"])
    (updated,) = answer["activities"]
    assert (updated["price"], updated["size"]) == (20, {"uk": 5, "us": 7})
    assert "colour" not in updated
    assert pond.only(amy) == updated


def test_a_partial_update_finds_its_activity_by_foreign_id_and_time(pond, stored):
    amy, _, identity = stored(price=30)
    pond.client.activity_partial_update(**identity, set={"price": 20})
    assert pond.only(amy)["price"] == 20


def test_many_partial_updates_are_answered_in_the_order_of_the_request(pond, stored):
    (_, one, _), (_, two, _) = stored(), stored()
    changes = [{"id": id, "set": {"place": place}} for place, id in enumerate([two, one])]
    answer = pond.client.activities_partial_update(changes)
    assert [(activity["id"], activity["place"]) for activity in answer["activities"]] == [(two, 0), (one, 1)]


@pytest.mark.parametrize(
    "change",
    [
        {"set": {"price.net": 1}},
        {"set": {"shape.width": 1}},
        {"set": {"price": 1}, "unset": ["price"]},
        {"set": {"size": {}, "size.eu": 1}},
        {"set": {"actor": "bob"}},
        {"set": {"to": ["user:1"]}},
        {"unset": ["time"]},
        {"set": {f"field_{index}": 1 for index in range(26)}},
        {"unset": [f"field_{index}" for index in range(26)]},
    ],
    ids=[
        "a path through a number",
        "a path through nothing",
        "the same field set and unset",
        "a field and a part of it",
        "the actor",
        "the targets",
        "the time",
        "26 fields to set",
        "26 fields to unset",
    ],
)
def test_a_partial_update_that_cannot_be_is_refused_and_changes_nothing(pond, stored, change):
    amy, id, _ = stored(price=30, size={"eu": 38})
    before = pond.only(amy)
    with pytest.raises(InputException):
        pond.client.activity_partial_update(id=id, **change)
    assert pond.only(amy) == before


def test_a_partial_update_of_an_unknown_activity_is_refused_with_all_the_others(pond, stored):
    amy, id, _ = stored(price=30)
    with pytest.raises(DoesNotExistException):
        pond.client.activities_partial_update(
            [{"id": id, "set": {"price": 1}}, {"id": str(uuid.uuid1()), "set": {"price": 1}}]
        )
    assert pond.only(amy)["price"] == 30
