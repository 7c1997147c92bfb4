from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GPT2Config,
    LlamaConfig,
    PhiConfig,
    PretrainedConfig,
    Qwen3Config,
)

from bot.training.data import IGNORED
from bot.training.loss import labelled_loss

SMALL: dict[str, Any] = {
    "vocab_size": 97, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1,
}  # fmt: skip
KINDS: dict[str, PretrainedConfig] = {
    "llama": LlamaConfig(**SMALL, tie_word_embeddings=True),
    "qwen": Qwen3Config(**SMALL, head_dim=8),
    "gpt2": GPT2Config(vocab_size=97, n_embd=32, n_layer=2, n_head=4, bos_token_id=1, eos_token_id=1),
    "gemma, with its soft cap": Gemma2Config(**SMALL, head_dim=8, final_logit_softcapping=0.5),
    "phi, with its output bias": PhiConfig(**SMALL),
}


def small(config: PretrainedConfig) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_of_labelled_tokens_equals_the_loss_over_all_positions(kind: str) -> None:
    model = small(KINDS[kind])
    ids = torch.randint(2, 97, (3, 24), generator=torch.Generator().manual_seed(1))
    labels = ids.clone()
    labels[:, :9] = IGNORED
    labels[1, 12:20] = IGNORED

    whole = model(input_ids=ids, labels=labels).loss
    torch.autograd.backward(whole)
    wanted = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    model.zero_grad()
    loss, logits = labelled_loss(model, {"input_ids": ids, "labels": labels})
    torch.autograd.backward(loss)

    assert loss.item() == pytest.approx(whole.item(), rel=1e-5)
    assert logits.shape == (int((labels[:, 1:] != IGNORED).sum()), 97)
    for name, weight in model.named_parameters():
        torch.testing.assert_close(weight.grad, wanted[name], atol=1e-6, rtol=1e-4)


def test_the_model_is_left_as_it_was() -> None:
    model = small(KINDS["llama"])
    ids = torch.randint(2, 97, (2, 8))
    labelled_loss(model, {"input_ids": ids, "labels": ids})
    assert model(input_ids=ids).logits.shape == (2, 8, 97)


@pytest.mark.parametrize("count", [None, 0, torch.tensor(0)])
def test_rows_without_a_label_teach_nothing(count: torch.Tensor | int | None) -> None:
    model = small(KINDS["llama"])
    ids = torch.randint(2, 97, (2, 8))
    loss, _ = labelled_loss(model, {"input_ids": ids, "labels": torch.full_like(ids, IGNORED)}, count=count)
    torch.autograd.backward(loss)
    assert loss.item() == 0
    assert all(not weight.grad.any() for weight in model.parameters() if weight.grad is not None)
