"""A model of this pipeline's that a run goes on with: its weights, tokenizer, card and notices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.errors import TrainingError
from bot.training import base
from bot.training.export import sha256
from bot.training.tokenizer import CHAT_TEMPLATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """`sha256` is of each file of weights, by name."""

    folder: Path
    sha256: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path) -> "Earlier":
        """Raises TrainingError where there is no model."""
        found = {path.name: sha256(path) for path in base.weights(folder)}
        if not found:
            raise TrainingError(f"{folder} holds no weights (*.safetensors) to start from")
        return cls(folder=folder.resolve(), sha256=found)

    def tokenizer(self) -> Any:
        found = base.tokenizer(self.folder, None)
        if found.chat_template.strip() != CHAT_TEMPLATE:
            raise TrainingError(
                f"{self.folder} was not exported by parley train: its chat template is another; "
                "fine-tune it with parley train finetune --model"
            )
        return found

    def model(self, *, row: int) -> Any:
        """In float32. `row` is how many tokens it must be able to read at once."""
        if (context := base.context(self.folder)) < row:
            raise TrainingError(f"{self.folder} reads {context} tokens at once, the preset's rows have {row}")
        return base.model(self.folder, frozen=False)

    def described(self) -> dict[str, Any]:
        """`sha256` and, where it has one, its `card` without the front matter."""
        file = self.folder / "README.md"
        card = file.read_text(encoding="utf-8") if file.is_file() else ""
        if card.startswith("---"):
            card = card.split("---", 2)[2]
        return {"sha256": dict(self.sha256), "card": card.strip()}

    def notices(self, more: Sequence[Path]) -> list[Path]:
        """Its own, and those of `more` that it does not hold already."""
        own = self.folder / "NOTICE"
        if not own.is_file():
            return list(more)
        held = own.read_text(encoding="utf-8")
        return [own, *(path for path in more if path.read_text(encoding="utf-8").strip() not in held)]
