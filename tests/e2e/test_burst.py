"""Many calls at once: each is answered, and the machine is not filled with processes."""

import threading
from collections import Counter
from functools import partial

import pytest

from tests.e2e.shop import Shop, all_at_once
from tools.local_cloud.launcher import WORKERS
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

CALLS = 200
PAUSE = 0.2  # seconds between two looks at the processes


def test_two_hundred_calls_at_once_are_answered_by_a_bounded_number_of_workers(stack: LocalStack) -> None:
    shop = Shop(stack)
    assert stack.signed().call("GET", "/payments/unknown").status == 404
    # What earlier calls left, perhaps of an earlier version, is idle and stays.
    idle = len(shop.workers("get_payment"))
    done = threading.Event()
    seen: list[int] = []

    def watch() -> None:
        while not done.is_set():
            seen.append(len(shop.workers("get_payment")))
            done.wait(PAUSE)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        answers = all_at_once([partial(shop.insist, "GET", "/payments/unknown")] * CALLS)
    finally:
        done.set()
        watcher.join()
    # 429: throttled, by the route's limit or for want of a worker; its caller comes again.
    statuses = Counter(answer.status for answer in answers)
    assert set(statuses) <= {404, 429}, statuses
    assert statuses[404] > 0
    assert 0 < max(seen) <= idle + WORKERS
    assert len(shop.workers("get_payment")) <= idle + WORKERS
