"""What can be chosen of an evaluation, and which model; known before anything heavy is loaded."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bot.engine.client import local_folder
from bot.engine.folder import ModelFolder, inspect
from bot.errors import ModelRefused

FORMAT = "parley.evaluation/v1"
GROUPS: Mapping[str, str] = {
    "text": "predicting and copying text",
    "grounded": "answers from passages",
    "honesty": "refusals and unsupported numbers",
    "personas": "keeping to the persona",
    "fairness": "bias and safety",
    "export": "export parity and speed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`items` answerable questions a split and seed, `documents` a source; `share` of the probes; `prompts` for parity.

    `data` are names only: two evaluations compare where all of this is equal.
    """

    groups: tuple[str, ...] = tuple(GROUPS)
    items: int = 500
    seeds: int = 3
    documents: int = 20
    share: float = 1.0
    prompts: int = 64
    data: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


QUICK = Options(items=10, seeds=1, documents=4, share=0.1, prompts=8)


def find_model(model: str) -> tuple[Path, ModelFolder]:
    """The checked folder of `starter` or of a path. Raises ModelRefused."""
    path = local_folder(model)
    if path is None:
        raise ModelRefused(
            f"there is no folder {model!r}; evaluate a hub model from its folder: `hf download {model}` fetches it"
        )
    return path, inspect(path)
