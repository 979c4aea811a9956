"""What SQS refuses of a message.

DelaySeconds is 0 to 900; a message has at most 1 MiB; a message's visibility may be changed to 12 hours at most.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html;
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs import SQSClient

LONGEST_DELAY = 900
LARGEST_MESSAGE = 1024 * 1024
LONGEST_VISIBILITY = 12 * 3600


class StrictSqs:
    """A client that refuses what SQS refuses, around one that does not."""

    def __init__(self, inner: SQSClient) -> None:
        self._inner = inner

    def send_message(self, **request: object) -> Mapping[str, object]:
        """Send a message."""
        delay, body = request.get("DelaySeconds", 0), str(request["MessageBody"])
        if not isinstance(delay, int) or not 0 <= delay <= LONGEST_DELAY:
            raise _refusal(f"Value {delay} for parameter DelaySeconds is invalid", "SendMessage")
        if not 1 <= len(body.encode()) <= LARGEST_MESSAGE:
            raise _refusal("One or more parameters are invalid: MessageBody", "SendMessage")
        return cast("Mapping[str, object]", self._inner.send_message(**request))  # type: ignore[arg-type]  # as it came

    def change_message_visibility(self, **request: object) -> None:
        """Change how long a message stays hidden."""
        seconds = request["VisibilityTimeout"]
        if not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_VISIBILITY:
            raise _refusal(f"Value {seconds} for parameter VisibilityTimeout is invalid", "ChangeMessageVisibility")
        self._inner.change_message_visibility(**request)  # type: ignore[arg-type]  # as it came


def _refusal(message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "InvalidParameterValue", "Message": message}}, operation)
