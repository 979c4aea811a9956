"""While `sam local start-api` runs, DOKU finds the merchant there: token requests, notifications, browsers."""

import contextlib
from collections.abc import Iterator

import requests

from tools.invoke.running_stack import RunningStack
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.simulator import Simulator


@contextlib.contextmanager
def published(stack: RunningStack, url: str) -> Iterator[None]:
    """Register `url` at the simulator as the merchant's; the deployed API is registered again at the end.

    Raises LocalCloudError when the simulator does not answer.
    """
    simulator = Simulator(stack.simulator_url)
    try:
        simulator.register_merchant(url)
    except requests.RequestException as error:
        raise LocalCloudError("the simulator of the running stack does not answer: `make run` again") from error
    try:
        yield
    finally:
        with contextlib.suppress(LocalCloudError, requests.RequestException):  # the stack may have ended before us
            simulator.register_merchant(stack.public_base_url)
