"""What a shard's owner leaves for the next: the gateway session to resume, how far messages were taken in, and when
it identified itself."""

import time
from dataclasses import asdict, dataclass
from datetime import timedelta
from json import dumps, loads

from bot.ports import Vault

DAY = 86_400.0
FREE = 10
MOST_A_DAY = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """`seen`: every message up to this id was taken in."""

    session: str | None = None
    sequence: int | None = None
    gateway: str | None = None
    seen: int = 0


def pause(times: list[float], now: float) -> timedelta:
    """How long to wait before the shard identifies itself again.

    Discord allows the bot 1,000 a day and then resets its token. Ten may follow each other; in a crash loop the rest
    of the day's share is spread, so that there are never more than `MOST_A_DAY` in a day.
    """
    today = [at for at in times if at > now - DAY]
    if len(today) >= MOST_A_DAY:
        return timedelta(seconds=today[-MOST_A_DAY] + DAY - now)
    if len(today) < FREE:
        return timedelta()
    return timedelta(seconds=max(0.0, today[-1] + DAY / (MOST_A_DAY - FREE + 1) - now))


class Sessions:
    """Of one shard, in the vault."""

    def __init__(self, vault: Vault, *, application: str, shard: int) -> None:
        self._vault = vault
        self._left = f"discord.left.{application}.{shard}"
        self._times = f"discord.identified.{application}.{shard}"

    async def read(self) -> Left:
        text = await self._vault.get(self._left)
        return Left() if text is None else Left(**loads(text))

    async def write(self, left: Left) -> None:
        await self._vault.put(self._left, dumps(asdict(left)))

    async def may_identify(self) -> timedelta:
        """Zero, and it is counted; else how long to wait."""
        now = time.time()
        times = [at for at in loads(await self._vault.get(self._times) or "[]") if at > now - DAY]
        wait = pause(times, now)
        if not wait:
            await self._vault.put(self._times, dumps([*times, now]))
        return wait
