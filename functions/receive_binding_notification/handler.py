"""POST /doku/v1.0/registration-account-binding/notify: DOKU says what became of a link. Public, proved alike."""

from direct_debit.application.ports.inbox import InboxKind
from direct_debit.entrypoint.inbound import open_notification_door

handler = open_notification_door(InboxKind.BINDING, uses=("inbound", "vault", "inbox", "queues"))
