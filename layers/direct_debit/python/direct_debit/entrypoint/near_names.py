"""Which field a caller means by a name that is not known: another spelling, or what other payment APIs call it.

Loaded when a request is refused, never by a good one.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

_ALIKE = 0.8  # of difflib's ratio: `ammount` and `remark` are like ours, `order` and `remarks` are not

# Names elsewhere, in small letters without hyphens and underscores, and ours: the first that the operation knows.
_ELSEWHERE: Mapping[str, tuple[str, ...]] = {
    "birthdate": ("dateOfBirth",),
    "birthday": ("dateOfBirth",),
    "cancelurl": ("failedUrl",),
    "code": ("otp",),
    "comment": ("reason", "remarks"),
    "count": ("limit",),
    "cursor": ("after",),
    "createdat": ("day",),
    "customer": ("customerId",),
    "custidmerchant": ("customerId",),
    "date": ("day",),
    "description": ("reason", "remarks"),
    "dob": ("dateOfBirth",),
    "errorurl": ("failedUrl",),
    "externalid": ("partnerReferenceNo",),
    "fullname": ("customerName",),
    "handphone": ("phone",),
    "invoice": ("partnerReferenceNo",),
    "invoiceno": ("partnerReferenceNo",),
    "invoicenumber": ("partnerReferenceNo",),
    "ip": ("ipAddress",),
    "ktp": ("idCard",),
    "mail": ("email",),
    "meta": ("metadata",),
    "mobile": ("phone",),
    "mobilenumber": ("phone",),
    "msisdn": ("phone",),
    "name": ("customerName",),
    "next": ("after",),
    "nik": ("idCard",),
    "note": ("reason", "remarks"),
    "notes": ("reason", "remarks"),
    "offset": ("after",),
    "orderid": ("partnerReferenceNo",),
    "on": ("day",),
    "open": ("unresolved",),
    "originalpartnerreferenceno": ("partnerReferenceNo",),
    "originalreferenceno": ("dokuReference",),
    "page": ("after",),
    "pagesize": ("limit",),
    "pending": ("unresolved",),
    "perpage": ("limit",),
    "phoneno": ("phone",),
    "phonenumber": ("phone",),
    "redirecturl": ("successUrl",),
    "ref": ("partnerReferenceNo",),
    "reference": ("partnerReferenceNo",),
    "referenceid": ("partnerReferenceNo",),
    "referenceno": ("partnerReferenceNo", "dokuReference"),
    "refundid": ("partnerRefundNo",),
    "refundno": ("partnerRefundNo",),
    "refundnumber": ("partnerRefundNo",),
    "refundreason": ("reason",),
    "returnurl": ("successUrl",),
    "size": ("limit",),
    "status": ("state",),
    "top": ("limit",),
    "total": ("amount", "value"),
    "userid": ("customerId",),
    "verificationcode": ("otp",),
}

_WIRE = "leave it out; this service speaks SNAP with DOKU by itself"
_NEWS = "leave it out; what becomes of a payment is told by events"
_ONE_DAY = "ask for each day by itself: ?day=2026-08-01"
_NO_PHONES = "phones are not kept; find by customerId"
_LISTS: Mapping[str, str] = {
    **dict.fromkeys(("from", "to", "since", "until", "startdate", "enddate", "before", "month", "year"), _ONE_DAY),
    **dict.fromkeys(("sort", "sortby", "order", "orderby", "direction"), "leave it out; the newest come first"),
    **dict.fromkeys(("phone", "phonenumber", "msisdn"), _NO_PHONES),
}

# Names that an operation does not know and callers expect of it: by the operation, what to do instead.
_INSTEAD: Mapping[str, Mapping[str, str]] = {
    "bind_account": {
        "amount": "linking takes no money; charge with POST /payments afterwards",
        "bindingid": "leave it out; the answer gives it",
        "otp": "the customer types the code on the bank's page",
        "pin": "the customer types the PIN on the bank's page; never ask for it",
    },
    "list_bindings": {
        **_LISTS,
        **dict.fromkeys(("bindingid", "id"), "read it with GET /bindings/{id}"),
        "dokureference": "links have none; find by customerId or day",
    },
    "list_payments": {
        **_LISTS,
        **dict.fromkeys(
            ("partnerreferenceno", "reference", "ref", "orderid", "invoice", "invoicenumber", "id"),
            "read it with GET /payments/{ref}",
        ),
        "amount": "leave it out, and look for it in what is listed",
        "bindingid": "list those of its customer: ?customerId=...",
    },
    "make_payment": {
        "additionalinfo": _WIRE,
        "callbackurl": _NEWS,
        "chargetoken": _WIRE,
        "bankcardtoken": _WIRE,
        "currency": 'it belongs into amount: {"value": "10000.00", "currency": "IDR"}',
        "customerid": "leave it out; the link says who pays",
        "otp": "send it to POST /payments/{ref}/otp when the payment is OTP_PENDING",
        "notificationurl": _NEWS,
        "phone": "leave it out; the link says who pays",
        "phonenumber": "leave it out; the link says who pays",
        "value": 'it belongs into amount: {"value": "10000.00", "currency": "IDR"}',
        "webhookurl": _NEWS,
    },
    "refund_payment": {
        "amount": "leave it out; a refund is always of the full amount",
        "originalexternalid": _WIRE,
        "originalpartnerreferenceno": "leave it out; the path names the payment",
        "originalreferenceno": _WIRE,
        "otp": "leave it out; a refund needs no code",
        "refundamount": "leave it out; a refund is always of the full amount",
        "value": "leave it out; a refund is always of the full amount",
    },
    "unbind_account": {
        "otp": "send it to POST /bindings/{id}/otp afterwards",
        "reason": "leave it out; unlinking takes no reason",
    },
}


def guess_name(name: str, known: frozenset[str]) -> str | None:
    """Return the one of `known` that a name stands for; None where nothing is like it."""
    plain = _simplify(name)
    by_plain = {_simplify(one): one for one in known}
    if plain in by_plain:
        return by_plain[plain]
    elsewhere = [one for one in _ELSEWHERE.get(plain, ()) if one in known]
    if elsewhere:
        return elsewhere[0]
    close = get_close_matches(plain, sorted(by_plain), n=1, cutoff=_ALIKE)
    return by_plain[close[0]] if close else None


def find_instead(operation: str, name: str) -> str | None:
    """Return what to do in place of a field that callers expect of an operation, and that it does not take."""
    return _INSTEAD.get(operation, {}).get(_simplify(name))


# What others call a state, and ours: the first that the list knows.
_STATES: Mapping[str, tuple[str, ...]] = {
    "authorized": ("PROCESSING",),
    "bound": ("ACTIVE",),
    "canceled": ("FAILED",),
    "cancelled": ("FAILED",),
    "captured": ("PAID",),
    "completed": ("PAID",),
    "declined": ("FAILED",),
    "deleted": ("UNBOUND",),
    "done": ("PAID",),
    "expired": ("FAILED",),
    "inprogress": ("PROCESSING",),
    "linked": ("ACTIVE",),
    "new": ("REQUESTED",),
    "otp": ("OTP_PENDING", "UNBIND_OTP_PENDING"),
    "pending": ("OTP_PENDING",),
    "payed": ("PAID",),
    "rejected": ("FAILED",),
    "review": ("NEEDS_REVIEW",),
    "settled": ("PAID",),
    "success": ("PAID", "ACTIVE"),
    "successful": ("PAID", "ACTIVE"),
    "timeout": ("UNKNOWN",),
    "unlinked": ("UNBOUND",),
    "waiting": ("OTP_PENDING", "PENDING"),
}


def guess_state(value: str, known: Sequence[str]) -> str | None:
    """Return the one of the `known` states that a word stands for; None where nothing is like it."""
    plain = _simplify(value)
    by_plain = {_simplify(one): one for one in known}
    if plain in by_plain:
        return by_plain[plain]
    elsewhere = [one for one in _STATES.get(plain, ()) if one in known]
    close = get_close_matches(plain, sorted(by_plain), n=1, cutoff=_ALIKE - 0.1)
    return elsewhere[0] if elsewhere else by_plain[close[0]] if close else None


def is_same(name: str, other: str) -> bool:
    """Tell whether two names differ in their spelling only."""
    return _simplify(name) == _simplify(other)


def _simplify(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
