"""A Llama of a preset's shape: RMSNorm, SwiGLU, RoPE, grouped-query attention, tied embeddings."""

from typing import Any

from transformers import AutoModelForCausalLM, LlamaConfig, set_seed

from bot.training.induction import prepare, soften
from bot.training.presets import Preset


def build(preset: Preset, tokenizer: Any, *, seed: int) -> Any:
    """Fresh weights, ready to learn to copy."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=preset.width,
        num_hidden_layers=preset.layers,
        num_attention_heads=preset.heads,
        num_key_value_heads=preset.kv_heads,
        head_dim=preset.head,
        intermediate_size=preset.inner,
        max_position_embeddings=preset.context,
        tie_word_embeddings=True,
        initializer_range=0.02,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        attn_implementation="sdpa",
    )
    set_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    soften(model)
    prepare(model, preset, seed=seed)
    return model
