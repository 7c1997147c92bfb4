"""Tiny models made on the spot: random weights, a byte-level tokenizer trained on a few lines."""

import json
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SHAPE = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 64}
ENDLESS = {"eos_token_id": None, "bos_token_id": None, "pad_token_id": None}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("Llama", {**SHAPE, "num_key_value_heads": 2}),
    "qwen2": ("Qwen2", {**SHAPE, "num_key_value_heads": 2}),
    "qwen3": ("Qwen3", {**SHAPE, "num_key_value_heads": 2, "head_dim": 16}),
    "gpt2": ("GPT2", {"n_layer": 2, "n_embd": 32, "n_head": 4, "n_positions": 256}),
    "mistral": ("Mistral", {**SHAPE, "num_key_value_heads": 2, "sliding_window": None}),
    "gemma": ("Gemma", {**SHAPE, "num_key_value_heads": 2, "head_dim": 8}),
    "phi": ("Phi", SHAPE),
    "gemma2": ("Gemma2", {**SHAPE, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 32}),
}


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(["user assistant system question answer the order arrives", "订单今天到达"] * 4, trainer)
    return made


def make_model(family: str, *, seed: int = 0, **changes: Any) -> Any:
    """A random model of a family, peaked enough that greedy choices are no near ties."""
    name, values = FAMILIES[family]
    config = getattr(transformers, f"{name}Config")(
        **{"vocab_size": 320, "max_position_embeddings": 256, **values, **ENDLESS, **changes}
    )
    torch.manual_seed(seed)
    model = getattr(transformers, "GPT2LMHeadModel" if name == "GPT2" else f"{name}ForCausalLM")(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(6)
    return model


def make_folder(path: Path, family: str = "llama", *, template: str | None = CHATML, **changes: Any) -> Path:
    make_model(family, **changes).save_pretrained(path)
    tokenizer().save(str(path / "tokenizer.json"))
    values = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>", "chat_template": template}
    (path / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in values.items() if v is not None}))
    return path
