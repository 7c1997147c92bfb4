"""What runs, and when."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.cron import Cron

Work = Callable[[str], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`work` gets the name of the fire time. It may be run again for the same one after a crash: make it idempotent.

    A run may take as long as `lease`; after a crash another replica takes it over when that is past.
    """

    name: str
    cron: Cron
    work: Work
    lease: timedelta = timedelta(minutes=2)
