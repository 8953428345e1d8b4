"""Adding, reading and removing activities."""

import datetime
import uuid

import pytest
import pytz
from stream.exceptions import FeedConfigException, InputException


def test_an_added_activity_is_answered_as_it_will_be_read(pond):
    amy = pond.feed()
    added = amy.add_activity(pond.activity(foreign_id=pond.name(), price=30))
    assert added.pop("duration").endswith("ms")
    assert pond.only(amy) == added


def test_custom_values_come_back_as_they_were_sent(pond):
    custom = {
        "count": 0,
        "price": 12.5,
        "debt": -7,
        "widest": 2**53 - 1,
        "is_gift": True,
        "tags": ["ice", 3, [1, 2], {"deep": [None, False]}],
        "size": {"eu": 38, "uk": {"adult": 5, "child": None}},
        "empty": {},
        "text": "naïve 日本語 שלום 👩‍👩‍👧‍👦 \u2028 \" \\ \n",
    }
    amy = pond.feed()
    amy.add_activity(pond.activity(**custom))
    read = pond.only(amy)
    assert {field: read[field] for field in custom} == custom


def test_dates_come_back_as_dates(pond):
    amy = pond.feed()
    moment = datetime.datetime(2024, 2, 3, 4, 5, 6, 789, tzinfo=pytz.utc)
    amy.add_activity(pond.activity(day=moment.date(), moment=moment))
    read = pond.only(amy)
    assert (read["day"], read["moment"]) == (moment.date(), moment)


def test_the_time_comes_back_to_the_microsecond(pond):
    amy = pond.feed()
    for moment in [
        datetime.datetime(2024, 2, 3, 4, 5, 6, 789, tzinfo=pytz.utc),
        datetime.datetime(2024, 2, 3, 4, 5, 7, 0, tzinfo=pytz.utc),
    ]:
        assert amy.add_activity(pond.activity(time=moment))["time"] == moment
        assert amy.get()["results"][0]["time"] == moment


def test_a_time_of_another_zone_is_converted(pond):
    amy = pond.feed()
    there = pytz.timezone("Asia/Tokyo").localize(datetime.datetime(2024, 2, 3, 4, 5, 6))
    assert amy.add_activity(pond.activity(time=there))["time"] == there


def test_an_activity_without_a_time_happened_now(pond):
    time = pond.feed().add_activity(pond.activity())["time"]
    assert abs(datetime.datetime.now(pytz.utc) - time) < datetime.timedelta(seconds=10)


def test_the_id_of_an_activity_carries_its_time(pond):
    added = pond.feed().add_activity(pond.activity())
    since_1970 = (uuid.UUID(added["id"]).time - 0x01B21DD213814000) // 10
    assert uuid.UUID(added["id"]).version == 1
    assert since_1970 == (added["time"] - datetime.datetime(1970, 1, 1, tzinfo=pytz.utc)) // datetime.timedelta(microseconds=1)


def test_numbers_as_actor_and_object_read_as_strings(pond):
    amy = pond.feed()
    amy.add_activity({"actor": 3, "verb": "like", "object": 7})
    read = pond.only(amy)
    assert (read["actor"], read["object"]) == ("3", "7")


def test_many_activities_are_answered_in_the_order_of_the_request_and_read_newest_first(pond):
    amy = pond.feed()
    things = [f"thing-{index}" for index in range(20)]
    added = amy.add_activities([pond.activity(thing) for thing in things])["activities"]
    assert [activity["object"] for activity in added] == things
    times = [activity["time"] for activity in added]
    assert times == sorted(set(times))
    assert pond.objects(amy) == things[::-1]


def test_the_same_foreign_id_and_time_are_the_same_activity(pond):
    amy, same = pond.feed(), pond.identity()
    first = amy.add_activity(pond.activity(**same, price=30, size=38))
    again = amy.add_activity(pond.activity(**same, price=25))
    assert first["id"] == again["id"]
    read = pond.only(amy)
    assert read["price"] == 25
    assert "size" not in read


