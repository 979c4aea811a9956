"""GET /bindings: links of a customer, of a day, in a state, or the unresolved ones; page by page."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from direct_debit.application.bindings.list_bindings import BindingsResult, ListBindings, list_bindings
from direct_debit.domain.binding import BindingState
from direct_debit.entrypoint.doors import Answer, Call
from direct_debit.entrypoint.listing import LIST_QUERY, ListRequest, name_list, write_mark
from direct_debit.entrypoint.route import READS, Route
from direct_debit.entrypoint.views.binding import BindingView, show_binding
from direct_debit.entrypoint.views.view import View


class ListBindingsRequest(ListRequest):
    """Find links."""

    things: ClassVar[str] = "links"

    state: Annotated[
        BindingState | None,
        Field(
            strict=False,
            description=f"Only links in this state: {', '.join(BindingState)}. Alone, or beside another way to find.",
        ),
    ] = None


class BindingList(View):
    """A page of links, newest first (unresolved ones: the longest due first)."""

    brief: ClassVar[tuple[str, ...]] = ("bindings",)

    bindings: Sequence[BindingView]
    next: str | None = Field(
        default=None,
        description="Send it as `after` to get the next page; absent on the last one.",
        examples=["MjAyNi0wOC0wMVQwNzoxNTowMCswMDowMHwxYjdlNDRjMHw2ZjFkMmMzYjRhNTk2ODc3ODY5NWE0YjNjMmQxZTBmMA"],
    )
    not_shown: Sequence[str] | None = Field(
        default=None,
        description="Ids of links that this release can not read, since a newer one wrote them.",
        examples=[["7e2d2c3b4a5968778695a4b3c2d1e0f1"]],
    )


def show_bindings(result: BindingsResult, of: str = "") -> BindingList:
    """Return what the API shows of a page; `of` names its list, where more of it follow."""
    return BindingList(
        bindings=[show_binding(one) for one in result.shown],
        next=None if result.following is None else write_mark(result.following, of),
        not_shown=list(result.not_shown) or None,
    )


ROUTE = Route(
    name="list_bindings",
    method="GET",
    path="/bindings",
    summary="Find links: of a customer, of a day, in a state, unresolved ones",
    request=ListBindingsRequest,
    response=BindingList,
    answers={200: "A page of links, newest first; none of what is unknown."},
    problems=READS,
    from_query=LIST_QUERY | {"state"},
)


def operate(request: ListBindingsRequest, call: Call) -> Answer:
    """Show a page."""
    selection = request.to_selection(call.ports.clock.now())
    of = name_list(ROUTE.name, selection)
    query = ListBindings(selection=selection, state=request.state, limit=request.limit, after=request.to_mark(of))
    return Answer(200, show_bindings(list_bindings(query, call.ports), of))
