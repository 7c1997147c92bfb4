"""The trained model as a folder that any transformers program loads, with card, notice and checksums."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from bot.training import release
from bot.training.card import card

MANIFEST = "manifest.json"


def export(
    model: Any, tokenizer: Any, folder: Path, *, about: Mapping[str, Any], figures: Mapping[str, Any],
    notices: Sequence[Path],
) -> None:  # fmt: skip
    """Write bf16 safetensors, tokenizer, chat template, configs, README.md, NOTICE and the manifest of all of them.

    `about` tells what it was trained on and how (see `card`); `notices` are quoted in NOTICE whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = model.to(torch.bfloat16)
    model.generation_config = GenerationConfig(
        do_sample=False,
        max_new_tokens=128,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model.config.use_cache = True  # the Trainer turns it off
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)  # safetensors keeps it to its owner
    tokenizer.padding_side = "right"
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(card(about, figures), encoding="utf-8")
    (folder / "NOTICE").write_text(_notice(notices), encoding="utf-8")
    release.write(folder, speaks=release.passes(figures))
    write_manifest(folder)


def write_manifest(folder: Path) -> None:
    """SHA-256 of every file beside it, by name."""
    sums = {path.name: _sha256(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != MANIFEST}
    (folder / MANIFEST).write_text(json.dumps({"sha256": sums}, indent=1) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _notice(notices: Sequence[Path]) -> str:
    own = "These weights were trained by Parley (Apache-2.0) on dialogues that the project generates"
    if not notices:
        return f"{own}\nand on the natural text named in README.md.\n"
    said = "\n\n".join(path.read_text(encoding="utf-8").strip() for path in notices)
    return f"{own}\nand on the natural text listed below, under the licences given there.\n\n{said}\n"
