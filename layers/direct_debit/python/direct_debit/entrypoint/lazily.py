"""Something that is loaded at its first use."""

from collections.abc import Callable


class Lazily:
    """Stands for what `make` makes: the first attribute that somebody asks for has it made, once."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make
        self._made: object | None = None

    def load(self) -> object:
        """Return what it stands for."""
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getattr__(self, name: str) -> object:
        """Return an attribute of what it stands for, and have it at hand from now on."""
        value: object = getattr(self.load(), name)
        setattr(self, name, value)
        return value
