"""A leak on a deployed stack: somebody who has the whole secret as it was filled, and the operator's commands."""

import contextlib
import io
import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from direct_debit.adapters.doku_inbound import issued_token_key_id
from doku_snap.inbound import issue_token
from tests.e2e.shop import Doku, Shop
from tools.local_cloud.stack import LocalStack
from tools.ops.__main__ import main
from tools.ops.secret_versions import SecretVersions
from tools.ops.system import System, find_system

DOORS = ("issue_token", "receive_payment_notification", "receive_binding_notification")


@dataclass(frozen=True, slots=True)
class Thief:
    """Has the secret as it was filled."""

    stack: LocalStack

    @property
    def key_id(self) -> str:
        """The name of the key with which he makes tokens."""
        return issued_token_key_id(self._key)

    def tell_paid(self, ref: str, *, customer: str, amount: str) -> int:
        """Tell of a payment as DOKU does, with a token of his own making; returns the HTTP status."""
        client = self.stack.credentials.client_id
        issued = issue_token(
            key_id=self.key_id,
            key=self._key,
            issuer=self.stack.api_url,
            audience=client,
            client_id=client,
            now=datetime.now(UTC),
        )
        return Doku(self.stack).notify(issued.token, ref, customer=customer, amount=amount).status

    @property
    def _key(self) -> bytes:
        return b64decode(self.stack.credentials.issued_token_key)


@dataclass(frozen=True, slots=True)
class Operator:
    """Runs the operator's commands on the deployed stack; see `let_a_minute_pass` for the minute that one waits."""

    stack: LocalStack

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run a command; returns its status and its document."""
        cloud = self.stack.cloud
        place = ["--stack", self.stack.name, "--endpoint-url", cloud.endpoint, "--region", cloud.region]
        out, told = io.StringIO(), io.StringIO()
        with self._environment(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            status = main([*arguments, *place, "--json"], find=self._find)
        return status, json.loads(out.getvalue() or told.getvalue())

    def system(self) -> System:
        """The stack as the operator's tools find it."""
        cloud = self.stack.cloud
        with self._environment():
            return find_system(self.stack.name, endpoint=cloud.endpoint, region=cloud.region)

    def is_questioned(self, ref: str) -> bool:
        """Whether something was told of a payment that is not believed before DOKU is asked."""
        payment = self.system().ports.payments.get(ref)
        return payment is not None and payment.questioned_at is not None

    @contextlib.contextmanager
    def _environment(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.stack.cloud.environment().items():
                patch.setenv(name, value)
            yield

    def _find(self, stack: str, *, endpoint: str | None = None, region: str | None = None) -> System:
        system = find_system(stack, endpoint=endpoint, region=region)
        return replace(system, outside=replace(system.outside, pause=lambda _: let_a_minute_pass(self.stack)))


def let_a_minute_pass(stack: LocalStack) -> None:
    """Let the doors read the secret anew: their processes end, and a new one reads it too."""
    for door in DOORS:
        Shop(stack).kill_workers(door)


def read_secrets(stack: LocalStack) -> Mapping[str, str]:
    """What is in use, by the secret's id."""
    client = stack.cloud.secrets()
    return {one: client.get_secret_value(SecretId=one)["SecretString"] for one in stack.secret_ids}


def put_back(stack: LocalStack, before: Mapping[str, str]) -> None:
    """Put the secrets in use that were before, and let nothing overlap with them."""
    client = stack.cloud.secrets()
    for secret, text in before.items():
        client.put_secret_value(SecretId=secret, SecretString=text)
        SecretVersions(client, secret).end("AWSPREVIOUS")
    let_a_minute_pass(stack)
