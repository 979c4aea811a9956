"""The ASGI application: pages and controls by Starlette, everything else to DOKU's API."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from tools.doku_simulator.server.api import DokuApi
from tools.doku_simulator.server.binding_pages import binding_routes
from tools.doku_simulator.server.control import control_routes
from tools.doku_simulator.server.dashboard import dashboard_route
from tools.doku_simulator.server.service import Service


def _no_icon(_: Request) -> Response:
    return Response(status_code=204)


def create_app(service: Service, at_end: Callable[[], None] | None = None) -> ASGIApp:
    """Return the application of one service; while it runs, due notifications are sent in the background."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        sender = asyncio.create_task(service.run_sender())
        try:
            yield
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender
            if at_end is not None:
                at_end()

    return Starlette(
        routes=[
            dashboard_route(service),
            Route("/favicon.ico", _no_icon, methods=["GET"]),  # browsers ask for it; it is no request to DOKU
            *binding_routes(service),
            *control_routes(service),
            Mount("/", DokuApi(service)),
        ],
        lifespan=lifespan,
    )
