"""What can go wrong between us and DOKU, told apart by what it means for money.

No error carries a value of a message, a token or a key: a field's name and the rule it broke are enough.
"""


class DokuSnapError(Exception):
    """Any error of this package."""


class ConnectionNotMade(DokuSnapError):
    """Surely nothing was sent: name not resolved, refused, connect time-out, TLS handshake failed. Safe to repeat."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no connection to DOKU ({reason})")
        self.reason = reason


class AnswerLost(DokuSnapError):
    """The request may have arrived, and there is no usable answer: the outcome is unknown.

    `kind` is one of timeout, reset, truncated, too_large, redirect, unparsable; `http_status` is set where a status
    line arrived.
    """

    def __init__(self, kind: str, http_status: int | None = None) -> None:
        super().__init__(f"answer of DOKU lost ({kind})")
        self.kind = kind
        self.http_status = http_status


class InvalidSetting(DokuSnapError):
    """A setting or credential cannot be used; `setting` names it."""

    def __init__(self, setting: str, rule: str) -> None:
        super().__init__(f"{setting}: {rule}")
        self.setting = setting
        self.rule = rule


class InvalidMessage(DokuSnapError):
    """A message breaks the wire contract; `field` is the wire path (`additionalInfo.remarks`) or the header's name."""

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class InboundRefused(DokuSnapError):
    """A call of DOKU is not accepted; carries exactly what to answer (contract 3.10)."""

    def __init__(self, http_status: int, response_code: str, response_message: str) -> None:
        super().__init__(f"{response_code} {response_message}")
        self.http_status = http_status
        self.response_code = response_code
        self.response_message = response_message
