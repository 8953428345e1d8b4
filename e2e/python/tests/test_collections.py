"""Things in collections."""

import pytest
from stream.exceptions import DoesNotExistException, InputException, StreamApiException


def without_duration(answer):
    return {key: value for key, value in answer.items() if key != "duration"}


def test_a_thing_is_added_got_updated_and_deleted(pond):
    things, food = pond.client.collections, pond.name("food")
    added = things.add(food, {"rating": 1}, id="burger")
    assert set(added) - {"duration"} == {"id", "collection", "foreign_id", "data", "created_at", "updated_at"}
    assert added["foreign_id"] == f"{food}:burger"
    assert without_duration(things.get(food, "burger")) == without_duration(added)
    assert things.update(food, "burger", data={"rating": 2})["data"] == {"rating": 2}
    assert things.get(food, "burger")["data"] == {"rating": 2}
    things.delete(food, "burger")
    with pytest.raises(DoesNotExistException):
        things.get(food, "burger")
    assert things.add(food, {"rating": 3}, id="burger")["data"] == {"rating": 3}


def test_a_thing_without_an_id_is_given_one(pond):
    things, food = pond.client.collections, pond.name("food")
    one, two = (things.add(food, {"rating": rating})["id"] for rating in (1, 2))
    assert one != two
    assert things.get(food, two)["data"] == {"rating": 2}


def test_an_id_is_taken_once(pond):
    things, food = pond.client.collections, pond.name("food")
    things.add(food, {"rating": 1}, id="burger", user_id="amy")
    with pytest.raises(StreamApiException) as refusal:
        things.add(food, {"rating": 2}, id="burger")
    assert refusal.value.status_code == 409
    assert things.get(food, "burger")["data"] == {"rating": 1}


@pytest.mark.parametrize("id, data", [("burger", {}), ("burger", "text"), ("!", {"rating": 1})])
def test_a_thing_that_cannot_be_is_refused(pond, id, data):
    with pytest.raises(InputException):
        pond.client.collections.add(pond.name("food"), data, id=id)


def test_things_are_upserted_selected_and_deleted_in_batches(pond):
    things, food = pond.client.collections, pond.name("food")
    batch = [{"id": "burger", "rating": 1}, {"id": "soup", "rating": 2}]
    assert things.upsert(food, batch)["data"] == {food: batch}
    selected = things.select(food, ["soup", "nothing", "burger"])["response"]["data"]
    assert [thing["data"] for thing in selected] == [batch[1], batch[0]]
    things.upsert(food, {"id": "soup", "rating": 5})
    assert things.select(food, "soup")["response"]["data"][0]["data"]["rating"] == 5
    things.delete_many(food, ["burger", "soup"])
    assert things.select(food, ["burger", "soup"])["response"]["data"] == []


def test_a_reference_names_a_thing(pond):
    things, food = pond.client.collections, pond.name("food")
    entry = things.add(food, {"rating": 1}, id="burger")
    assert things.create_reference(entry=entry) == things.create_reference(food, "burger") == f"SO:{food}:burger"
    amy = pond.feed()
    amy.add_activity(pond.activity(things.create_reference(entry=entry)))
    assert pond.only(amy, enrich=True)["object"] == without_duration(entry)
