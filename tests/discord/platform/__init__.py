"""A Discord of our own for tests: REST and gateway on loopback that the unmodified discord.py talks to.

It follows Discord's documents: what a bot may send, when it is refused, what it is told, and what is repeated after an
outage. `Platform` is the server with the people who use it.
"""

from tests.discord.platform.faults import Fault
from tests.discord.platform.limits import Limit
from tests.discord.platform.platform import Platform

__all__ = ["Fault", "Limit", "Platform"]
