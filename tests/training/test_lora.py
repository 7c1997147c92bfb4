import pytest

from bot.errors import TrainingError
from bot.training.lora import Adapter, choose, wrap
from bot.training.tune import tells_pieces_apart
from tests.training.test_loss import KINDS, small

LAYERS = {
    "llama": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "qwen": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "gpt2": {"c_attn", "c_proj", "c_fc"},
    "gemma, with its soft cap": {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"},
    "phi, with its output bias": {"q_proj", "k_proj", "v_proj", "dense", "fc1", "fc2"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_adapter_stands_beside_every_linear_layer_but_the_output(kind: str) -> None:
    model = small(KINDS[kind])
    assert set(choose(model)) == LAYERS[kind]
    wrapped = wrap(model, Adapter(rank=2), seed=0)
    trained = {name for name, weight in wrapped.named_parameters() if weight.requires_grad}
    assert trained
    assert all("lora_" in name and "lm_head" not in name for name in trained)


def test_layers_may_be_named_and_unknown_ones_are_refused() -> None:
    model = small(KINDS["llama"])
    assert choose(model, ["q_proj", "v_proj"]) == ["q_proj", "v_proj"]
    with pytest.raises(TrainingError, match=r"'c_attn'.*q_proj"):
        choose(model, ["c_attn"])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_seen_whether_a_model_tells_the_pieces_of_a_row_apart(kind: str) -> None:
    model = small(KINDS[kind])
    assert tells_pieces_apart(model)
    forward = model.forward

    def one_document(**inputs: object) -> object:
        return forward(**{**inputs, "position_ids": None})

    model.forward = one_document
    assert not tells_pieces_apart(model)
