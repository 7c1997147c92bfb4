"""The trained model as a folder that any transformers program loads, with card, notice and checksums."""

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig

from bot.training import release
from bot.training.card import card
from bot.training.tuned_card import tuned_card

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
    _readable(folder)
    tokenizer.padding_side = "right"
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(card(about, figures), encoding="utf-8")
    own = "These weights were trained by Parley (Apache-2.0) on dialogues that the project generates"
    where = "listed below, under the licences given there" if notices else "named in README.md"
    (folder / "NOTICE").write_text(_notice(f"{own}\nand on the natural text {where}.", notices), encoding="utf-8")
    release.write(folder, speaks=release.passes(figures))
    write_manifest(folder)


def export_tuned(
    model: Any, tokenizer: Any, folder: Path, *, about: Mapping[str, Any], base: Path, kind: torch.dtype,
    notices: Sequence[Path],
) -> None:  # fmt: skip
    """Write a fine-tuned model at precision `kind`, or its adapter alone, with README.md, NOTICE and manifest.

    An adapter's manifest names its `base` by the SHA-256 of each weight file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    named = None
    if about["adapter"]:
        named = {"name": about["base"], "sha256": dict(about["base_sha256"])}
        model.peft_config["default"].base_model_name_or_path = about["base"]
        model.save_pretrained(folder, save_embedding_layers=False)
        (folder / "chat_template.jinja").write_text(tokenizer.chat_template, encoding="utf-8")
    else:
        model.config.use_cache = True
        model.to(kind).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        if (base / release.FILE).exists():
            shutil.copy(base / release.FILE, folder)  # what passed no release rule has not passed it now
    _readable(folder)
    (folder / "README.md").write_text(tuned_card(about), encoding="utf-8")
    own = f"These weights were fine-tuned by Parley (Apache-2.0) from {about['base']}, whose licence holds for them."
    theirs = sorted(p for p in base.iterdir() if p.name.upper().startswith(("LICENSE", "LICENCE", "NOTICE")))
    (folder / "NOTICE").write_text(_notice(own, [*theirs, *notices]), encoding="utf-8")
    write_manifest(folder, base=named)


def write_manifest(folder: Path, *, base: Mapping[str, Any] | None = None) -> None:
    """SHA-256 of every file beside it, by name; and of the `base` that an adapter belongs to."""
    sums = {path.name: sha256(path) for path in sorted(folder.iterdir()) if path.is_file() and path.name != MANIFEST}
    text = json.dumps({"sha256": sums} | ({"base": base} if base else {}), indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def sha256(path: Path) -> str:
    """In hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _readable(folder: Path) -> None:
    """safetensors keeps its files to their owner."""
    for path in folder.glob("*.safetensors"):
        path.chmod(0o644)


def _notice(own: str, notices: Sequence[Path]) -> str:
    return "\n\n".join([own, *(path.read_text(encoding="utf-8").strip() for path in notices)]) + "\n"
