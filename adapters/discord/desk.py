"""What the parts of the channel share."""

from dataclasses import dataclass, field

from adapters.discord.rest import Rest
from adapters.discord.settings import DiscordSettings
from adapters.discord.uses import Uses
from bot.ports import Core
from bot.types import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`holder` is this replica's name in leases."""

    core: Core
    settings: DiscordSettings
    rest: Rest
    uses: Uses
    holder: str = field(default_factory=lambda: f"discord-{new_id()}")
