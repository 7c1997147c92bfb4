"""Models of known shapes with random weights: what is measured is speed, and that does not depend on what they say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel

from tests.engine.models import CHATML, ENDLESS

_SPECIAL = ("<|im_start|>", "<|im_end|>")
_SPACE = "Ġ"


@dataclass(frozen=True, slots=True)
class Shape:
    title: str
    family: str
    values: Mapping[str, Any]


SHAPES: Mapping[str, Shape] = {
    "b": Shape(
        "30 M, d512 × 8",
        "Llama",
        {
            "vocab_size": 8192,
            "hidden_size": 512,
            "intermediate_size": 1376,
            "num_hidden_layers": 8,
            "num_attention_heads": 8,
            "num_key_value_heads": 8,
            "max_position_embeddings": 2048,
            "tie_word_embeddings": True,
        },
    ),
    "c": Shape("GPT-2, 124 M", "GPT2", {"vocab_size": 50257, "n_positions": 1024}),
    "d": Shape(
        "0.5 B, as Qwen2.5",
        "Qwen2",
        {
            "vocab_size": 151936,
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "tie_word_embeddings": True,
        },
    ),
}


def make(path: Path, shape: Shape, *, seed: int = 0) -> Path:
    """A folder with the model, saved in bfloat16, so that every reader has the same weights in any precision."""
    torch.manual_seed(seed)
    config = getattr(transformers, f"{shape.family}Config")(**shape.values, **ENDLESS)
    name = "GPT2LMHeadModel" if shape.family == "GPT2" else f"{shape.family}ForCausalLM"
    model = getattr(transformers, name)(config)
    made, words = tokenizer(shape.values["vocab_size"])
    with torch.no_grad():
        rows = model.get_input_embeddings().weight
        rows[[token for token in range(len(rows)) if token not in words]] *= 0.01  # the answers are words
    model.to(torch.bfloat16).save_pretrained(path)
    made.save(str(path / "tokenizer.json"))
    values = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": _SPECIAL[1], "chat_template": CHATML}
    (path / "tokenizer_config.json").write_text(json.dumps(values))
    return path


def tokenizer(size: int) -> tuple[Tokenizer, frozenset[int]]:
    """Byte-level BPE of exactly `size` tokens, and which of them are words.

    Its words have two syllables, and any text of words is encoded as those words again: what a model answers can
    become part of the next prompt, as with a tokenizer and a model that belong together.
    """
    consonants, vowels = "bdfgjklmnprstvwxyz", "aeiou"
    syllables = ["".join(parts) for parts in product(consonants, vowels, consonants)]
    start = list(_SPECIAL) + sorted(ByteLevel.alphabet())
    merges = [(_SPACE, c) for c in consonants] + [(_SPACE + c, v) for c in consonants for v in vowels]
    merges += [(c, v) for c in consonants for v in vowels]
    count = 1
    while count < len(syllables) and len(start) + len(merges) + 2 * (count + 1) + (count + 1) ** 2 < size:
        count += 1
    some = syllables[:: max(1, len(syllables) // count)][:count]
    merges += [(_SPACE + s[:2], s[2]) for s in some] + [(s[:2], s[2]) for s in some]
    merges += [(_SPACE + first, second) for first in some for second in some]
    vocabulary = {token: number for number, token in enumerate(start)}
    for left, right in merges:
        vocabulary.setdefault(left + right, len(vocabulary))
    words = frozenset(vocabulary[_SPACE + first + second] for first in some for second in some)
    while len(vocabulary) < size:
        vocabulary[f"[unused{len(vocabulary)}]"] = len(vocabulary)
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(list(_SPECIAL))
    return made, words
