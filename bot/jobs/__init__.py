"""Work at fixed times: planned on every replica, run once."""

from bot.jobs.job import Job
from bot.jobs.prompts import Post, posts
from bot.jobs.scheduler import Scheduler
from bot.jobs.upkeep import UPKEEP, count, upkeep

__all__ = ["UPKEEP", "Job", "Post", "Scheduler", "count", "posts", "upkeep"]
