from pathlib import Path
from typing import Any

import pytest

from bot.training import tokenizer as bpe
from bot.training.chats import PLAIN, Chat, Rows, encode
from bot.training.data import IGNORED, Piece
from bot.types import Message

CHAT = (
    Message(role="system", text="Be brief."),
    Message(role="user", text="One?"),
    Message(role="assistant", text="First."),
    Message(role="user", text="Two?"),
    Message(role="assistant", text="Second."),
)
# Like Qwen's: an answer in the past is shown without its thoughts.
THINKING = (
    "{% for m in messages %}[{{ m.role }}]{% if m.role == 'assistant' and loop.last %}<think></think>{% endif %}"
    "{{ m.content }}<|end|>\n{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return bpe.train([m.text for m in CHAT] * 20, vocabulary=300, context=64)


def learnt(tokenizer: Any, piece: Piece) -> str:
    text: str = tokenizer.decode([token for token, yes in zip(piece.ids, piece.learn, strict=True) if yes])
    return text


@pytest.mark.parametrize("template", [bpe.CHAT_TEMPLATE, PLAIN])
def test_only_what_the_assistant_says_is_learnt_with_its_end(tokenizer: Any, template: str) -> None:
    tokenizer.chat_template = template
    [piece] = encode(tokenizer, CHAT)
    assert learnt(tokenizer, piece).replace(" ", "") == "First.<|end|>Second.<|end|>"
    whole = tokenizer.apply_chat_template([{"role": m.role, "content": m.text} for m in CHAT], tokenize=False)
    assert tokenizer.decode(piece.ids) == whole.rstrip("\n")


def test_a_template_that_changes_history_gives_a_piece_for_each_answer(tokenizer: Any) -> None:
    tokenizer.chat_template = THINKING
    pieces = encode(tokenizer, CHAT)
    assert [learnt(tokenizer, p) for p in pieces] == ["<think></think>First.<|end|>", "<think></think>Second.<|end|>"]
    assert "[assistant]First." in tokenizer.decode(pieces[1].ids)


def test_every_chat_comes_once_an_epoch_whole_in_an_order_of_its_own() -> None:
    chats = [
        Chat(pieces=[Piece([n] * (n % 7 + 2), [False] + [True] * (n % 7 + 1))], where=f"chats:{n}")
        for n in range(1, 31)
    ]
    rows = Rows(chats, row=16, pad=0, seed=3, packed=True)
    assert rows.per_epoch < 30
    epochs = []
    for epoch in range(2):
        seen = []
        for number in range(rows.per_epoch):
            row = rows[epoch * rows.per_epoch + number]
            ids, positions, labels = (row[name].tolist() for name in ("input_ids", "position_ids", "labels"))
            assert len(ids) == 16
            for place, (token, position, label) in enumerate(zip(ids, positions, labels, strict=True)):
                assert label == (IGNORED if position == 0 or token == 0 else token)
                assert token == 0 or position == 0 or ids[place - 1] == token
            seen += [token for token, position in zip(ids, positions, strict=True) if token and position == 0]
        assert sorted(seen) == list(range(1, 31))
        epochs.append(seen)
    assert epochs[0] != epochs[1]
    again = Rows(chats, row=16, pad=0, seed=3, packed=True)
    assert all(again[5][name].equal(rows[5][name]) for name in rows[5])


def test_where_pieces_cannot_be_told_apart_each_has_a_row(tmp_path: Path) -> None:
    chats = [Chat(pieces=[Piece([5, 6], [False, True])], where="")] * 3
    rows = Rows(chats, row=4, pad=0, seed=0, packed=False)
    assert rows.per_epoch == 3
    assert rows[0]["input_ids"].tolist() == [5, 6, 0, 0]
    assert rows[0]["position_ids"].tolist() == [0, 1, 2, 3]
