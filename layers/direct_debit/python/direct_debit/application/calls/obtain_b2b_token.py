"""The merchant's B2B token: one request to DOKU per lifetime for the whole fleet (contract section 7).

Memory first, then the shared table, then DOKU under a single-flight lease. DOKU probably honours only its newest
token, so a process whose token was refused reads the table again before it renews.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from direct_debit.application.calls.refused_key import note_refused_key
from direct_debit.application.deadline import Deadline
from direct_debit.application.errors import DirectDebitError, NotDone
from direct_debit.application.ports.fleet import SharedToken
from direct_debit.application.ports.ports import Ports
from direct_debit.application.ports.telemetry import Metric
from direct_debit.application.ports.vault import SealedField

OWNER = "b2b-token"  # the vault's associated data for the shared token
_POLL_SECONDS = 0.2
_STEP_BACK_SECONDS = 0.1  # at most: who comes a few milliseconds later finds the lease taken
_PROOF = timedelta(seconds=10)  # many doubts at once share one: each new token ends the one before
_MIN_REMAINING_SECONDS = 2.0  # with less left the call that needs the token has no chance anyway


@dataclass(frozen=True, slots=True)
class Proof:
    """That DOKU took our key since a time (UTC)."""

    key_id: str
    since: datetime

    def is_given_by(self, token: SharedToken) -> bool:
        """Whether this token was asked for with that key, since then."""
        return token.signed_with == self.key_id and token.issued_at >= self.since


def obtain_b2b_token(
    ports: Ports, deadline: Deadline, refused: str | None = None, *, proof: Proof | None = None
) -> str:
    """Return a token that DOKU should take.

    `refused` is a token that DOKU has just not taken; with `proof` only one that is such a proof serves. Raises NotDone
    when none can be had within the deadline.
    """
    memory = ports.token_memory
    has_waited = False
    while True:
        now = ports.clock.now()
        if proof is None and memory.token not in (None, refused) and _lives(ports, memory.expires_at):
            return memory.token
        record = ports.b2b_tokens.read()
        shared = record.token
        if shared is not None and (proof is None or proof.is_given_by(shared)) and _lives(ports, shared.expires_at):
            token = ports.vault.unseal(shared.token, SealedField.B2B_TOKEN, OWNER)
            if token != refused:
                memory.token, memory.expires_at = token, shared.expires_at
                return token
        # While somebody renews it, nobody writes in vain; and of a fleet that starts at once not all try to be the one.
        is_free = record.lease_until is None or now >= record.lease_until
        if is_free and not has_waited:
            has_waited = True
            ports.clock.sleep(_STEP_BACK_SECONDS * ports.ids.jitter())
            continue
        if is_free:
            generation = shared.generation if shared is not None else 0
            owner = ports.ids.new_id()
            until = now + timedelta(seconds=ports.settings.token_lease)
            if ports.b2b_tokens.take_lease(owner, generation, now, until):
                return _renew(ports, Deadline(min(deadline.at, until)), owner, generation)
        if deadline.remaining(now) < _MIN_REMAINING_SECONDS:
            raise NotDone("no access token of DOKU could be had in time; nothing was sent")
        has_waited = True
        ports.clock.sleep(_POLL_SECONDS * (1 + ports.ids.jitter()))


def prove_key(ports: Ports, deadline: Deadline) -> str:
    """Make sure that DOKU takes our signature: for it, it has issued a B2B token a moment ago, or does so now.

    Returns the id of the key that it takes. Raises NotDone when it does not take it, or does not answer.
    """
    proof = Proof(ports.doku.key_id(), ports.clock.now() - _PROOF)
    obtain_b2b_token(ports, deadline, proof=proof)
    return proof.key_id


def _lives(ports: Ports, expires_at: datetime | None) -> bool:
    margin = timedelta(seconds=ports.settings.token_renew_before)
    return expires_at is not None and ports.clock.now() < expires_at - margin


def _renew(ports: Ports, deadline: Deadline, owner: str, generation: int) -> str:
    asked_at = ports.clock.now()
    try:
        issued = ports.doku.request_b2b_token(deadline)
    except DirectDebitError as error:
        ports.b2b_tokens.release_lease(owner)
        if isinstance(error, NotDone):
            raise
        note_refused_key(ports, error.code)
        # Wrong key or client id: no call can be made, so whatever needed the token was not done.
        raise NotDone("DOKU does not accept the merchant's credentials; nothing was sent", code=error.code) from error
    ports.telemetry.count(Metric.B2B_TOKEN_REQUESTED)
    expires_at = asked_at + timedelta(seconds=issued.expires_in)
    shared = SharedToken(
        token=ports.vault.seal(issued.token, SealedField.B2B_TOKEN, OWNER),
        signed_with=issued.signed_with,
        issued_at=asked_at,
        expires_at=expires_at,
        generation=generation + 1,
    )
    # When the lease passed to somebody else meanwhile, this token still serves this one call.
    if ports.b2b_tokens.publish(owner, shared):
        ports.token_memory.token, ports.token_memory.expires_at = issued.token, expires_at
    return issued.token
