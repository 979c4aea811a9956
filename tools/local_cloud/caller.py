"""A merchant's system: an IAM user that may call the API and nothing else, and its signed HTTP requests."""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tools.local_cloud.aws import Cloud

# API Gateway gives up after 29 s.
_TIMEOUT_SECONDS = 300  # the gateway gives up after 29 s; on a busy machine its answer takes longer


@dataclass(frozen=True, slots=True)
class AccessKey:
    """Long-lived keys of the local IAM user."""

    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: status, headers (names in lower case), the JSON body ({} when there is none), milliseconds."""

    status: int
    headers: Mapping[str, str]
    body: Any
    milliseconds: float


def create_caller(cloud: Cloud, api_id: str, key: AccessKey) -> None:
    """Create an IAM user whose only right is to invoke this API and whose access key is this one, unless it is there.

    The emulator was told which key the first one is to be.
    """
    iam = cloud.iam()
    name = "merchant-system"
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_user(UserName=name)
    iam.put_user_policy(
        UserName=name,
        PolicyName="call-the-api",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Action": "execute-api:Invoke",
                        "Resource": f"arn:aws:execute-api:{cloud.region}:*:{api_id}/*",
                    }
                ],
            }
        ),
    )
    there = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
    if key.key_id not in {one["AccessKeyId"] for one in there}:
        iam.create_access_key(UserName=name)


class ApiCaller:
    """Calls the API over HTTP; signs with SigV4 when it has a key, for another `service` in tests of refusals only.

    `token` gives an access token for each request, where there is no key.
    """

    def __init__(
        self,
        base_url: str,
        region: str,
        key: AccessKey | None,
        *,
        service: str = "execute-api",
        token: Callable[[], str] | None = None,
    ) -> None:
        self._base_url = base_url
        self._token = token
        self._signer = SigV4Auth(Credentials(key.key_id, key.secret), service, region) if key else None
        self._session = requests.Session()
        self._session.trust_env = False

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request (a mapping becomes JSON, text and bytes go as they are). Redirects are not followed."""
        data = json.dumps(body).encode() if isinstance(body, Mapping) else body
        content_type = {} if data is None else {"Content-Type": "application/json"}
        request = AWSRequest(method, self._base_url + path, data=data, headers=content_type | dict(headers or {}))
        if self._signer is not None:
            self._signer.add_auth(request)
        if self._token is not None:
            request.headers["Authorization"] = f"Bearer {self._token()}"
        prepared = request.prepare()
        answer = self._session.request(
            method,
            prepared.url,
            data=data,
            headers=dict(prepared.headers.items()),
            timeout=_TIMEOUT_SECONDS,
            allow_redirects=False,
        )
        return Answer(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=_json(answer.text),
            milliseconds=answer.elapsed.total_seconds() * 1000,
        )


def _json(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except ValueError:
        return {}
