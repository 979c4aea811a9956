"""Our signatures are those that botocore's signer makes of the same request."""

from datetime import UTC, datetime

import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.adapters.aws.endpoints import AwsPlace
from direct_debit.adapters.aws.signature_v4 import Signer

TEXT = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
PLACES = st.builds(
    AwsPlace, st.just("ap-southeast-3"), st.just("amazonaws.com"), TEXT, TEXT, st.none() | TEXT, st.none()
)
TIMES = st.integers(1_000_000_000, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
PATHS = st.sampled_from(["/", "/queue", "/a/b"])


@given(PLACES, st.binary(max_size=200), TIMES, PATHS, st.sampled_from(["a.b", "127.0.0.1:4566"]))
def test_a_signature_is_botocores(place: AwsPlace, body: bytes, at: datetime, path: str, host: str) -> None:
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "Service.Operation"}
    ours = Signer(place, "sqs", host, path).sign(headers, body, at)

    request = AWSRequest("POST", f"http://{host}{path}", headers=headers, data=body)
    request.context["timestamp"] = f"{at:%Y%m%dT%H%M%SZ}"
    signer = auth.SigV4Auth(
        Credentials(place.access_key, place.secret_key, place.session_token), "sqs", "ap-southeast-3"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
        signer.add_auth(request)
    theirs = {name.lower(): value for name, value in request.headers.items()}
    assert ours == {**theirs, "host": host}


def test_nothing_of_the_keys_is_in_their_text() -> None:
    place = AwsPlace("ap-southeast-3", "amazonaws.com", "canary-1", "canary-2", "canary-3", None)
    assert "canary" not in repr(place)
