"""Customers who change their minds while they link: a mistyped phone, a page that is left, a link that is given up.

Their moods have a source of chance of their own: what the other histories live through does not change with them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from direct_debit.adapters.dynamodb.binding_item import was_given_up_at
from direct_debit.application.bindings.bind_account import BindAccount, bind_account
from direct_debit.application.errors import Conflict
from direct_debit.domain.binding import Binding, BindingState
from tests.fakes.processes import BINDINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from direct_debit.application.bindings.result import BindingResult
    from direct_debit.application.deadline import Deadline
    from direct_debit.application.ports.ports import Ports
    from tests.simulation.universe import Universe
    from tools.doku_simulator.records import Binding as Page

CONFIRMED = frozenset({BindingState.ACTIVE, BindingState.RELINK_REQUIRED, BindingState.UNBIND_OTP_PENDING})


def draw_fickleness(seed: int) -> float:
    """Return how often customers of a history change their minds; most are steady."""
    rng = Random(f"fickle {seed}")  # noqa: S311 - to be repeated
    return rng.choice((0.2, 0.5, 0.8)) if rng.random() < 0.25 else 0.0


@dataclass(slots=True)
class Moods:
    """What the customers of a history did with the bank's pages, and what that promises."""

    u: Universe
    rng: Random
    finished: dict[str, int] = field(default_factory=dict)  # when each page was finished, by its auth code
    pages: list[str] = field(default_factory=list)  # how DOKU refuses the next requests for one; empty: it does not
    exchanges: list[str] = field(default_factory=list)  # how it refuses the next ones; `drop`: not at all
    dead: set[str] = field(default_factory=set)  # pages of which it is written that they brought no link

    def has(self, share: float) -> bool:
        """Whether somebody is in such a mood now."""
        return self.u.plan.fickle > 0.0 and self.rng.random() < share * self.u.plan.fickle

    def bind(self, command: BindAccount, ports: Ports, deadline: Deadline) -> BindingResult:
        """Ask for a link, as over the API, and judge the answer."""
        dead = set(self.dead)
        account = ports.vault.fingerprint(f"phone:{command.phone}")
        before = self._is_taken(command.customer_id, account)
        try:
            result = bind_account(command, ports, deadline)
        except Conflict:
            if not before and not self._is_taken(command.customer_id, account):
                self.u.blame("B5", f"{command.customer_id} was kept out by a link that nobody has confirmed")
            raise
        if result.redirect_url is not None and result.redirect_url.rsplit("/", 1)[1] in dead:
            self.u.blame("B5", f"{command.customer_id} was sent to a page again that had brought no link")
        return result

    def note_end(self, code: str) -> None:
        """Note that a page is dead for us as soon as that is written: it is not to be shown again."""
        page = self.u.simulator.world.bindings[code]
        for item in self.u.store.items(BINDINGS):
            if item.get("pageEnded") == {"BOOL": True} and item.get("externalId") == {"S": page.external_id}:
                self.dead.add(code)

    def note_finish(self, code: str) -> None:
        """Note that a customer has finished a page, and is linked at the bank."""
        if self.u.simulator.world.bindings[code].linked:
            self.finished.setdefault(code, self.u.kernel.t)

    def find_lost(self, links: dict[str, Binding]) -> Iterator[str]:
        """Yield the customers whose link the bank has, and of whom we gave up all although one was confirmed by then.

        Not those whose only confirmed link came after its record had ended, met another confirmed one, or was asked
        about for a day without a word of DOKU's: then an operator is told.
        """
        known = {one.customer_id for one in links.values() if one.state in CONFIRMED}
        for code, at in self.finished.items():
            page = self.u.simulator.world.bindings[code]
            if page.linked and page.customer not in known and self._was_given_up_after(page, at):
                yield page.customer

    def _was_given_up_after(self, page: Page, finished: int) -> bool:
        records: set[str] = set()
        accounts: set[str] = set()
        confirmed: set[str] = set()  # others of the customer, or of the account
        for entry in self.u.journal:
            new = entry.record.new
            if entry.table != BINDINGS or new is None or new.get("kind") != {"S": "binding"}:
                continue
            binding = self.u.images.binding(new)  # type: ignore[arg-type]  # items are plain dictionaries
            if binding.customer_id == page.customer and binding.is_of_request(page.external_id):
                records.add(binding.id)
                accounts.add(binding.account)
            confirmed.discard(binding.id)
            if binding.state in CONFIRMED and (binding.customer_id == page.customer or binding.account in accounts):
                confirmed.add(binding.id)
            ends = binding.state is BindingState.FAILED and (entry.record.old or {}).get("state") != {"S": "FAILED"}
            if ends and binding.id in records and not confirmed:
                # Who finishes a page while its record is being ended comes too late: it was asked about before.
                return self.u.kernel.began_at[entry.actor] > finished and was_given_up_at(binding) is None
        return False

    def _is_taken(self, customer: str, account: str) -> bool:
        for item in self.u.store.items(BINDINGS):
            mine = item.get("customerId") == {"S": customer} or item.get("account") == {"S": account}
            if mine and item.get("kind") == {"S": "binding"} and item["state"]["S"] in CONFIRMED:
                return True
        return False
