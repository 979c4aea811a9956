"""All operations of the merchant's API, collected from their rooms: for what needs all of them, as no function does."""

from importlib import import_module
from pkgutil import iter_modules

from direct_debit.entrypoint import operations
from direct_debit.entrypoint.command import Command
from direct_debit.entrypoint.route import Route


def collect_routes() -> tuple[Route[Command], ...]:
    """Return the routes of all rooms, by path and method."""
    rooms = [import_module(f"{operations.__name__}.{room.name}") for room in iter_modules(operations.__path__)]
    for room in rooms:
        if not hasattr(room, "ROUTE"):
            raise AttributeError(f"{room.__file__}: give it ROUTE (docs/architecture.md, How to add an operation)")
    return tuple(sorted((room.ROUTE for room in rooms), key=lambda route: (route.path, route.method)))


ROUTES = collect_routes()
