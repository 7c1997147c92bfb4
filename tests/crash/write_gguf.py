"""Writes a tiny Llama of transformers as GGUF. Run by llama.cpp's own environment: FOLDER FILE."""

import json
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

NAMES = {
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def main(folder: Path, out: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    writer = gguf.GGUFWriter(str(out), "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_vocab_size(config["vocab_size"])
    add_tokenizer(writer, folder, config["vocab_size"])
    add_tensors(writer, load_file(folder / "model.safetensors"), config)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_tokenizer(writer: Any, folder: Path, size: int) -> None:
    model = json.loads((folder / "tokenizer.json").read_text())
    special = {token["content"] for token in model["added_tokens"] if token["special"]}
    by_id = {number: token for token, number in model["model"]["vocab"].items()}
    by_id |= {token["id"]: token["content"] for token in model["added_tokens"]}
    tokens = [by_id.get(number, f"[unused{number}]") for number in range(size)]
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in model["model"]["merges"]]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    kinds = [gguf.TokenType.CONTROL if token in special else gguf.TokenType.NORMAL for token in tokens]
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_bos_token_id(tokens.index("<|im_start|>"))
    writer.add_add_bos_token(False)
    writer.add_chat_template(json.loads((folder / "tokenizer_config.json").read_text())["chat_template"])


def add_tensors(writer: Any, tensors: dict[str, Any], config: dict[str, Any]) -> None:
    """llama.cpp turns the halves of a head that transformers keeps apart as neighbours."""

    def neighbours(weight: Any, heads: int) -> Any:
        return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)

    writer.add_tensor("token_embd.weight", tensors["model.embed_tokens.weight"].astype(np.float32))
    writer.add_tensor("output_norm.weight", tensors["model.norm.weight"].astype(np.float32))
    output = tensors.get("lm_head.weight", tensors["model.embed_tokens.weight"])
    writer.add_tensor("output.weight", output.astype(np.float32))
    heads = {"self_attn.q_proj": "num_attention_heads", "self_attn.k_proj": "num_key_value_heads"}
    for layer in range(config["num_hidden_layers"]):
        for theirs, ours in NAMES.items():
            weight = tensors[f"model.layers.{layer}.{theirs}.weight"].astype(np.float32)
            if theirs in heads:
                weight = neighbours(weight, config[heads[theirs]])
            writer.add_tensor(f"blk.{layer}.{ours}.weight", np.ascontiguousarray(weight))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
