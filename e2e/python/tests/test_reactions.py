"""Reactions, and what activities show of them."""

import uuid

import pytest
from stream.exceptions import DoesNotExistException, FeedConfigException, InputException

KEYS = {
    "activity_id", "children_counts", "created_at", "data", "id", "kind", "latest_children", "parent", "updated_at",
    "user", "user_id",
}  # fmt: skip


@pytest.fixture
def posted(pond):
    """A feed with one activity, and that activity's id."""
    amy = pond.feed()
    return amy, amy.add_activity(pond.activity())["id"]


def ids(answer):
    return [reaction["id"] for reaction in answer["results"]]


def test_a_reaction_is_added_and_got(pond, posted):
    like = pond.client.reactions.add("like", posted[1], "bob", data={"strength": 1})
    assert set(like) - {"duration"} == KEYS
    assert (like["kind"], like["user_id"], like["data"]) == ("like", "bob", {"strength": 1})
    assert pond.client.reactions.get(like["id"])["data"] == {"strength": 1}


def test_an_update_replaces_the_data_of_a_reaction(pond, posted):
    like = pond.client.reactions.add("like", posted[1], "bob", data={"strength": 1, "from": "afar"})
    assert pond.client.reactions.update(like["id"], data={"strength": 2})["data"] == {"strength": 2}
    assert pond.client.reactions.get(like["id"])["data"] == {"strength": 2}


def test_a_deleted_reaction_is_gone(pond, posted):
    like = pond.client.reactions.add("like", posted[1], "bob")
    pond.client.reactions.delete(like["id"])
    with pytest.raises(DoesNotExistException):
        pond.client.reactions.get(like["id"])
    with pytest.raises(DoesNotExistException):
        pond.client.reactions.restore(like["id"])


def test_a_softly_deleted_reaction_is_restored(pond, posted):
    reactions, activity = pond.client.reactions, posted[1]
    like = reactions.add("like", activity, "bob")
    reactions.delete(like["id"], soft=True)
    assert ids(reactions.filter(activity_id=activity)) == []
    assert "deleted_at" in reactions.get(like["id"])
    reactions.restore(like["id"])
    assert ids(reactions.filter(activity_id=activity)) == [like["id"]]


def test_a_child_inherits_the_activity_of_its_parent_which_counts_it(pond, posted):
    reactions, activity = pond.client.reactions, posted[1]
    comment = reactions.add("comment", activity, "bob")
    child = reactions.add_child("like", comment["id"], "cat", data={"strength": 3})
    assert (child["parent"], child["activity_id"]) == (comment["id"], activity)
    read = reactions.get(comment["id"])
    assert read["children_counts"] == {"like": 1}
    assert [like["id"] for like in read["latest_children"]["like"]] == [child["id"]]


def test_a_fourth_level_of_reactions_is_refused(pond, posted):
    reactions = pond.client.reactions
    last = reactions.add("comment", posted[1], "bob")
    for _ in range(2):
        last = reactions.add_child("comment", last["id"], "bob")
    with pytest.raises(InputException):
        reactions.add_child("comment", last["id"], "bob")


def test_reactions_are_filtered_by_activity_kind_parent_and_user(pond, posted):
    reactions, activity, bob = pond.client.reactions, posted[1], pond.name("bob")
    like = reactions.add("like", activity, bob)
    clap = reactions.add("clap", activity, "cat")
    child = reactions.add_child("like", like["id"], bob)
    assert ids(reactions.filter(activity_id=activity)) == [clap["id"], like["id"]]
    assert ids(reactions.filter(activity_id=activity, kind="like")) == [like["id"]]
    assert ids(reactions.filter(reaction_id=like["id"])) == [child["id"]]
    assert ids(reactions.filter(user_id=bob)) == [child["id"], like["id"]]


