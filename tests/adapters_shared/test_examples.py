"""The examples in docstrings are true."""

import doctest
from types import ModuleType

import pytest

from adapters.shared import chunking
from adapters.shared.markup import discord, incoming, partial, slack


@pytest.mark.parametrize("module", [chunking, discord, incoming, partial, slack])
def test_examples_hold(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed
