"""Which model answers: chosen while Parley runs, followed by every replica, taken back with one command."""

from bot.models.following import TOPIC, Following
from bot.models.ready import until_ready
from bot.models.switch import Switch, open_switch

__all__ = ["TOPIC", "Following", "Switch", "open_switch", "until_ready"]
