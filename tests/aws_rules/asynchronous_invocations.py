"""What Lambda does with an event that nobody waits for: it keeps it, and tries again.

Events of rules and schedules are queued. A throttled one is tried again for up to MaximumEventAgeInSeconds (six hours
unless the function says less), a failed one MaximumRetryAttempts times (twice unless it says less). So a function that
runs each minute and was throttled for an hour is run sixty times at once afterwards, unless it says otherwise; and
what is dropped is dropped silently, but for the metric AsyncEventsDropped.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import re
from collections.abc import Mapping
from typing import Any

USUAL_RETRIES = 2
USUAL_AGE = 6 * 3600  # seconds
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}


def schedules(template: Mapping[str, Any]) -> Mapping[str, int]:
    """Return the source template's functions that run on a schedule, with its period in seconds."""
    found = {}
    for name, resource in template["Resources"].items():
        for event in resource.get("Properties", {}).get("Events", {}).values():
            if event["Type"] in ("Schedule", "ScheduleV2"):
                properties = event["Properties"]
                found[name] = _seconds(str(properties.get("Schedule") or properties.get("ScheduleExpression")))
    return found


def lateness(invoke_config: Mapping[str, int] | None) -> tuple[int, int]:
    """Return how often a failed event is tried again, and how old a throttled one may get in seconds."""
    config = invoke_config or {}
    return config.get("MaximumRetryAttempts", USUAL_RETRIES), config.get("MaximumEventAgeInSeconds", USUAL_AGE)


def _seconds(expression: str) -> int:
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if match is None:
        raise ValueError(f"a rate was expected, not {expression}")
    return int(match[1]) * _UNITS[match[2]]
