"""Not built yet: answers 501."""

import json


def handler(event: dict[str, object], context: object) -> dict[str, object]:  # noqa: ARG001
    """Answer 501 in the shape of an API Gateway proxy response."""
    return {
        "statusCode": 501,
        "headers": {"Content-Type": "application/problem+json"},
        "body": json.dumps({"type": "about:blank", "title": "Not Implemented", "status": 501}),
    }
