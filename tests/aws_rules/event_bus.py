"""PutEvents, throttled: as a whole, or entry by entry in an answer that is a success.

A request has 1 to 10 entries. Its answer has an entry for each, in order: an EventId, or an ErrorCode; FailedEntryCount
counts the latter. Past the quota of the region the whole request is answered ThrottlingException (400), and an entry
may be refused with ThrottlingException or InternalFailure by itself.

Source: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html;
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_ENTRIES = 10


class Mood(Enum):
    """What happens to a request."""

    TAKEN = "taken"
    THROTTLED = "throttled as a whole"
    SOME_THROTTLED = "every second entry is throttled, the first included"


@dataclass(slots=True)
class ThrottlingBus:
    """A bus that is throttled as planned, one mood a request, and takes everything afterwards."""

    plan: deque[Mood] = field(default_factory=deque)
    taken: list[Mapping[str, object]] = field(default_factory=list)

    def put_events(self, *, Entries: Sequence[Mapping[str, object]]) -> Mapping[str, object]:  # noqa: N803 - boto3's name
        """Take the entries, or some, or none."""
        if not 1 <= len(Entries) <= MOST_ENTRIES:
            raise _error("ValidationException")
        mood = self.plan.popleft() if self.plan else Mood.TAKEN
        if mood is Mood.THROTTLED:
            raise _error("ThrottlingException")
        answers: list[Mapping[str, str]] = []
        for number, entry in enumerate(Entries):
            if mood is Mood.SOME_THROTTLED and number % 2 == 0:
                answers.append({"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"})
            else:
                self.taken.append(entry)
                answers.append({"EventId": str(len(self.taken))})
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "planned"}}, "PutEvents")
