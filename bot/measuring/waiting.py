"""One at a time: from how long each answer takes alone follows how long others wait for their turn."""

import heapq
from dataclasses import replace

from bot.measuring.answers import Answer, Ran
from bot.measuring.workloads import Workload


def queued(measured: Ran, workload: Workload) -> Ran:
    """The workload's answers, first asked first answered.

    `measured` are the same kind of conversations answered alone, turn by turn; where the workload has more of them,
    they stand for those too.
    """
    single = measured.answers
    found: list[list[Answer]] = [[] for _ in workload.conversations]
    asked = [(conversation.start, number, 0) for number, conversation in enumerate(workload.conversations)]
    heapq.heapify(asked)
    free = 0.0
    while asked:
        at, number, turn = heapq.heappop(asked)
        conversation = workload.conversations[number]
        if conversation.grows:
            alone = measured.conversations[number % len(measured.conversations)][turn]
        else:
            alone = single[(number + turn) % len(single)]
        begun = max(at, free)
        came = tuple(begun + time - alone.asked for time in alone.came)
        free = came[-1] if came else begun
        found[number].append(replace(alone, asked=at, came=came))
        if turn + 1 < len(conversation.turns):
            heapq.heappush(asked, (free, number, turn + 1))
    return Ran(found, measured.memory, _computed(measured, found))


def _computed(measured: Ran, found: list[list[Answer]]) -> float | None:
    """As much for each new token as those measured took."""
    new = sum(answer.new_tokens for answer in measured.answers)
    if measured.computed is None or not new:
        return None
    return measured.computed / new * sum(answer.new_tokens for answers in found for answer in answers)
