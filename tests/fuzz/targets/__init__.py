"""Every target, by its name."""

from collections.abc import Mapping

from tests.fuzz.target import Target
from tests.fuzz.targets.access_tokens import ACCESS_TOKENS
from tests.fuzz.targets.answers import ANSWERS
from tests.fuzz.targets.aws_answers import AWS_ANSWERS
from tests.fuzz.targets.bodies import BODIES
from tests.fuzz.targets.inbound import INBOUND
from tests.fuzz.targets.items import ITEMS
from tests.fuzz.targets.notifications import NOTIFICATIONS
from tests.fuzz.targets.page_marks import PAGE_MARKS
from tests.fuzz.targets.sealed import SEALED
from tests.fuzz.targets.secret import SECRET

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        *BODIES,
        *INBOUND,
        *NOTIFICATIONS,
        *ANSWERS,
        *SECRET,
        *SEALED,
        *PAGE_MARKS,
        *ITEMS,
        *ACCESS_TOKENS,
        *AWS_ANSWERS,
    )
}
