"""Calls over the transport to a faulty server."""

import pytest

from doku_snap.errors import AnswerLost
from doku_snap.transport import HttpAnswer, HttpRequest, RequestsTransport, Timeout
from tests.integration.doku_snap.faulty_server import Behaviour, FaultyServer, respond, serving
from tests.patience import PATIENCE_SECONDS

OK = respond("200 OK", b'{"responseCode":"2005400"}')
PATIENT = Timeout(connect=PATIENCE_SECONDS, read=PATIENCE_SECONDS)
HASTY = Timeout(connect=PATIENCE_SECONDS, read=1)


def request_to(url: str, body: bytes = b'{"a":"\xc3\xa9"}') -> HttpRequest:
    return HttpRequest("POST", url, {"Content-Type": "application/json", "X-EXTERNAL-ID": "1"}, body)


def send(transport: RequestsTransport, server: FaultyServer, timeout: Timeout = PATIENT) -> HttpAnswer:
    return transport.send(request_to(server.url + "/p?q=1"), timeout)


def lost(transport: RequestsTransport, behaviour: Behaviour, timeout: Timeout = PATIENT) -> AnswerLost:
    with serving(behaviour) as server:
        with pytest.raises(AnswerLost) as error:
            send(transport, server, timeout)
        assert len(server.requests) == 1, "a call is never repeated"
    return error.value
