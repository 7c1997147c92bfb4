"""Whatever a file holds, it is refused quickly and with nothing but problems."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.personas.problems import Problem, Problems
from bot.personas.reading import MAX_BYTES, read_bytes
from tests.personas.house import HEAD, places, read

# On a quiet core each takes below 0.1 s, without the bounds 0.7 s to hours; the slack is for shared machines.
BOUND = 0.4

HOSTILE: dict[str, tuple[str, str]] = {
    "brackets": ("[" * 9000, "too-deep"),
    "braces": ("{" * 9000, "too-deep"),
    "lines of brackets": ("[\n" * 100_000, "too-deep"),
    "nested lists": ("- " * 5000, "too-deep"),
    "nested mappings": ("".join(" " * n + "a:\n" for n in range(500)), "too-deep"),
    "nested keys": ("? " * 5000, "too-deep"),
    "many keys": ("".join(f"k{n}: v\n" for n in range(20_000)), "too-complex"),
    "many items": ("- a\n" * 60_000, "too-complex"),
    "many lines of text": ("a: |\n" + " x\n" * 80_000, "too-complex"),
    "many lines of a plain text": ("a:\n" + " x\n" * 80_000, "too-complex"),
    "many words": ("a:\n" + (" x" * 4000 + "\n") * 30, "too-complex"),
    "many comments": ("#\n" * 130_000, "too-complex"),
    "empty lines": ("\n" * 262_000, "too-complex"),
    "an unclosed quote over many lines": ('a: "' + "x\n " * 80_000, "too-complex"),
    "one line": ("a: " + "x" * 200_000, "line-too-long"),
    "many braces in a text": (HEAD + "greeting: |\n" + ("  " + "{" * 9000 + "\n") * 28, ""),
    "many placeholders": ("instructions: |\n" + ("  " + "{{x}}" * 1000 + "\n") * 50, "bad-placeholder"),
    "lines nearly too long": ('a: "' + ("x" * 9990 + "\n ") * 26, "syntax"),
    "a billion laughs": (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"k{n}: &k{n} [{', '.join([f'*k{n - 1}' if n else '*a'] * 9)}]\n" for n in range(9)),
        "alias",
    ),
    "many anchors": ("- &a x\n" * 37_000, "alias"),
    "many tags": ("- !!python/object:os.system x\n" * 8700, "tag"),
    "many documents": ("---\n" * 65_000, "several-documents"),
    "tabs": ("\t" * 200_000, "tab"),
}


def faults(data: bytes) -> tuple[Problem, ...]:
    problems = Problems("acme.yaml", "en")
    persona = read_bytes(data, path=Path("acme.yaml"), problems=problems)
    assert (persona is None) == problems.failed
    return problems.all()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_files_are_refused_quickly(kind: str) -> None:
    text, code = HOSTILE[kind]
    data = text.encode()
    assert len(data) <= MAX_BYTES
    times = []
    for _ in range(2):
        start = time.process_time()
        found = faults(data)
        times.append(time.process_time() - start)
        assert not code or code in {problem.code for problem in found}
    assert min(times) < BOUND


def test_a_file_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    assert places(read(tmp_path, HEAD + "#" * MAX_BYTES).problems) == ["1:1:too-big"]


def test_a_long_honest_text_is_read(tmp_path: Path) -> None:
    line = "  customer orders can be returned within thirty days when the package is unopened\n"
    reading = read(tmp_path, HEAD.replace("Help people.", "|\n" + line * 3000))
    assert reading.problems == ()


KEYS = st.sampled_from(
    [
        "schema",
        "name",
        "title",
        "model",
        "languages",
        "starters",
        "knowledge",
        "answering",
        "widget",
        "en",
        "source",
        "x",
    ]
)
SCALARS = st.one_of(
    st.sampled_from(
        ["parley.persona/v1", "acme", "health", "kb", "en", "{{date}}", "{{x", ".nan", "0x1f", "1e999", "~"]
    ),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=12).map(lambda text: "'" + text.replace("'", "''") + "'"),
)
FLOW = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(KEYS, inner), max_size=4).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
        ),
    ),
    max_leaves=12,
)
FILES = st.lists(st.tuples(KEYS, FLOW), max_size=8).map(lambda pairs: "".join(f"{k}: {v}\n" for k, v in pairs))
YAML_NOISE = st.text(alphabet="ab:-?[]{},#&*!|>'\"%@` \n\t~.0159\\xuU{}é汉\r\ufeff\x85\u2028", max_size=120)


@settings(max_examples=150, deadline=None)
@given(st.one_of(YAML_NOISE, FILES, st.tuples(FILES, YAML_NOISE).map("".join)))
def test_any_text_yields_only_problems_at_places_in_it(text: str) -> None:
    data = text.encode("utf-8", "ignore")
    start = time.process_time()
    found = faults(data)
    assert time.process_time() - start < BOUND
    lines = len(text.splitlines()) + 1
    for problem in found:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert "\n" not in str(problem)
        str(problem).encode()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_yield_only_problems(data: bytes) -> None:
    assert faults(data) or data
