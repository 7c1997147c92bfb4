"""Writes a small model of transformers, with its byte-level BPE, as GGUF. Run by llama.cpp's own environment:
FOLDER FILE f32|q8_0."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np

LLAMA = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
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
GPT2 = {
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
    "ln_1": "attn_norm",
    "ln_2": "ffn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}
Q8 = gguf.GGMLQuantizationType.Q8_0


def main(folder: Path, out: Path, weights: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    kind = config["model_type"]
    writer = gguf.GGUFWriter(str(out), kind)
    heads = describe_gpt2(writer, config) if kind == "gpt2" else describe_llama(writer, config)
    writer.add_vocab_size(config["vocab_size"])
    add_tokenizer(writer, folder, config["vocab_size"])
    for name, values in tensors(folder / "model.safetensors"):
        theirs = renamed(name, GPT2 if kind == "gpt2" else LLAMA)
        if kind == "gpt2" and re.search(r"(c_attn|c_proj|c_fc)\.weight$", name):
            values = values.T  # noqa: PLW2901 - transformers keeps these the other way round
        if kind == "llama" and (layer := re.search(r"(q_proj|k_proj)\.weight$", name)):
            values = neighbours(values, heads[layer[1]])  # noqa: PLW2901 - likewise, see there
        values = np.ascontiguousarray(values)  # noqa: PLW2901 - what gguf takes
        if weights == "q8_0" and values.ndim == 2 and theirs != "position_embd.weight":
            writer.add_tensor(theirs, gguf.quants.quantize(values, Q8), raw_dtype=Q8)
        else:
            writer.add_tensor(theirs, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def describe_llama(writer: Any, config: dict[str, Any]) -> dict[str, int]:
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    return {"q_proj": config["num_attention_heads"], "k_proj": config["num_key_value_heads"]}


def describe_gpt2(writer: Any, config: dict[str, Any]) -> dict[str, int]:
    writer.add_context_length(config["n_positions"])
    writer.add_embedding_length(config["n_embd"])
    writer.add_block_count(config["n_layer"])
    writer.add_feed_forward_length(4 * config["n_embd"])
    writer.add_head_count(config["n_head"])
    writer.add_layer_norm_eps(config["layer_norm_epsilon"])
    return {}


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


def renamed(name: str, names: dict[str, str]) -> str:
    stem, _, last = name.rpartition(".")
    if layer := re.fullmatch(r"(?:model\.layers|transformer\.h)\.(\d+)\.(.+)", stem):
        return f"blk.{layer[1]}.{names[layer[2]]}.{last}"
    return f"{names[stem]}.{last}"


def neighbours(weight: Any, heads: int) -> Any:
    """llama.cpp turns as neighbours what transformers keeps as halves of a head."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def tensors(path: Path) -> Iterator[tuple[str, Any]]:
    """The tensors of a safetensors file, in float32 or in bfloat16, which numpy does not know, as float32."""
    data = np.memmap(path, dtype=np.uint8, mode="r")
    start = 8 + int(data[:8].view(np.uint64)[0])
    for name, tensor in json.loads(bytes(data[8:start])).items():
        if name != "__metadata__":
            first, last = tensor["data_offsets"]
            held = data[start + first : start + last].tobytes()
            if tensor["dtype"] == "BF16":
                values = (np.frombuffer(held, np.uint16).astype(np.uint32) << 16).view(np.float32)
            else:
                values = np.frombuffer(held, np.float32)
            yield name, values.reshape(tensor["shape"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
