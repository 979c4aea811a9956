"""P3 and P6: what an invocation takes in an environment that has had some."""

from collections.abc import Iterator

from tests.benchmarks.speed.goals import NOTIFICATIONS, NOTIFICATIONS_AIM, WARM, WARM_PAYMENT
from tests.benchmarks.speed.row import Row
from tests.benchmarks.speed.samples import Samples
from tests.benchmarks.speed.scenes import SCENES

# It hands out a page that it holds: a floor without a call does nothing, so that a ratio to it says nothing.
_WITHOUT_A_FLOOR = frozenset({"ExplainProblem"})
_RECEIVED_AND_PROCESSED = ("ReceivePaymentNotification", "ProcessNotification")


def measure_functions(samples: Samples) -> Iterator[Row]:
    """P3: each function beside the floor with the same calls."""
    for name in sorted(SCENES, key=lambda name: (name != "MakePayment", name)):
        goal = WARM_PAYMENT if name == "MakePayment" else WARM
        sample = samples.warm(name)
        ours, floor = sample.warm
        if name in _WITHOUT_A_FLOOR:
            yield Row(measure="P3", what=f"warm {name}", ours=ours * 1e3, unit="CPU ms", note="a page, without a call")
            continue
        yield Row(
            measure="P3",
            what=f"warm {name}",
            ours=ours * 1e3,
            other=floor * 1e3,
            ratio=ours / floor,
            unit="CPU ms",
            goal=f"<= {goal:g}",
            met=ours / floor <= goal,
            note=f"{sample.letters()}; {sample.warm_spread}",
        )


def measure_notifications(samples: Samples) -> Iterator[Row]:
    """P6: notifications received and processed in a second of CPU time."""
    both = [samples.warm(name).warm for name in _RECEIVED_AND_PROCESSED]
    ours, floor = (1 / sum(one[side] for one in both) for side in (0, 1))
    yield Row(
        measure="P6",
        what="notifications received and processed",
        ours=ours,
        other=floor,
        ratio=ours / floor,
        unit="per CPU s",
        goal=f">= {NOTIFICATIONS:g} (aim {NOTIFICATIONS_AIM:g})",
        met=ours >= NOTIFICATIONS,
    )