def test_an_id_cuts_the_list_of_reactions_where_it_stands(pond, posted):
    reactions, activity = pond.client.reactions, posted[1]
    added = [reactions.add("like", activity, f"user-{index}")["id"] for index in range(4)]
    assert ids(reactions.filter(activity_id=activity, limit=2)) == added[:1:-1]
    assert ids(reactions.filter(activity_id=activity, id_lt=added[2])) == added[1::-1]
    assert ids(reactions.filter(activity_id=activity, id_lte=added[2])) == added[2::-1]
    assert ids(reactions.filter(activity_id=activity, id_gt=added[1])) == added[2:]
    assert ids(reactions.filter(activity_id=activity, id_gte=added[1])) == added[1:]


def test_a_filter_shows_the_activity_if_it_is_asked_for(pond, posted):
    _, activity = posted
    pond.client.reactions.add("like", activity, "bob")
    answer = pond.client.reactions.filter(activity_id=activity, with_activity_data=True)
    assert answer["activity"]["id"] == activity
    assert answer["activity"]["reaction_counts"] == {"like": 1}


def test_a_feed_shows_counts_latest_and_own_reactions(pond, posted):
    amy, activity = posted
    bob = pond.name("bob")
    for user in (bob, "cat"):
        pond.client.reactions.add("like", activity, user)
    pond.client.reactions.add("clap", activity, "cat")
    read = pond.only(amy, reactions={"counts": True, "recent": True, "own": True}, user_id=bob)
    assert read["reaction_counts"] == {"like": 2, "clap": 1}
    assert [like["user_id"] for like in read["latest_reactions"]["like"]] == ["cat", bob]
    assert [(kind, one[0]["user_id"]) for kind, one in read["own_reactions"].items()] == [("like", bob)]


def test_kinds_narrow_what_a_feed_shows_of_reactions(pond, posted):
    amy, activity = posted
    for kind in ("like", "clap"):
        pond.client.reactions.add(kind, activity, "bob")
    read = pond.only(amy, reactions={"counts": True, "recent": True, "kinds": ["clap"]})
    assert (read["reaction_counts"], set(read["latest_reactions"])) == ({"clap": 1}, {"clap"})


def test_activities_that_are_got_show_their_reactions(pond, posted):
    _, activity = posted
    like = pond.client.reactions.add("like", activity, "bob")
    options = {"reactions": {"counts": True, "recent": True}}
    (read,) = pond.client.get_activities(ids=[activity], **options)["results"]
    assert read["reaction_counts"] == {"like": 1}
    assert read["latest_reactions"]["like"][0]["id"] == like["id"]


def test_a_reaction_is_posted_to_its_target_feeds_with_extra_data(pond, posted):
    target = pond.feed("notification")
    like = pond.client.reactions.add(
        "like", posted[1], "bob", target_feeds=[target.id], target_feeds_extra_data={"color": "red"}
    )
    (activity,) = target.get()["results"][0]["activities"]
    assert activity["reaction"] == f"SR:{like['id']}"
    assert (activity["actor"], activity["object"]) == ("SU:bob", f"SA:{posted[1]}")
    assert (activity["verb"], activity["color"]) == ("like", "red")
    pond.client.reactions.update(like["id"], data={}, target_feeds=[])
    assert target.get()["results"] == []


@pytest.mark.parametrize("target", ["nowhere:1"])
def test_a_target_feed_of_an_unknown_group_is_refused_and_nothing_is_stored(pond, posted, target):
    with pytest.raises(FeedConfigException):
        pond.client.reactions.add("like", posted[1], "bob", target_feeds=[target])
    assert ids(pond.client.reactions.filter(activity_id=posted[1])) == []


@pytest.mark.parametrize(
    "change", [{"kind": ""}, {"activity_id": "no-id"}, {"user_id": ""}, {"data": "text"}, {"data": ["list"]}]
)
def test_a_reaction_that_cannot_be_is_refused(pond, posted, change):
    fields = {"kind": "like", "activity_id": posted[1], "user_id": "bob", **change}
    with pytest.raises(InputException):
        pond.client.reactions.add(**fields)


def test_an_unknown_reaction_is_told_as_such(pond):
    unknown = str(uuid.uuid4())
    for call in (pond.client.reactions.get, pond.client.reactions.update, pond.client.reactions.delete):
        with pytest.raises(DoesNotExistException) as refusal:
            call(unknown)
        assert refusal.value.status_code == 404
