"""Chains of messages: a worker whose message makes a worker send a message, and so on (decision 0030).

AWS ends such a chain after about sixteen rounds and puts the message aside, whatever it was for. So none grows beyond
`LONGEST_CHAIN`: what a worker does not send any more has its due time, and the minute's sweep begins a new chain.
"""

from dataclasses import dataclass, replace

from direct_debit.application.ports.messages import Queues
from direct_debit.application.ports.ports import Ports

LONGEST_CHAIN = 4
"""Messages of workers in a row: the steps of a schedule's first quarter of an hour."""


@dataclass(frozen=True, slots=True)
class ChainedQueues:
    """Implements `Queues` for a worker: its messages go on with the chain, and a chain that is full gets no more."""

    queues: Queues
    chain: int

    def send_notification(self, inbox_id: str, chain: int = 0) -> None:
        """Ask for a notification to be processed, unless the chain is full."""
        if self.chain < LONGEST_CHAIN:
            self.queues.send_notification(inbox_id, chain + self.chain + 1)

    def send_refund(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a step of a refund, unless the chain is full."""
        if self.chain < LONGEST_CHAIN:
            self.queues.send_refund(ref, attempt, delay, chain + self.chain + 1)

    def send_inquiry(self, ref: str, attempt: int, delay: float, chain: int = 0) -> None:
        """Ask for a status inquiry, unless the chain is full."""
        if self.chain < LONGEST_CHAIN:
            self.queues.send_inquiry(ref, attempt, delay, chain + self.chain + 1)


def continue_chain(ports: Ports, chain: int) -> Ports:
    """Return the ports for a worker whose own message came `chain` workers after the first one."""
    return replace(ports, queues=ChainedQueues(ports.queues, chain))
