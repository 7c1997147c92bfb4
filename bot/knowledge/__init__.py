"""Documents → passages → search, the grounding guard, and quotations.

Documents are Markdown, plain text, or CSV and YAML lists of questions and answers. `Library` implements
`bot.ports.Knowledge`.
"""

from bot.knowledge.files import Limits, Problem
from bot.knowledge.library import Library, Refreshed

__all__ = ["Library", "Limits", "Problem", "Refreshed"]
