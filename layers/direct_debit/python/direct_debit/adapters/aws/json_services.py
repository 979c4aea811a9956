"""AWS's services that are used here, as their models describe them. All of them speak JSON over POST.

Source: botocore's models, which the tests compare with this (protocols `json`, targetPrefix, jsonVersion).
"""

from __future__ import annotations

from typing import NamedTuple


class JsonService(NamedTuple):
    """How one service is spoken to."""

    prefix: str
    """In its host name, and in signatures."""

    target: str
    """Before an operation's name in `X-Amz-Target`."""

    version: str
    """Of the JSON protocol."""


DYNAMODB = JsonService("dynamodb", "DynamoDB_20120810", "1.0")
SQS = JsonService("sqs", "AmazonSQS", "1.0")
EVENTS = JsonService("events", "AWSEvents", "1.1")
STEP_FUNCTIONS = JsonService("states", "AWSStepFunctions", "1.0")
SECRETS_MANAGER = JsonService("secretsmanager", "secretsmanager", "1.1")
