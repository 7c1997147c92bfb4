"""The store of kept keys and values gives back what was put in, shares what is shared, and keeps to its budget."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.prefixes import PrefixStore, Rows

SIZE = 3
BYTES = 2 * SIZE * 4
"""Of one token: two parts of one head with `SIZE` floats."""

Tokens = st.lists(st.integers(0, 2), max_size=9)


def rows_of(tokens: list[int], start: int, end: int) -> Rows:
    """Rows that tell the whole text before them, as real ones do."""
    sums = [hash(tuple(tokens[: at + 1])) % 10_007 for at in range(start, end)]
    part = torch.tensor(sums, dtype=torch.float32)[None, :, None].expand(1, end - start, SIZE)
    return [part.clone(), -part]


def keep(store: PrefixStore, tokens: list[int], *, space: str = "") -> None:
    store.keep(tokens, lambda start, end: rows_of(tokens, start, end), space=space)


def found(store: PrefixStore, tokens: list[int], *, space: str = "") -> int:
    """How many tokens are known; fails where their rows are not the right ones."""
    known = 0
    for start, end, rows in store.find(tokens, space=space):
        assert start == known
        for part, wanted in zip(rows, rows_of(tokens, start, end), strict=True):
            assert torch.equal(part[:, : end - start], wanted)
        known = end
    return known


def common(first: list[int], second: list[int]) -> int:
    return next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second))
    )


@given(st.lists(Tokens, max_size=8), Tokens)
@settings(max_examples=150, deadline=None)
def test_the_longest_common_beginning_is_found_and_shared_tokens_are_kept_once(
    kept: list[list[int]], asked: list[int]
) -> None:
    store = PrefixStore(budget=10**6)
    for tokens in kept:
        keep(store, tokens)
    assert found(store, asked) == max((common(tokens, asked) for tokens in kept), default=0)
    beginnings = {tuple(tokens[:size]) for tokens in kept for size in range(1, len(tokens) + 1)}
    assert store.bytes == BYTES * len(beginnings)


@given(st.lists(st.tuples(Tokens, st.booleans()), max_size=20), st.integers(1, 12))
@settings(max_examples=150, deadline=None)
def test_the_budget_holds_after_every_step_and_what_is_found_is_right(
    steps: list[tuple[list[int], bool]], room: int
) -> None:
    store = PrefixStore(budget=room * BYTES)
    for tokens, asks in steps:
        if asks:
            found(store, tokens)
        else:
            keep(store, tokens)
        assert store.bytes <= store.budget


def test_what_was_not_used_for_the_longest_time_goes_first() -> None:
    store = PrefixStore(budget=7 * BYTES)
    persona = [1, 1, 1]
    keep(store, [*persona, 2, 2])
    keep(store, [*persona, 3, 3])
    assert found(store, [*persona, 2, 2]) == 5
    keep(store, [*persona, 4, 4])
    assert found(store, [*persona, 2, 2]) == 5
    assert found(store, [*persona, 4, 4]) == 5
    assert found(store, [*persona, 3, 3]) == 3


def test_what_is_forgotten_is_freed_also_where_it_was_kept_as_one_stretch_with_what_stays() -> None:
    store = PrefixStore(budget=6 * BYTES)
    keep(store, [1, 1, 1, 2, 2, 2])
    keep(store, [1, 1, 1, 3])
    assert found(store, [1, 1, 1, 3]) == 4
    assert found(store, [1, 1, 1, 2, 2, 2]) == 3
    assert all(rows[0].untyped_storage().nbytes() == rows[0].nbytes for _, _, rows in store.find([1, 1, 1, 3]))


def test_one_space_knows_nothing_of_another() -> None:
    store = PrefixStore(budget=10**6)
    keep(store, [1, 2, 3], space="acme")
    assert found(store, [1, 2, 3]) == 0
    assert found(store, [1, 2, 3], space="acme") == 3


def test_a_store_without_a_budget_keeps_nothing() -> None:
    store = PrefixStore(budget=0)
    keep(store, [1, 2, 3])
    assert (len(store), found(store, [1, 2, 3])) == (0, 0)
