"""Finds parts by name through entry points, so that another package can bring a channel, store, bus or engine."""

from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import Literal

from bot.errors import UnknownPlugin
from bot.ports import AnyPlugin, ChannelPlugin, FleetPlugin, Plugin, ServerPlugin

Group = Literal["parley.channels", "parley.stores", "parley.buses", "parley.engines", "parley.servers"]


def names(group: Group) -> tuple[str, ...]:
    return tuple(sorted(point.name for point in entry_points(group=group)))


def find(group: Group, name: str) -> AnyPlugin:
    """The plugin `name` of a group. Raises UnknownPlugin, which lists what is installed."""
    for point in entry_points(group=group, name=name):
        plugin = point.load()
        if not isinstance(plugin, Plugin | ChannelPlugin | ServerPlugin | FleetPlugin):
            raise UnknownPlugin(name, hint=f"the entry point {point.value!r} of {group} is no Plugin")
        return plugin
    near = get_close_matches(name, names(group), n=1)
    known = ", ".join(names(group)) or "none"
    raise UnknownPlugin(name, hint=(f"did you mean {near[0]!r}? " if near else "") + f"installed in {group}: {known}")
