"""Token calls to DOKU (contract 3.1 and 3.2): RSA-signed, body not signed. Nothing is cached here."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from doku_snap.answers import Answer, read_answer
from doku_snap.credentials import Credentials
from doku_snap.messages.base import AnswerMessage
from doku_snap.operations import Operation
from doku_snap.settings import ClientSettings
from doku_snap.signing import asymmetric_string_to_sign, format_timestamp, serialize, sign_asymmetric
from doku_snap.ties import Question
from doku_snap.transport import HttpRequest, Timeout, Transport

if TYPE_CHECKING:
    from doku_snap.messages.b2b_token import B2bToken
    from doku_snap.messages.customer_token import CustomerToken, CustomerTokenRequest


class TokenClient:
    """Asks DOKU for tokens. Most processes find them elsewhere: the messages are loaded by who asks.

    Every method sends one request and raises InvalidMessage, ConnectionNotMade (nothing sent) or AnswerLost.
    """

    def __init__(
        self, credentials: Credentials, settings: ClientSettings, transport: Transport, clock: Callable[[], datetime]
    ) -> None:
        self._credentials = credentials
        self._settings = settings
        self._transport = transport
        self._clock = clock

    @property
    def key_id(self) -> str:
        """A name for the client id and private key that sign here; says nothing about the key."""
        return self._credentials.key_id

    def request_b2b_token(self, timeout: Timeout) -> "Answer[B2bToken]":
        """A B2B token, usually for 900 s. Assume that a new one ends the one before (contract section 7)."""
        from doku_snap.messages.b2b_token import B2bToken, B2bTokenRequest

        return self._send(Operation.REQUEST_B2B_TOKEN, B2bTokenRequest().to_wire(), timeout, B2bToken)

    def exchange_auth_code(self, auth_code: str, timeout: Timeout) -> "Answer[CustomerToken]":
        """The customer's token for an auth code; class CUST until the customer has finished linking.

        Raises InvalidMessage if the code cannot be one.
        """
        from doku_snap.messages.customer_token import CustomerTokenRequest

        request = CustomerTokenRequest(grant_type="authorization_code", auth_code=auth_code)
        return self._customer_token(request, timeout)

    def refresh_customer_token(self, refresh_token: str, timeout: Timeout) -> "Answer[CustomerToken]":
        """A new customer token for a refresh token. Raises InvalidMessage if that cannot be one."""
        from doku_snap.messages.customer_token import CustomerTokenRequest

        request = CustomerTokenRequest(grant_type="refresh_token", refresh_token=refresh_token)
        return self._customer_token(request, timeout)

    def _customer_token(self, request: "CustomerTokenRequest", timeout: Timeout) -> "Answer[CustomerToken]":
        from doku_snap.messages.customer_token import CustomerToken

        body = {**request.to_wire(), "additionalInfo": {}}
        return self._send(Operation.REQUEST_CUSTOMER_TOKEN, body, timeout, CustomerToken)

    def _send[M: AnswerMessage](
        self, operation: Operation, body: dict[str, object], timeout: Timeout, body_type: type[M]
    ) -> Answer[M]:
        timestamp = format_timestamp(self._clock() - timedelta(seconds=self._settings.timestamp_skew_seconds))
        to_sign = asymmetric_string_to_sign(self._credentials.client_id, timestamp)
        headers = {
            "Content-Type": "application/json",
            "X-CLIENT-KEY": self._credentials.client_id,
            "X-TIMESTAMP": timestamp,
            "X-SIGNATURE": sign_asymmetric(to_sign, self._credentials.signing_key),
        }
        request = HttpRequest("POST", self._settings.url(operation), headers, serialize(body))
        answer = self._transport.send(request, timeout)
        return read_answer(
            answer, Question(operation=operation), body_type, self._clock(), self._settings.untied_fields
        )
