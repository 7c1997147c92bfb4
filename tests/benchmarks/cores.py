"""Servers on one core, their visitors on another, where the machine has two."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def core(number: int) -> Iterator[None]:
    """What is started within runs on that core alone."""
    all_of_them = os.sched_getaffinity(0)
    if len(all_of_them) < 2:
        yield
        return
    os.sched_setaffinity(0, {sorted(all_of_them)[number]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, all_of_them)
