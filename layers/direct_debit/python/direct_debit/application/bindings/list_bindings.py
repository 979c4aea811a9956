"""Find links: of a customer, of a day, in a state, or what is unresolved; page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from direct_debit.application.bindings.result import BindingResult, show_binding
from direct_debit.application.pages import Latest, choose_reading, fill_page
from direct_debit.application.ports.pages import PageMark, Selection, Unresolved
from direct_debit.application.ports.ports import Ports
from direct_debit.domain.binding import Binding, BindingState
from direct_debit.domain.evidence import EvidenceSource

_WAITING = frozenset({BindingState.REQUESTED, BindingState.PENDING, BindingState.UNBIND_OTP_PENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBindings:
    """Which links, at most how many, and behind which one."""

    selection: Selection | Latest
    state: BindingState | None = None
    limit: int = 100
    after: PageMark | None = None


@dataclass(frozen=True, slots=True)
class BindingsResult:
    """A page of links, the ids of those that this release can not read, and where the next page begins."""

    shown: Sequence[BindingResult]
    not_shown: Sequence[str] = ()
    following: PageMark | None = None


def list_bindings(query: ListBindings, ports: Ports) -> BindingsResult:
    """Return a page of links, the newest first (unresolved ones: the longest due first); none of what is unknown.

    Unresolved are those that are being linked or unlinked, and those that were given up without a word of DOKU's.
    """

    def is_wanted(binding: Binding) -> bool:
        given_up = binding.state is BindingState.FAILED and binding.evidence.source is EvidenceSource.SCHEDULE
        unresolved = binding.state in _WAITING or given_up
        return query.state in (None, binding.state) and (unresolved or not isinstance(query.selection, Unresolved))

    read = choose_reading(ports.bindings.list_page, query.selection, ports.clock.now())
    page = fill_page(read, is_wanted, query.limit, query.after, most_are_wanted=query.state is None)
    return BindingsResult([show_binding(one, ports) for one in page.records], page.unreadable, page.following)
