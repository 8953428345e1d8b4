"""Following, with and without copies, and who follows whom."""

import pytest
from stream.exceptions import FeedConfigException, InputException

COPY_LIMIT = "activity_copy_limit must be a non-negative number not greater than 1000"


def followed(feed, **options):
    return [relation["target_id"] for relation in feed.following(**options)["results"]]


def followers(feed, **options):
    return [relation["feed_id"] for relation in feed.followers(**options)["results"]]


@pytest.fixture
def amy(pond):
    return pond.feed("user")


@pytest.fixture
def bob(pond):
    return pond.feed("timeline")


def test_what_is_posted_reaches_the_follower_and_tells_where_it_came_from(pond, amy, bob):
    bob.follow("user", amy.user_id)
    pond.fill(amy, "skates")
    assert pond.only(bob)["origin"] == amy.id
    assert pond.only(amy)["origin"] is None


@pytest.mark.parametrize("limit, brought", [(None, "dcba"), (2, "dc"), (0, ""), (1000, "dcba")])
def test_a_follow_brings_the_newest_activities_up_to_its_copy_limit(pond, amy, bob, limit, brought):
    pond.fill(amy, *"abcd")
    bob.follow("user", amy.user_id, activity_copy_limit=limit)
    assert "".join(pond.objects(bob)) == brought


def test_a_follow_without_a_copy_limit_brings_a_hundred(pond, amy, bob):
    for start in (0, 60):
        activities = [pond.activity(f"{start + index}", **pond.identity(start + index)) for index in range(60)]
        amy.add_activities(activities)
    bob.follow("user", amy.user_id)
    assert pond.objects(bob, limit=100) == [f"{119 - index}" for index in range(100)]
    assert pond.objects(bob, offset=100) == []


def test_what_is_posted_after_the_follow_arrives_even_if_it_is_old(pond, amy, bob):
    amy.add_activity(pond.activity("new", time=pond.second(100)))
    bob.follow("user", amy.user_id, activity_copy_limit=0)
    amy.add_activity(pond.activity("old", time=pond.second(1)))
    assert pond.objects(bob) == ["old"]


@pytest.mark.parametrize("limit", [1001, -1])
def test_a_copy_limit_out_of_bounds_is_refused(amy, bob, limit):
    with pytest.raises(InputException, match=COPY_LIMIT):
        bob.follow("user", amy.user_id, activity_copy_limit=limit)
    assert followed(bob) == []


def test_copies_do_not_travel_further(pond, amy, bob):
    cat = pond.feed("timeline")
    bob.follow("user", amy.user_id)
    cat.follow("timeline", bob.user_id)
    pond.fill(amy, "skates")
    assert pond.objects(cat) == []


def test_unfollowing_takes_away_what_the_follow_brought(pond, amy, bob):
    pond.fill(amy, "skates")
    bob.follow("user", amy.user_id)
    bob.unfollow("user", amy.user_id)
    assert (pond.objects(bob), followed(bob)) == ([], [])


def test_unfollowing_can_keep_what_the_follow_brought(pond, amy, bob):
    bob.follow("user", amy.user_id)
    pond.fill(amy, "skates")
    bob.unfollow("user", amy.user_id, keep_history=True)
    amy.add_activity(pond.activity("late"))
    assert (pond.objects(bob), followed(bob)) == (["skates"], [])


def test_following_twice_is_following_once(pond, amy, bob):
    for _ in range(2):
        bob.follow("user", amy.user_id)
    assert followed(bob) == [amy.id]


def test_unfollowing_a_feed_that_is_not_followed_succeeds(amy, bob):
    bob.unfollow("user", amy.user_id)


def test_a_feed_cannot_follow_itself(amy):
    with pytest.raises(InputException):
        amy.follow("user", amy.user_id)


@pytest.mark.parametrize("slug", ["aggregated", "notification"])
def test_only_flat_feeds_can_be_followed(pond, bob, slug):
    with pytest.raises(InputException):
        bob.follow(slug, pond.name())


def test_a_feed_of_an_unknown_group_cannot_be_followed(bob):
    with pytest.raises(FeedConfigException):
        bob.follow("nogroup", "1")


