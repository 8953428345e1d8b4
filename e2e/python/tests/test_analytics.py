"""What users saw and did is taken, and links that count lead on."""

import pytest
import requests
from stream.exceptions import StreamApiException

ENGAGEMENT = {
    "content": "1",
    "label": "click",
    "features": [{"group": "topic", "value": "js"}, {"group": "user", "value": "amy"}],
    "user_data": "amy",
}
IMPRESSION = {"content_list": ["1", "2"], "features": [], "user_data": {"id": "amy", "alias": "Amy"}}


def test_what_users_did_is_taken(pond):
    pond.client.track_engagements([ENGAGEMENT, {**ENGAGEMENT, "content": {"foreign_id": "tweet:1"}}])


def test_what_users_saw_is_taken_one_by_one_or_in_a_list(pond):
    pond.client.track_impressions(IMPRESSION)
    pond.client.track_impressions([IMPRESSION, {**IMPRESSION, "content_list": ["3"]}])


def test_what_says_nothing_is_refused(pond):
    for wrong in ({**ENGAGEMENT, "label": None}, {**ENGAGEMENT, "content": None}, {**ENGAGEMENT, "features": ["topic"]}):
        with pytest.raises(StreamApiException) as refusal:
            pond.client.track_engagements([wrong])
        assert refusal.value.status_code == 400
    with pytest.raises(StreamApiException) as refusal:
        pond.client.track_impressions([{**IMPRESSION, "content_list": []}])
    assert refusal.value.status_code == 400


def follow(pond, url):
    here = url.replace("https://analytics.stream-io-api.com", pond.url)
    return requests.get(here, allow_redirects=False, timeout=10)


def test_a_link_that_counts_leads_on(pond):
    url = pond.client.create_redirect_url("http://example.com/?a=b", "amy", [{"content": "1"}, {"foreign_id": "x"}])
    answer = follow(pond, url)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://example.com/?a=b")


def test_a_link_of_another_secret_leads_nowhere(pond):
    url = pond.connect(pond.key, "another-secret").create_redirect_url("http://example.com/", "amy", [])
    answer = follow(pond, url)
    assert answer.status_code == 403
    assert "Location" not in answer.headers
