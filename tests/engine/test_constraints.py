"""Constrained answers match, whatever the model would like to say; what cannot be followed is refused in one line."""

import json
import re
import time
from pathlib import Path

import pytest

from bot.engine.constraints import Constraints
from bot.engine.runner import SlotRunner
from bot.engine.scheduler import Scheduler
from bot.engine.sequence import Sequence
from bot.engine.tokens import Detokenizer, read_tokenizer
from bot.errors import RequestRefused
from bot.types import Constraint, Sampling
from tests.engine.test_scheduler import Outcome, model_of, run

END = 1
SCHEMA = {
    "type": "object",
    "properties": {
        "status": {"enum": ["已发货", "open", "lost"]},
        "days": {"type": "integer", "minimum": 0, "maximum": 30},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}, "maxItems": 2},
    },
    "required": ["status", "days", "tags"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def constraints(folder: Path) -> Constraints:
    return Constraints(folder / "tokenizer.json", ends=[END])


def constrained(
    constraints: Constraints, folder: Path, *asked: Constraint | None, ends: frozenset[int] = frozenset([END])
) -> Outcome:
    """The answers to one prompt, warm, all at once."""
    tokenizer = read_tokenizer(folder / "tokenizer.json")
    sequences = [
        Sequence(
            id=number,
            prompt=[5, 6, 7],
            sampling=Sampling(temperature=1.0, top_p=1.0, seed=number, constraint=constraint),
            limit=60,
            ends=ends,
            text=Detokenizer(tokenizer.decode),
            constraint=constraints.matcher(constraint) if constraint else None,
        )
        for number, constraint in enumerate(asked)
    ]
    runner = SlotRunner(model_of("llama"), slots=len(asked), context=96, chunk=16)
    return run(Scheduler(runner), sequences)


def test_answers_match_their_schema_expression_or_grammar_and_end(constraints: Constraints, folder: Path) -> None:
    schema = Constraint(kind="json_schema", text=json.dumps(SCHEMA))
    regex = Constraint(kind="regex", text="(yes|no|可能)!")
    grammar = Constraint(kind="grammar", text='start: "(" start ")" | "x"')
    outcome = constrained(constraints, folder, schema, regex, grammar, schema)
    for number in (0, 3):
        found = json.loads(outcome.texts[number])
        assert set(found) == {"status", "days", "tags"}
        assert found["status"] in {"已发货", "open", "lost"}
        assert 0 <= found["days"] <= 30
        assert all(len(tag) <= 4 for tag in found["tags"])
    assert re.fullmatch("(yes|no|可能)!", outcome.texts[1])
    assert re.fullmatch(r"(\(*)x(\)*)", outcome.texts[2])
    assert set(outcome.reasons.values()) == {"stop"}


def test_a_neighbour_without_a_constraint_says_what_it_says_alone(constraints: Constraints, folder: Path) -> None:
    regex = Constraint(kind="regex", text="[ab]{8}")
    together = constrained(constraints, folder, None, regex, ends=frozenset())
    assert together.texts[0] == constrained(constraints, folder, None, ends=frozenset()).texts[0]


def test_an_answer_ends_where_nothing_more_can_follow_also_without_an_end_token(folder: Path) -> None:
    outcome = constrained(
        Constraints(folder / "tokenizer.json", ends=[]),
        folder,
        Constraint(kind="regex", text="[ab]{5}"),
        ends=frozenset(),
    )
    assert re.fullmatch("[ab]{5}", outcome.texts[0])
    assert outcome.reasons == {0: "stop"}


def test_an_expression_that_explodes_ends_its_own_answer_soon(constraints: Constraints, folder: Path) -> None:
    began = time.monotonic()
    outcome = constrained(constraints, folder, Constraint(kind="regex", text="(a{1000}){1000}{1000}"), None)
    assert "constraint" in outcome.failed[0]
    assert 1 in outcome.reasons
    assert time.monotonic() - began < 10


BAD = {
    "a broken expression": Constraint(kind="regex", text="(a"),
    "a broken grammar": Constraint(kind="grammar", text="start: nothing"),
    "no JSON": Constraint(kind="json_schema", text="{"),
    "deep JSON": Constraint(kind="json_schema", text="[" * 60_000),
    "a list": Constraint(kind="json_schema", text="[]"),
    "an unknown type": Constraint(kind="json_schema", text='{"type": "nonsense"}'),
    "a schema elsewhere": Constraint(kind="json_schema", text='{"$ref": "http://127.0.0.1:9/x"}'),
    "a schema without end": Constraint(kind="json_schema", text='{"enum": [' + '"a",' * 30_000 + '"a"]}'),
}


@pytest.mark.parametrize("constraint", BAD.values(), ids=BAD.keys())
def test_a_bad_constraint_is_refused_in_one_line_and_soon(constraints: Constraints, constraint: Constraint) -> None:
    began = time.monotonic()
    with pytest.raises(RequestRefused) as caught:
        constraints.matcher(constraint)
    assert time.monotonic() - began < 5
    assert "\n" not in str(caught.value)