def test_the_same_foreign_id_at_another_time_is_another_activity(pond):
    amy, foreign_id = pond.feed(), pond.name()
    for count in (1, 2):
        amy.add_activity(pond.activity(count, foreign_id=foreign_id, time=pond.second(count)))
    assert pond.objects(amy) == ["2", "1"]


def test_the_same_words_at_the_same_time_are_seen_once_by_a_follower_of_both_feeds(pond):
    amy, bob, timeline = pond.feed(), pond.feed(), pond.feed("timeline")
    timeline.follow("user", amy.user_id)
    timeline.follow("user", bob.user_id)
    for feed in (amy, bob):
        feed.add_activity(pond.activity(time=pond.second(1)))
    assert pond.objects(timeline) == ["skates"]


def test_an_activity_is_removed_by_its_id(pond):
    amy = pond.feed()
    skates, _ = pond.fill(amy, "skates", "hat")
    assert amy.remove_activity(skates["id"])["removed"] == skates["id"]
    assert pond.objects(amy) == ["hat"]


def test_removing_an_activity_that_is_not_there_succeeds(pond):
    amy = pond.feed()
    (skates,) = pond.fill(amy, "skates")
    amy.remove_activity(skates["id"])
    amy.remove_activity(skates["id"])
    amy.remove_activity(foreign_id=pond.name())


def test_removing_by_foreign_id_removes_it_at_every_time(pond):
    amy, foreign_id = pond.feed(), f"like:{pond.name()}"
    for count in range(3):
        amy.add_activity(pond.activity(foreign_id=foreign_id, time=pond.second(count)))
    assert amy.remove_activity(foreign_id=foreign_id)["removed"] == foreign_id
    assert pond.objects(amy) == []


def test_a_removed_activity_leaves_the_followers_too(pond):
    amy, bob = pond.feed(), pond.feed("timeline")
    bob.follow("user", amy.user_id)
    skates, _ = pond.fill(amy, "skates", "hat")
    amy.remove_activity(skates["id"])
    assert pond.objects(bob) == ["hat"]


def test_an_activity_is_added_to_many_feeds_but_not_to_their_followers(pond):
    amy, bob, cat = pond.feed(), pond.feed(), pond.feed("timeline")
    cat.follow("user", amy.user_id)
    pond.client.add_to_many(pond.activity(), [amy.id, bob.id])
    assert [pond.objects(feed) for feed in (amy, bob, cat)] == [["skates"], ["skates"], []]


@pytest.mark.parametrize("field", ["actor", "verb", "object"])
@pytest.mark.parametrize("value", ["absent", "", None])
def test_an_activity_without_a_required_field_is_refused_and_the_field_is_named(pond, field, value):
    activity = pond.activity()
    if value == "absent":
        del activity[field]
    else:
        activity[field] = value
    amy = pond.feed()
    with pytest.raises(InputException, match=field) as refusal:
        amy.add_activity(activity)
    assert refusal.value.status_code == 400
    assert pond.objects(amy) == []


@pytest.mark.parametrize(
    "more",
    [{"object": {}}, {"time": "yesterday"}, {"verb": "v" * 256}],
    ids=["an empty object", "a time that is no time", "a long verb"],
)
def test_a_bad_activity_is_refused(pond, more):
    with pytest.raises(InputException):
        pond.feed().add_activity({**pond.activity(), **more})


def test_one_bad_activity_among_many_refuses_them_all(pond):
    amy = pond.feed()
    with pytest.raises(InputException):
        amy.add_activities([pond.activity(), {"actor": "amy"}])
    assert pond.objects(amy) == []


def test_a_feed_group_that_nobody_configured_is_refused(pond):
    stranger = pond.client.feed("nogroup", "1")
    for attempt in (stranger.get, lambda: stranger.add_activity(pond.activity()), stranger.followers):
        with pytest.raises(FeedConfigException) as refusal:
            attempt()
        assert refusal.value.status_code == 400
        assert "The following feeds are not configured: 'nogroup'" in refusal.value.detail