def test_both_lists_are_newest_first_and_read_page_by_page(pond, amy, bob):
    targets, sources = [pond.feed() for _ in range(4)], [pond.feed("timeline") for _ in range(4)]
    for target in targets:
        bob.follow("user", target.user_id)
    for source in sources:
        source.follow("user", amy.user_id)
    assert followed(bob) == [target.id for target in targets[::-1]]
    assert followers(amy) == [source.id for source in sources[::-1]]
    assert followed(bob, limit=2, offset=1) == [targets[2].id, targets[1].id]
    assert followers(amy, limit=2, offset=3) == [sources[0].id]


def test_both_lists_can_be_asked_about_certain_feeds(pond, amy, bob):
    cat = pond.feed()
    for target in (amy, cat):
        bob.follow("user", target.user_id)
    assert followed(bob, feeds=[amy.id, "user:nobody"]) == [amy.id]
    assert followed(bob, feeds=["user:nobody"]) == []
    assert len(followed(bob, feeds=[])) == 2
    assert followers(amy, feeds=[bob.id]) == [bob.id]
    assert followers(amy, feeds=[cat.id]) == []


def test_a_relation_names_both_feeds_and_its_times(amy, bob):
    bob.follow("user", amy.user_id)
    (relation,) = bob.following()["results"]
    assert (relation["feed_id"], relation["target_id"]) == (bob.id, amy.id)
    assert relation["created_at"].endswith("Z")
    assert amy.followers()["results"] == [relation]


def test_many_follows_are_made_and_ended_at_once(pond, amy, bob):
    cat = pond.feed()
    pond.fill(amy, *"ab")
    pond.fill(cat, *"cd")
    pond.client.follow_many([{"source": bob.id, "target": amy.id}, {"source": bob.id, "target": cat.id}])
    assert sorted(pond.objects(bob)) == ["a", "b", "c", "d"]
    pond.client.unfollow_many(
        [{"source": bob.id, "target": amy.id, "keep_history": True}, {"source": bob.id, "target": cat.id}]
    )
    assert (pond.objects(bob), followed(bob)) == (["b", "a"], [])


def test_many_follows_share_a_copy_limit(pond, amy, bob):
    pond.fill(amy, *"abc")
    pond.client.follow_many([{"source": bob.id, "target": amy.id}], activity_copy_limit=1)
    assert pond.objects(bob) == ["c"]


def test_a_copy_limit_of_many_follows_is_checked_before_their_groups(pond):
    with pytest.raises(InputException, match=COPY_LIMIT):
        pond.client.follow_many([{"source": "nogroup:1", "target": "nogroup:2"}], activity_copy_limit=5000)


def test_following_and_unfollowing_nothing_succeeds(pond):
    pond.client.follow_many([])
    pond.client.unfollow_many([])


def test_a_bad_item_among_many_unfollows_is_refused(pond, bob):
    with pytest.raises(InputException, match="invalid request payload"):
        pond.client.unfollow_many([{"source": bob.id, "target": 7}])


def test_one_bad_item_among_many_follows_refuses_all(pond, amy, bob):
    with pytest.raises(FeedConfigException):
        pond.client.follow_many([{"source": bob.id, "target": amy.id}, {"source": bob.id, "target": "nogroup:1"}])
    assert followed(bob) == []


def counts(pond, feed, **slugs):
    results = pond.client.follow_stats(feed.id, **slugs)["results"]
    assert {side["feed"] for side in results.values()} == {feed.id}
    return results["followers"]["count"], results["following"]["count"]


def test_statistics_count_both_sides_and_can_be_asked_about_certain_groups(pond, amy, bob):
    cat = pond.feed()
    bob.follow("user", amy.user_id)
    cat.follow("user", amy.user_id)
    amy.follow("user", cat.user_id)
    assert counts(pond, amy) == (2, 1)
    assert counts(pond, amy, followers_slugs=["timeline"]) == (1, 1)
    assert counts(pond, amy, followers_slugs=["user", "timeline"], following_slugs=["timeline"]) == (2, 0)
    assert counts(pond, amy, followers_slugs=["nogroup"], following_slugs=["nogroup"]) == (0, 0)
    bob.unfollow("user", amy.user_id)
    assert counts(pond, amy) == (1, 1)
