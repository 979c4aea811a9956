"""DOKU's calls to us, through the signing layer: verified with the current keys and the previous ones."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from direct_debit.application.errors import InvalidSignature
from direct_debit.application.notifications.accept_notification import AcceptNotification
from direct_debit.application.notifications.inbound_ports import InboundCall, SnapReply
from direct_debit.application.notifications.notices import BindingNotice, PaymentNotice
from direct_debit.application.ports.inbox import InboxKind
from direct_debit.application.ports.time_and_chance import Clock
from doku_snap import inbound
from doku_snap.errors import InboundRefused
from doku_snap.keys import load_public_key
from doku_snap.signing import BodyForm

_SERVICES: Mapping[InboxKind, str] = {
    InboxKind.PAYMENT: inbound.PAYMENT_NOTIFICATION_SERVICE,
    InboxKind.BINDING: inbound.BINDING_NOTIFICATION_SERVICE,
}
_KEY_ID_LENGTH = 12
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class InboundKeys:
    """What verifies DOKU's calls. The first of each sequence is the current one.

    `are_in_use` is false where one of them was replaced, or may have been: the secret could not be read just now.
    """

    client_id: str
    client_key: str  # X-CLIENT-KEY that DOKU uses towards us
    secret_keys: Sequence[str] = field(repr=False)
    doku_public_keys: Sequence[str] = field(repr=False)  # PEM
    issued_token_keys: Sequence[bytes] = field(repr=False)
    are_in_use: bool


class InboundDokuAdapter:
    """Verifies, reads and answers DOKU's calls. `keys` may read the secret, so it is asked per call: for the current
    keys alone, and for those before them too (True) where a call does not fit.

    `doubt_keys` has the secret read anew and says whether it will be. A call that fits neither is verified once more
    then: during a rotation DOKU may know a newer version than this one. It is read anew once a minute at most, so
    tokens are signed with `issuing_key`: one that every function knows already, whoever gets the token later.

    What the current keys alone do not prove may come from whoever got hold of a replaced one. It is heard, and marked.
    """

    def __init__(
        self,
        keys: Callable[[bool], InboundKeys],
        clock: Clock,
        *,
        issuer: str,
        window_seconds: int,
        issuing_key: Callable[[], bytes],
        doubt_keys: Callable[[], bool],
    ) -> None:
        self._keys = keys
        self._issuing_key = issuing_key
        self._doubt_keys = doubt_keys
        self._clock = clock
        self._issuer = issuer
        self._window_seconds = window_seconds

    def grant_token(self, call: InboundCall) -> SnapReply:
        """See InboundDoku.grant_token."""
        now = self._clock.now()

        def verify(keys: InboundKeys) -> InboundKeys:
            inbound.verify_token_request(
                call.headers,
                call.body,
                expected_client_key=keys.client_key,
                doku_public_keys=[load_public_key(pem) for pem in keys.doku_public_keys],
                now=now,
                window_seconds=self._window_seconds,
            )
            return keys

        keys, is_of_replaced_key = self._verified(verify)
        key = self._issuing_key()
        issued = inbound.issue_token(
            key_id=issued_token_key_id(key),
            key=key,
            issuer=self._issuer,
            audience=keys.client_key,
            client_id=keys.client_key,
            now=now,
            is_of_replaced_key=is_of_replaced_key,
        )
        return _reply(issued.reply)

    def read_notification(self, kind: InboxKind, call: InboundCall) -> AcceptNotification:
        """See InboundDoku.read_notification."""

        def verify(keys: InboundKeys) -> inbound.VerifiedNotification:
            return inbound.verify_notification(
                call.headers,
                call.body,
                call.path,
                secret_keys=keys.secret_keys,
                token_keys={issued_token_key_id(key): key for key in keys.issued_token_keys},
                issuer=self._issuer,
                audience=keys.client_key,
                partner_id=keys.client_id,
                now=self._clock.now(),
                window_seconds=self._window_seconds,
                service_code=_SERVICES[kind],
            )

        verified, is_by_replaced_key = self._verified(verify)
        try:
            command = read_verified(kind, verified)
        except InboundRefused as refusal:
            raise _translate(refusal) from None
        if not is_by_replaced_key and not verified.is_token_of_replaced_key:
            return command
        return replace(command, fresh=False, is_by_replaced_key=True)

    def _verified[T](self, verify: Callable[[InboundKeys], T]) -> tuple[T, bool]:
        """Return what `verify` returns, and whether a replaced key may have been needed for it."""
        refused = InboundRefused(_UNAUTHORIZED, "", "there are no keys")
        for keys in self._key_sets():
            try:
                return verify(keys), not keys.are_in_use
            except InboundRefused as refusal:
                refused = refusal
                if refusal.http_status != _UNAUTHORIZED:
                    break
        raise _translate(refused) from None

    def _key_sets(self) -> Iterator[InboundKeys]:
        """The current keys, then with the replaced ones; then both once more, if the secret is read anew."""
        yield from self._known_key_sets()
        if self._doubt_keys():
            yield from self._known_key_sets()

    def _known_key_sets(self) -> Iterator[InboundKeys]:
        current = self._keys(False)
        yield current
        both = self._keys(True)
        if both != current:
            yield both

    def accept(self, kind: InboxKind) -> SnapReply:
        """See InboundDoku.accept."""
        now = self._clock.now()
        if kind is InboxKind.PAYMENT:
            return _reply(inbound.accept_payment_notification(now))
        return _reply(inbound.accept_binding_notification(now))

    def refuse(self, error: InvalidSignature) -> SnapReply:
        """See InboundDoku.refuse."""
        refusal = InboundRefused(error.status, error.code or "", error.detail)
        return _reply(inbound.refuse(refusal, self._clock.now()))

    def report_outage(self, kind: InboxKind) -> SnapReply:
        """See InboundDoku.report_outage."""
        return _reply(inbound.report_outage(_SERVICES[kind], self._clock.now()))


def read_verified(kind: InboxKind, verified: inbound.VerifiedNotification) -> AcceptNotification:
    """Read an authentic notification. Raises InboundRefused naming the field (contract 3.5, 3.10)."""
    return _read_payment(verified) if kind is InboxKind.PAYMENT else _read_binding(verified)


def _read_payment(verified: inbound.VerifiedNotification) -> AcceptNotification:
    notification = inbound.parse_payment_notification(verified)
    notice = PaymentNotice(
        ref=notification.original_partner_reference_no,
        status=notification.latest_transaction_status,
        value=notification.amount.value,
        currency=notification.amount.currency,
        customer_id=notification.cust_id_merchant or None,
        doku_reference=notification.original_reference_no or None,
    )
    return AcceptNotification(
        kind=InboxKind.PAYMENT,
        subject=notice.ref,
        # The customer belongs to the fact: one that names a wrong customer must not hide a later right one.
        fact=f"{notice.status}:{notice.value}:{notice.currency}:{notice.customer_id or ''}",
        fresh=verified.fresh,
        notice=notice,
        signed_form=None if verified.form is BodyForm.RAW else verified.form.value,
    )


def _read_binding(verified: inbound.VerifiedNotification) -> AcceptNotification:
    notification = inbound.parse_binding_notification(verified)
    notice = BindingNotice(
        external_id=notification.original_external_id,
        status=notification.status,
        auth_code=notification.auth_code or None,
        customer_id=notification.cust_id_merchant or None,
    )
    return AcceptNotification(
        kind=InboxKind.BINDING,
        subject=notice.external_id,
        fact=f"{notice.status}:{notice.customer_id or ''}",
        fresh=verified.fresh,
        notice=notice,
        signed_form=None if verified.form is BodyForm.RAW else verified.form.value,
    )


def issued_token_key_id(key: bytes) -> str:
    """Return a name for a key that says nothing about it: tokens name their key, so that a rotation drops none."""
    return hashlib.sha256(b"issued-token-key:" + key).hexdigest()[:_KEY_ID_LENGTH]


def _translate(refusal: InboundRefused) -> InvalidSignature:
    return InvalidSignature(refusal.http_status, refusal.response_code, refusal.response_message)


def _reply(reply: inbound.SnapReply) -> SnapReply:
    return SnapReply(reply.http_status, reply.headers, reply.body.decode())
