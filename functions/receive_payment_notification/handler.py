"""POST /doku/v1.0/debit/notify: DOKU says what became of a payment. Public, proved by our token and an HMAC."""

from direct_debit.application.ports.inbox import InboxKind
from direct_debit.entrypoint.inbound import open_notification_door

handler = open_notification_door(InboxKind.PAYMENT, uses=("inbound", "vault", "inbox", "queues"))
