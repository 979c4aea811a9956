"""Operation 10: DOKU asks us for a token, service 73 (contract 3.10, step 1)."""

from typing import Literal

from pydantic import Field

from doku_snap.messages.base import AnswerMessage


class TokenRequest(AnswerMessage):
    """The body of DOKU's token request."""

    grant_type: Literal["client_credentials"] = Field(validation_alias="grantType")
