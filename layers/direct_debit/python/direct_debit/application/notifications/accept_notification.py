"""Accept an authentic notification: stored first, then answered; what it means is worked out afterwards (3.10).

Equal facts are stored once, whatever their X-EXTERNAL-ID: DOKU does not say whether a repeat keeps it.
"""

from dataclasses import dataclass
from datetime import timedelta

from direct_debit.application.errors import StoreUnavailable
from direct_debit.application.notifications.notices import Notice, write_notice
from direct_debit.application.ports.inbox import InboxItem, InboxKind, InboxState
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.vault import SealedField

_PATIENCE = timedelta(seconds=60)  # what the queue has not done by then, the sweep has done
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptNotification:
    """A verified notification.

    `subject` is the reference it speaks of and `fact` what it says (status and amount): together they identify it.
    `notice` is all that is kept of it. `fresh` is false when its timestamp lies outside the window: then it is only a
    reason to ask; so it is where `is_by_replaced_key`: whoever got hold of a key that was replaced could have sent it.
    `signed_form` names the form of the body that DOKU signed, where that is not the body as it came.
    """

    kind: InboxKind
    subject: str
    fact: str
    fresh: bool
    notice: Notice
    signed_form: str | None = None
    is_by_replaced_key: bool = False


def accept_notification(command: AcceptNotification, ports: Ports) -> None:
    """Store the notification and queue it. Raises StoreUnavailable when it could not be stored: DOKU must repeat it."""
    identity = f"inbox:{command.kind}:{command.subject}:{command.fact}:{command.fresh}"
    if command.is_by_replaced_key:
        identity += ":replaced"  # it must not stand for the true one
    item_id = ports.vault.fingerprint(identity)[:_ID_DIGITS]
    now = ports.clock.now()
    item = InboxItem(
        id=item_id,
        kind=command.kind,
        subject=command.subject,
        received_at=now,
        fresh=command.fresh,
        is_by_replaced_key=command.is_by_replaced_key,
        body=ports.vault.seal(write_notice(command.notice), SealedField.NOTICE, item_id),
        due_at=now + _PATIENCE,
    )
    stored = ports.inbox.put(item)
    if stored is not None and stored.state is not InboxState.ACCEPTED:
        return
    try:
        ports.queues.send_notification(item_id)
    except StoreUnavailable:
        ports.telemetry.note("notification not queued, left to the sweep", reason=command.kind)
