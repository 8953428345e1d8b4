"""What is not built says so."""

import pytest
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
