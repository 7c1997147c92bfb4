"""The card of a fine-tuned model or adapter: its base, its chats in number, and measured figures only."""

from collections.abc import Mapping
from typing import Any


def tuned_card(about: Mapping[str, Any]) -> str:
    """Markdown with the front matter that model hubs read; `about` as `tune` gathers it."""
    adapter = about["adapter"]
    library = "peft" if adapter else "transformers"
    return f"""---
base_model: {about["base"]}
library_name: {library}
pipeline_tag: text-generation
---
# {about["base"]}, fine-tuned{" (LoRA adapter)" if adapter else ""}

{_what(about)} What {about["base"]} may be used for, its licence and its faults hold here too; fine-tuning on chats
teaches manner and format more than knowledge.

## How it was made

Fine-tuned by Parley on {about["chats"]:,} chats from {", ".join(about["sources"])}, the loss on the assistant's words
alone, documents apart. {about["trained"]:,} parameters learnt; AdamW, peak rate {about["rate"]:g}, warm-up, stable,
decay; {about["epochs"]:.1f} epochs in {about["seconds"] / 60:.1f} min; seed {about["seed"]}. On {about["machine"]}:
{about.get("speed", 0):,.0f} tokens/s, MFU {about.get("mfu", 0):.0%}.

## Figures

{_figures(about)}

## Base

SHA-256 of the weights it started from:

{"".join(f"- `{name}` {digest}" + chr(10) for name, digest in about["base_sha256"].items())}"""


def _what(about: Mapping[str, Any]) -> str:
    adapter = about["adapter"]
    if not adapter:
        return "A causal language model."
    beside = ", ".join(adapter["targets"])
    return (
        f"A LoRA adapter of rank {adapter['rank']}, alpha {adapter['alpha']:g}, beside {beside}. "
        "It works with the base named below and no other."
    )


def _figures(about: Mapping[str, Any]) -> str:
    if about["loss_after"] is None:
        return "None: there were too few chats to keep some back."
    return (
        f"Loss on {about['held']:,} chats kept from training, in nats a token of the assistant's: "
        f"{about['loss_before']:.3f} before, {about['loss_after']:.3f} after."
    )
