"""What the parts of the channel share."""

from dataclasses import dataclass, field

import aiohttp

from adapters.shared.pacing import Gate
from adapters.slack.people import People
from adapters.slack.settings import SlackSettings
from adapters.slack.workspaces import Workspaces
from bot.ports import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`posts` keeps new messages of a channel apart, `edits` the edits in a workspace."""

    core: Core
    settings: SlackSettings
    workspaces: Workspaces
    http: aiohttp.ClientSession
    posts: Gate
    edits: Gate
    people: People = field(default_factory=People)
