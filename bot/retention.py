"""How long what people say is kept."""

from datetime import timedelta

from bot.ports import Personas, Store
from bot.types import Persona


def kept_for(persona: Persona, keep: timedelta | None) -> timedelta | None:
    """The persona's own time, else `keep`; None: until somebody deletes it."""
    return keep if persona.keep_days is None else timedelta(days=persona.keep_days)


async def expire_old(*, store: Store, personas: Personas, keep: timedelta | None) -> int:
    """Delete what was kept long enough; how many turns and conversations went. Raises StoreError."""
    own = {p.name: timedelta(days=p.keep_days) for p in personas.all() if p.keep_days is not None}
    return await store.records.expire(keep=keep, personas=own)
