"""What is not built says so."""

import pytest
import requests
from stream.exceptions import StreamApiException


def refuses(status, call):
    with pytest.raises(StreamApiException) as refusal:
        call()
    assert refusal.value.status_code == status


def test_the_service_of_personalization_has_no_resources(pond):
    personalization = pond.client.personalization
    refuses(404, lambda: personalization.get("follow_recommendations", user_id="amy"))
    # The client puts `data` into the query, too, where it must be a text.
    refuses(404, lambda: personalization.post("follow_recommendations", user_id="amy", data="accepted"))
    refuses(404, lambda: personalization.delete("follow_recommendations", user_id="amy"))


def test_analytics_are_not_built_and_say_so(pond):
    engagement = {"content": "1", "label": "click", "features": [], "user_data": "amy"}
    refuses(501, lambda: pond.client.track_engagements([engagement]))
    refuses(501, lambda: pond.client.track_impressions({"content_list": ["1"], "user_data": "amy"}))
    url = pond.client.create_redirect_url("http://example.com/", "amy", [{"content": "1"}])
    here = url.replace("https://analytics.stream-io-api.com", pond.url)
    assert requests.get(here, allow_redirects=False, timeout=10).status_code == 501
