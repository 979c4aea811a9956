"""AWS as it answers: clients whose answers are given beforehand, and checked against AWS's own shapes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import boto3
from botocore.stub import Stubber

from tools.deploy.clients import Clients


@dataclass(frozen=True, slots=True)
class Stubbed:
    """Clients, and where their answers are put."""

    clients: Clients
    cloudformation: Stubber
    functions: Stubber


@contextmanager
def stubbed() -> Iterator[Stubbed]:
    """Clients that reach nobody; at the end every answer has been asked for."""
    session = boto3.Session(region_name="ap-southeast-3", aws_access_key_id="-", aws_secret_access_key="-")
    clients = Clients(session.client("cloudformation"), session.client("lambda"), session.client("s3"))
    with ExitStack() as stack:
        cloudformation = stack.enter_context(Stubber(clients.cloudformation))
        functions = stack.enter_context(Stubber(clients.functions))
        yield Stubbed(clients, cloudformation, functions)
        cloudformation.assert_no_pending_responses()
        functions.assert_no_pending_responses()
