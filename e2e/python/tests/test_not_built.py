"""What is not built says so."""

import pytest
import requests
from stream.exceptions import StreamApiException


def refuses(call):
    with pytest.raises(StreamApiException) as refusal:
        call()
    assert refusal.value.status_code == 501


def test_personalization_is_not_built_and_says_so(pond):
    personalization = pond.client.personalization
    refuses(lambda: personalization.get("follow_recommendations", user_id="amy"))
    # The client puts `data` into the query, too, where it must be a text.
    refuses(lambda: personalization.post("follow_recommendations", user_id="amy", data="accepted"))
    refuses(lambda: personalization.delete("follow_recommendations", user_id="amy"))


def test_analytics_are_not_built_and_say_so(pond):
    engagement = {"content": "1", "label": "click", "features": [], "user_data": "amy"}
    refuses(lambda: pond.client.track_engagements([engagement]))
    refuses(lambda: pond.client.track_impressions({"content_list": ["1"], "user_data": "amy"}))
    url = pond.client.create_redirect_url("http://example.com/", "amy", [{"content": "1"}])
    here = url.replace("https://analytics.stream-io-api.com", pond.url)
    assert requests.get(here, allow_redirects=False, timeout=10).status_code == 501
