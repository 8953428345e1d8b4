"""Aggregated, notification and ranked feeds."""

import pytest
from stream.exceptions import StreamApiException


def add(pond, feed, *verbs):
    """Adds an activity for each verb, the last one newest."""
    for verb in verbs:
        feed.add_activity(pond.activity(verb, verb=verb))


def test_activities_of_one_verb_and_day_are_a_group(pond):
    feed = pond.feed("aggregated")
    feed.add_activities([pond.activity("a"), pond.activity("b", actor="bob"), pond.activity("c", verb="sell")])
    page = feed.get()
    assert set(page) == {"results", "next", "duration"}
    shown = [(group["verb"], group["activity_count"], group["actor_count"]) for group in page["results"]]
    assert shown == [("sell", 1, 1), ("buy", 2, 2)]
    assert [activity["object"] for activity in page["results"][1]["activities"]] == ["b", "a"]


def test_groups_are_paged_by_their_ids(pond):
    feed = pond.feed("aggregated")
    add(pond, feed, "one", "two", "three")
    (newest,) = feed.get(limit=1)["results"]
    assert [group["verb"] for group in feed.get(id_lt=newest["id"])["results"]] == ["two", "one"]
    assert [group["verb"] for group in feed.get(limit=1, offset=2)["results"]] == ["one"]


def test_a_followed_feed_is_aggregated(pond):
    amy, feed = pond.feed(), pond.feed("aggregated")
    feed.follow("user", amy.user_id)
    add(pond, amy, "buy", "buy")
    assert [group["activity_count"] for group in feed.get()["results"]] == [2]


def test_a_broken_format_takes_writes_and_refuses_reads(pond):
    feed = pond.feed("invalid_aggregation_format")
    add(pond, feed, "buy")
    with pytest.raises(StreamApiException) as refusal:
        feed.get()
    assert refusal.value.status_code == 400


def test_a_mark_shows_at_the_next_read_and_seen_is_not_read(pond):
    feed = pond.feed("notification")
    add(pond, feed, "buy", "sell")

    def counts(**marks):
        page = feed.get(**marks)
        return page["unread"], page["unseen"]

    assert counts(mark_seen=True) == (2, 2)
    assert counts(mark_read=True) == (2, 0)
    assert counts() == (0, 0)
    add(pond, feed, "buy")
    assert counts() == (1, 1)


def test_single_groups_are_marked_by_their_ids(pond):
    feed = pond.feed("notification")
    add(pond, feed, "one", "two", "three")
    three, two, _ = feed.get()["results"]
    feed.get(mark_read=[three["id"], two["id"]], mark_seen=[three["id"]])
    page = feed.get()
    flags = [(group["verb"], group["is_read"], group["is_seen"]) for group in page["results"]]
    assert flags == [("three", True, True), ("two", True, False), ("one", False, False)]
    assert (page["unread"], page["unseen"]) == (1, 2)


def test_current_marks_what_is_on_the_page(pond):
    feed = pond.feed("notification")
    add(pond, feed, "one", "two", "three")
    feed.get(limit=1, mark_read="current")
    assert [group["is_read"] for group in feed.get()["results"]] == [True, False, False]


def test_a_ranked_feed_is_read_by_score(pond):
    feed = pond.feed("ranked")
    feed.add_activities([pond.activity("low", popularity=1), pond.activity("high", popularity=100)])
    results = feed.get(ranking="popularity")["results"]
    assert [activity["object"] for activity in results] == ["high", "low"]
    assert results[0]["score"] > results[1]["score"]


def test_the_values_that_a_score_was_made_of_are_shown(pond):
    feed = pond.feed("ranked")
    feed.add_activity(pond.activity(popularity=9))
    (read,) = feed.get(ranking="popularity", with_score_vars=True)["results"]
    assert read["score_vars"]["popularity"] == 9


def test_an_unknown_ranking_is_refused(pond):
    with pytest.raises(StreamApiException) as refusal:
        pond.feed("ranked").get(ranking="unknown")
    assert refusal.value.status_code == 400
