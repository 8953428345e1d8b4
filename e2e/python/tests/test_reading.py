"""Pages of a feed."""

from urllib.parse import parse_qs, urlparse

import pytest
from stream.exceptions import InputException

LETTERS = "abcdefg"


def test_a_feed_that_nobody_has_written_to_is_empty(pond):
    page = pond.feed().get()
    assert (page["results"], page["next"]) == ([], "")


def test_a_page_has_25_activities_unless_the_request_says_otherwise(pond):
    amy = pond.feed()
    pond.fill(amy, *[f"thing-{index}" for index in range(30)])
    assert len(pond.objects(amy)) == 25
    assert len(pond.objects(amy, limit=30)) == 30


def test_limit_and_offset_cut_the_feed_into_pages(pond):
    amy = pond.feed()
    pond.fill(amy, *LETTERS)
    assert pond.objects(amy, limit=3) == ["g", "f", "e"]
    assert pond.objects(amy, limit=3, offset=2) == ["e", "d", "c"]
    assert pond.objects(amy, limit=3, offset=6) == ["a"]
    assert pond.objects(amy, limit=3, offset=7) == []


@pytest.mark.parametrize(
    "bound, expected",
    [("id_lt", "cba"), ("id_lte", "dcba"), ("id_gt", "gfe"), ("id_gte", "gfed")],
)
def test_an_id_cuts_the_feed_where_it_stands(pond, bound, expected):
    amy = pond.feed()
    d = pond.fill(amy, *LETTERS)[3]["id"]
    assert "".join(pond.objects(amy, **{bound: d})) == expected


def test_two_ids_cut_out_what_lies_between_them(pond):
    amy = pond.feed()
    filled = pond.fill(amy, *LETTERS)
    assert pond.objects(amy, id_gt=filled[1]["id"], id_lt=filled[4]["id"]) == ["d", "c"]


def test_walking_the_next_links_shows_every_activity_once(pond):
    amy = pond.feed()
    things = [f"thing-{index}" for index in range(23)]
    pond.fill(amy, *things)
    seen, options = [], {"limit": 5}
    while True:
        page = amy.get(**options)
        seen += [activity["object"] for activity in page["results"]]
        if page["next"] == "":
            break
        link = urlparse(page["next"])
        assert link.path == f"/api/v1.0/feed/user/{amy.user_id}/"
        options = {name: values[0] for name, values in parse_qs(link.query).items() if name != "api_key"}
        assert options["limit"] == "5"
    assert seen == things[::-1]


def test_an_old_activity_takes_its_place_by_time(pond):
    amy = pond.feed()
    for thing, count in [("new", 100), ("old", 1), ("between", 50)]:
        amy.add_activity(pond.activity(thing, time=pond.second(count)))
    assert pond.objects(amy) == ["new", "between", "old"]


def test_the_enriched_path_shows_plain_strings_as_they_are(pond):
    amy = pond.feed()
    pond.fill(amy, "skates")
    assert pond.only(amy, enrich=True)["object"] == "skates"


@pytest.mark.parametrize("options", [{"limit": "many"}, {"limit": -1}, {"offset": "far"}, {"offset": -1}, {"id_lt": "x"}])
def test_a_page_that_cannot_be_is_refused(pond, options):
    with pytest.raises(InputException) as refusal:
        pond.feed().get(**options)
    assert refusal.value.status_code == 400
