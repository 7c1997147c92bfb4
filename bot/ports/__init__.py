"""The protocols between the core and its parts. Read this room first.

The contract of each part stands here once: order, None, errors, units. Implementations live in `storage/`,
`adapters/` and `bot/engine`; each port has one conformance suite in `tests/conformance`, run against all of them.
"""

from bot.ports.answers import (
    Guard,
    Knowledge,
    Personas,
)
from bot.ports.channels import (
    Channel,
    Core,
    CountsTokens,
    HasAddress,
    HasRoutes,
    Inbox,
    ReplyStream,
)
from bot.ports.engine import (
    Engine,
    EngineServer,
    Exchangeable,
    FleetServer,
    HasEndpoints,
    OpenEngine,
)
from bot.ports.plugins import (
    AnyPlugin,
    ChannelPlugin,
    FleetPlugin,
    Migrations,
    Plugin,
    ServerPlugin,
    StorePlugin,
)
from bot.ports.records import (
    Records,
    Scannable,
)
from bot.ports.shared import (
    Bus,
    Limiter,
    Shared,
    Window,
)
from bot.ports.store import (
    Claims,
    Conversations,
    Failures,
    Intake,
    Jobs,
    Memories,
    Models,
    Offices,
    Outbox,
    Rooms,
    Statistics,
    Store,
    Turns,
    Vault,
)

__all__ = [
    "AnyPlugin",
    "Bus",
    "Channel",
    "ChannelPlugin",
    "Claims",
    "Conversations",
    "Core",
    "CountsTokens",
    "Engine",
    "EngineServer",
    "Exchangeable",
    "Failures",
    "FleetPlugin",
    "FleetServer",
    "Guard",
    "HasAddress",
    "HasEndpoints",
    "HasRoutes",
    "Inbox",
    "Intake",
    "Jobs",
    "Knowledge",
    "Limiter",
    "Memories",
    "Migrations",
    "Models",
    "Offices",
    "OpenEngine",
    "Outbox",
    "Personas",
    "Plugin",
    "Records",
    "ReplyStream",
    "Rooms",
    "Scannable",
    "ServerPlugin",
    "Shared",
    "Statistics",
    "Store",
    "StorePlugin",
    "Turns",
    "Vault",
    "Window",
]
