"""Events as API Gateway, SQS and DynamoDB's streams hand them to a function, with all that comes along."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence

type Event = Mapping[str, object]

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, br",
    "CloudFront-Forwarded-Proto": "https",
    "CloudFront-Viewer-Country": "ID",
    "Content-Type": "application/json",
    "Host": "merchant.example",
    "User-Agent": "merchant/1.0",
    "X-Amzn-Trace-Id": "Root=1-5e66d96f-7491f09xmpl79d18acf3d050",
    "X-Forwarded-For": "203.0.113.7, 130.176.1.1",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}


def api_event(
    method: str,
    resource: str,
    path: Mapping[str, str] | None = None,
    *,
    query: Mapping[str, str] | None = None,
    body: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Event:
    """Return a REST API proxy event."""
    actual = resource.format(**(path or {}))
    all_headers = {**_HEADERS, **(headers or {})}
    return {
        "resource": resource,
        "path": actual,
        "httpMethod": method,
        "headers": all_headers,
        "multiValueHeaders": {name: [value] for name, value in all_headers.items()},
        "queryStringParameters": dict(query) if query else None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} if query else None,
        "pathParameters": dict(path) if path else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "httpMethod": method,
            "path": f"/v1{actual}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(time.time() * 1000),
            "resourcePath": resource,
            "stage": "v1",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "merchant/1.0"},
        },
        "body": body,
        "isBase64Encoded": False,
    }


def authoriser_event(token: str, method: str, path: str) -> Event:
    """Return what API Gateway hands to an authoriser of tokens."""
    return {
        "type": "TOKEN",
        "authorizationToken": f"Bearer {token}",
        "methodArn": f"arn:aws:execute-api:ap-southeast-3:123456789012:a1b2c3d4e5/v1/{method}{path}",
    }


def queue_event(message: Mapping[str, object]) -> Event:
    """Return an event with one message of a queue."""
    now = str(int(time.time() * 1000))
    record = {
        "messageId": str(uuid.uuid4()),
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(message, separators=(",", ":")),
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": now,
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": now,
        },
        "messageAttributes": {},
        "md5OfBody": "7b270e59b47ff90a553787216d55d91d",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:ap-southeast-3:123456789012:queue",
        "awsRegion": "ap-southeast-3",
    }
    return {"Records": [record]}


def stream_event(records: Sequence[Event]) -> Event:
    """Return an event with records of a table's stream."""
    return {"Records": list(records)}
