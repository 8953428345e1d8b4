"""Tokens: this client signs a narrow one for every call, so that the rest of the suite tests them too."""

import time

import jwt
import pytest
import requests
from stream.exceptions import ApiKeyException, NotAllowedException


def read(pond, feed, token):
    """Reads a feed with any token."""
    return requests.get(
        f"{pond.url}/api/v1.0/feed/{feed.slug}/{feed.user_id}/",
        params={"api_key": pond.key},
        headers={"Authorization": token, "stream-auth-type": "jwt"},
        timeout=10,
    )


def refusal(response):
    return response.status_code, response.json()["code"]


def test_a_read_only_token_reads_and_does_not_write(pond):
    amy = pond.feed()
    token = amy.get_readonly_token()
    assert read(pond, amy, token).status_code == 200
    with pytest.raises(NotAllowedException) as refused:
        pond.client.post(amy.feed_url, signature=token, data=pond.activity())
    assert refused.value.status_code == 403
    assert pond.objects(amy) == []


def test_a_token_for_one_feed_does_not_open_another(pond):
    amy, bob = pond.feed(), pond.feed()
    assert refusal(read(pond, bob, amy.get_readonly_token())) == (403, 17)


@pytest.mark.parametrize("resource", ["follower", "activities", "reactions", "users"])
def test_a_token_for_another_resource_does_not_open_a_feed(pond, resource):
    token = pond.client.create_jwt_token(resource, "*", feed_id="*")
    assert refusal(read(pond, pond.feed(), token)) == (403, 17)


def test_a_user_token_opens_the_own_feeds_and_those_that_everybody_may_read(pond):
    amy = pond.name("amy")
    token = pond.client.create_user_token(amy, role="admin")
    assert read(pond, pond.client.feed("timeline", amy), token).status_code == 200
    assert read(pond, pond.feed("user"), token).status_code == 200
    assert refusal(read(pond, pond.feed("timeline"), token)) == (403, 17)


def test_a_secret_that_is_not_the_apps_is_refused(pond):
    stranger = pond.connect(pond.key, "not-the-secret-but-long-enough-for-the-algorithm")
    with pytest.raises(NotAllowedException) as refused:
        stranger.feed("user", "amy").get()
    assert refused.value.status_code == 403


def test_a_key_that_nobody_has_is_refused(pond):
    stranger = pond.connect("nobody", pond.secret)
    with pytest.raises(ApiKeyException) as refused:
        stranger.feed("user", "amy").get()
    assert refused.value.status_code == 401


@pytest.mark.parametrize("claim, moment", [("exp", -3600), ("nbf", 3600)])
def test_a_token_is_refused_outside_its_time(pond, claim, moment):
    claims = {"resource": "*", "action": "*", "feed_id": "*", claim: int(time.time()) + moment}
    token = jwt.encode(claims, pond.secret, algorithm="HS256")
    assert refusal(read(pond, pond.feed(), token)) == (403, 17)


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_a_token_of_another_algorithm_is_refused(pond, algorithm):
    claims = {"resource": "*", "action": "*", "feed_id": "*"}
    key = None if algorithm == "none" else pond.secret * 2
    assert refusal(read(pond, pond.feed(), jwt.encode(claims, key, algorithm=algorithm))) == (403, 17)
