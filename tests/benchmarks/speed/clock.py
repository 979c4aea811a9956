"""The system's clock for a world: behind it while a scene is prepared, exact from then on."""

from datetime import UTC, datetime, timedelta

from tests.fakes.clock import FakeClock


class LateClock(FakeClock):
    """Waiting makes up for the delay and takes no time; when there is none left to make up for, it is an error."""

    def __init__(self, behind: float) -> None:
        super().__init__()
        self._behind = timedelta(seconds=behind)

    def now(self) -> datetime:
        """Return the system's time, less what is not made up for yet."""
        return datetime.now(UTC) - self._behind

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self._behind -= timedelta(seconds=seconds)
        if self._behind < timedelta():
            raise ValueError("the scene takes longer than it may: let it begin earlier")

    def set(self, now: datetime) -> None:
        """Refuse: the system's clock is what it is."""
        raise NotImplementedError

    def catch_up(self) -> None:
        """Be the system's clock from now on."""
        self._behind = timedelta()
