"""What of the secret is in use, and whether an earlier rotation has settled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tools.ops.failure import OpsError
from tools.ops.report import tell_time
from tools.ops.secret_content import INBOUND_KEYS, Content, carry_over, read_content, read_previous
from tools.ops.secret_parts import new_notice_fields
from tools.ops.stack_secret import StackSecret, StackVersion
from tools.ops.system import System
from tools.secret_fields import SHARED

SETTLED = timedelta(minutes=20)
"""How long after a rotation the keys before it may be met: tokens of ours live for 15 min, functions keep the secret
for one, and clocks differ."""


@dataclass(frozen=True, slots=True)
class InUse:
    """What is in use and what was before it. `content` has the data keys that only the version before had (`carried`).

    `disagreements`: the fields that two secrets have, and not the same.
    """

    version: StackVersion
    content: Content
    previous: Content | None
    carried: Sequence[str]
    disagreements: Sequence[str]


def read_in_use(system: System, *, may_differ: str | None = None) -> InUse:
    """Read what is in use. Raises OpsError; also where two secrets disagree in another field than `may_differ`."""
    version = system.secret.read_current()
    disagreements = system.secret.find_disagreements(version)
    for name in disagreements:
        if name != may_differ:
            raise OpsError(tell_disagreement(name))
    content = with_notice_keys(read_content(version.text), system.secret)
    previous = read_previous(system.secret.read_previous())
    content, carried = carry_over(content, previous)
    return InUse(version, content, previous, carried, disagreements)


def refuse_notice_keys(key: str, secret: StackSecret) -> None:
    """Raise OpsError for keys that one secret does not have."""
    if key == "noticeKeys" and not secret.is_split:
        raise OpsError(
            "there are noticeKeys with SecretLayout three only: with one secret, what comes in is sealed with tokenKeys"
        )


def with_notice_keys(content: Content, secret: StackSecret, known: Mapping[str, object] | None = None) -> Content:
    """Return the content with keys for notifications, which three secrets have: those `known`, else new ones."""
    if not secret.is_split or "noticeKeys" in content.fields:
        return content
    return content.changed(**{**new_notice_fields(), **(known or {})})


def tell_disagreement(name: str) -> str:
    """Return what is wrong where two secrets have a field, and not the same, and what to do."""
    return f"the {' and the '.join(SHARED[name])} secret have each another {name}: {mend(name)}"


def mend(name: str) -> str:
    """Return what lets two secrets agree on a field again."""
    if name == "secretKey":
        return "./ops rotate secretKey --from FILE puts the same into both"
    if name == "noticeKeys":
        return "./ops rotate noticeKeys puts the same into both"
    return f"put the right {name} into both"


_UNLESS_LEAKED = "or with --now because a key has leaked (what comes with the older one is refused then)"


def require_settled(secret: InUse, system: System, what: str, otherwise: str = _UNLESS_LEAKED) -> None:
    """Refuse `what` would end the overlap of a rotation before it, and tell what may be done `otherwise`.

    Raises OpsError.
    """
    previous, version = secret.previous, secret.version
    if previous is None:
        return
    replaced = [key for key in INBOUND_KEYS if previous.value(key) != secret.content.value(key)]
    now = version.read_at or system.ports.clock.now()
    settled_at = version.created_at + SETTLED
    if replaced and now < settled_at:
        raise OpsError(
            f"{' and '.join(replaced)} was replaced {tell_time(version.created_at, now)}, and DOKU may still come with "
            f"what it had before: {what} from {tell_time(settled_at, now)} on, {otherwise}"
        )
