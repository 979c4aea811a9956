"""What an authentic notification says: read once, by the door, and kept as it was read (contract 3.5, 3.10).

Door and worker judge the same values: what DOKU sent is not read a second time, by other rules.
"""

import json
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PaymentNotice:
    """What DOKU says a payment became. `value` is the amount as DOKU's decimal text, `status` its two digits."""

    ref: str
    status: str
    value: str
    currency: str
    customer_id: str | None
    doku_reference: str | None


@dataclass(frozen=True, slots=True)
class BindingNotice:
    """What DOKU says a link became: SUCCESS, PENDING or FAILED. `external_id` is that of the link request."""

    external_id: str
    status: str
    auth_code: str | None = field(repr=False)
    customer_id: str | None


type Notice = PaymentNotice | BindingNotice


def write_notice(notice: Notice) -> str:
    """Return the text that is kept (to be sealed: it may hold an authCode).

    It has DOKU's names and nothing but texts. So a worker of the version before, which may meet it during a deployment,
    reads the same; and one reader serves what that version kept.
    """
    return json.dumps(_payment(notice) if isinstance(notice, PaymentNotice) else _binding(notice))


def read_notice(text: str) -> Notice:
    """Return the notice of a kept text: what `write_notice` made, or a body of DOKU that an earlier version kept."""
    # Numbers stay the text that they are: the door takes them for texts too.
    body = _object(json.loads(text, parse_int=str, parse_float=str))
    additional = _object(body.get("additionalInfo"))
    customer_id = _text(additional, "custIdMerchant")
    if "latestTransactionStatus" in body:
        amount = _object(body.get("amount"))
        return PaymentNotice(
            ref=_text(body, "originalPartnerReferenceNo") or "",
            status=_text(body, "latestTransactionStatus") or "",
            value=_text(amount, "value") or "",
            currency=_text(amount, "currency") or "",
            customer_id=customer_id,
            doku_reference=_text(body, "originalReferenceNo"),
        )
    return BindingNotice(
        external_id=_text(body, "originalExternalId") or "",
        status=(_text(additional, "status") or "").upper(),
        auth_code=_text(additional, "authCode"),
        customer_id=customer_id,
    )


def _payment(notice: PaymentNotice) -> dict[str, object]:
    return {
        "originalPartnerReferenceNo": notice.ref,
        "originalReferenceNo": notice.doku_reference,
        "latestTransactionStatus": notice.status,
        "amount": {"value": notice.value, "currency": notice.currency},
        "additionalInfo": {"custIdMerchant": notice.customer_id},
    }


def _binding(notice: BindingNotice) -> dict[str, object]:
    return {
        "originalExternalId": notice.external_id,
        "additionalInfo": {
            "status": notice.status,
            "authCode": notice.auth_code,
            "custIdMerchant": notice.customer_id,
        },
    }


def _object(value: object) -> dict[str, object]:
    return {str(name): member for name, member in value.items()} if isinstance(value, dict) else {}


def _text(members: dict[str, object], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None
