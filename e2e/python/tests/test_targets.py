"""Activities that are addressed to other feeds."""

import pytest
from stream.exceptions import DoesNotExistException, FeedConfigException, InputException


def has(pond, *feeds):
    return [len(pond.objects(feed)) for feed in feeds]


def addressed(pond, feed, *targets):
    """Adds an activity with these targets; returns its foreign id and time."""
    identity = pond.identity()
    feed.add_activity(pond.activity(**identity, to=[target.id for target in targets]))
    return identity


def test_an_activity_is_in_the_feeds_that_it_is_addressed_to_and_in_their_followers(pond):
    amy, club, bob = pond.feed(), pond.feed(), pond.feed("timeline")
    bob.follow("user", club.user_id)
    addressed(pond, amy, club)
    assert has(pond, amy, club, bob) == [1, 1, 1]
    assert [pond.only(feed)["origin"] for feed in (amy, club, bob)] == [None, None, club.id]


def test_the_tokens_that_the_client_adds_to_targets_are_not_kept(pond):
    amy, club = pond.feed(), pond.feed()
    addressed(pond, amy, club)
    assert pond.only(amy)["to"] == [club.id]


def test_each_of_many_activities_has_its_own_targets(pond):
    amy, bob, cat = pond.feed(), pond.feed(), pond.feed()
    amy.add_activities([pond.activity("one", to=[bob.id]), pond.activity("two", to=[cat.id])])
    assert (pond.objects(bob), pond.objects(cat)) == (["one"], ["two"])


def test_targets_can_be_added_and_removed(pond):
    amy, bob, cat, dan = (pond.feed() for _ in range(4))
    identity = addressed(pond, amy, bob, cat)
    answer = amy.update_activity_to_targets(**identity, added_targets=[dan.id], removed_targets=[bob.id])
    assert (answer["added"], answer["removed"]) == ([dan.id], [bob.id])
    assert sorted(answer["activity"]["to"]) == sorted([cat.id, dan.id])
    assert has(pond, amy, bob, cat, dan) == [1, 0, 1, 1]


def test_targets_can_be_replaced(pond):
    amy, bob, cat, dan = (pond.feed() for _ in range(4))
    identity = addressed(pond, amy, bob, cat)
    answer = amy.update_activity_to_targets(**identity, new_targets=[cat.id, dan.id])
    assert (answer["added"], answer["removed"]) == ([dan.id], [bob.id])
    assert has(pond, amy, bob, cat, dan) == [1, 0, 1, 1]


def test_an_activity_whose_last_target_is_gone_has_no_list_of_targets(pond):
    amy, bob = pond.feed(), pond.feed()
    answer = amy.update_activity_to_targets(**addressed(pond, amy, bob), removed_targets=[bob.id])
    assert "to" not in answer["activity"]
    assert "to" not in pond.only(amy)


def test_changed_targets_reach_the_followers_of_the_targets(pond):
    amy, club, gym, bob, cat = pond.feed(), pond.feed(), pond.feed(), pond.feed("timeline"), pond.feed("timeline")
    bob.follow("user", club.user_id)
    cat.follow("user", gym.user_id)
    amy.update_activity_to_targets(**addressed(pond, amy, club), new_targets=[gym.id])
    assert has(pond, bob, cat) == [0, 1]


@pytest.mark.parametrize(
    "change",
    [
        {"new_targets": ["user:1"], "added_targets": ["user:2"]},
        {"added_targets": ["user:1"], "removed_targets": ["user:1"]},
    ],
    ids=["replacing and adding", "adding and removing the same"],
)
def test_a_contradiction_is_refused(pond, change):
    amy, bob = pond.feed(), pond.feed()
    identity = addressed(pond, amy, bob)
    with pytest.raises(InputException):
        amy.update_activity_to_targets(**identity, **change)
    assert pond.only(amy)["to"] == [bob.id]


def test_the_targets_of_an_unknown_activity_cannot_be_updated(pond):
    with pytest.raises(DoesNotExistException) as refusal:
        pond.feed().update_activity_to_targets(**pond.identity(), new_targets=["user:1"])
    assert refusal.value.status_code == 404


def test_removing_an_activity_removes_it_from_its_targets_and_their_followers(pond):
    amy, club, bob = pond.feed(), pond.feed(), pond.feed("timeline")
    bob.follow("user", club.user_id)
    identity = addressed(pond, amy, club)
    amy.remove_activity(foreign_id=identity["foreign_id"])
    assert has(pond, amy, club, bob) == [0, 0, 0]


def test_a_target_of_an_unknown_group_is_refused_and_nothing_is_added(pond):
    amy = pond.feed()
    with pytest.raises(FeedConfigException):
        amy.add_activity(pond.activity(to=["nogroup:1"]))
    assert pond.objects(amy) == []


def test_adding_to_many_feeds_refuses_targets(pond):
    amy = pond.feed()
    with pytest.raises(InputException):
        pond.client.add_to_many(pond.activity(to=["user:1"]), [amy.id])
    assert pond.objects(amy) == []
