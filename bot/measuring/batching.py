"""transformers' continuous batching. Run as `python -m bot.measuring.batching` by `rivals`."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

from transformers import ContinuousBatchingConfig, GenerationConfig

from bot.measuring.child import Clock, Runs, answer, serve

_PAGE = 256
_BATCH = 512
"""Most tokens of one forward; by default thousands, whose attention mask alone takes gigabytes."""


def opened(model: Any) -> Runs:
    def runs(plan: dict[str, Any], told: Callable[[], None]) -> list[dict[str, Any]]:
        return asyncio.run(_all(model, plan, told))

    return runs


async def _all(model: Any, plan: dict[str, Any], told: Callable[[], None]) -> list[dict[str, Any]]:
    rows = len(plan["conversations"])
    blocks = rows * -(-plan["longest"] // _PAGE) + 1
    settings = ContinuousBatchingConfig(
        page_size=_PAGE, num_blocks=blocks, max_batch_tokens=_BATCH, max_requests_per_batch=max(rows, 2)
    )
    wanted = GenerationConfig(max_new_tokens=plan["new"], do_sample=False, eos_token_id=-1, pad_token_id=0)
    found: list[dict[str, Any]] = []
    with model.continuous_batching_context_manager(
        generation_config=wanted, continuous_batching_config=settings
    ) as manager:
        clock = Clock()

        async def converse(number: int, conversation: dict[str, Any]) -> None:
            await asyncio.sleep(conversation["start"])
            said: list[int] = []
            for place, turn in enumerate(conversation["turns"]):
                prompt = [*said, *turn] if conversation["grows"] else turn
                asked = clock()
                new, came = await _answer(manager, f"{number}-{place}", prompt, plan["new"], clock)
                said = [*prompt, *new]
                found.append(answer(number, prompt, new, asked=asked, came=came))
                told()

        async with asyncio.TaskGroup() as group:
            for number, conversation in enumerate(plan["conversations"]):
                group.create_task(converse(number, conversation))
    return found


async def _answer(manager: Any, name: str, prompt: list[int], new: int, clock: Clock) -> tuple[list[int], list[float]]:
    came: list[float] = []
    over: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()

    def take(output: Any) -> None:
        came.extend([clock()] * (len(output.generated_tokens) - len(came)))
        if output.error is not None:
            over.set_exception(RuntimeError(output.error))
        elif output.is_finished():
            over.set_result(list(output.generated_tokens))

    manager.register_result_handler(name, take)
    manager.add_request(prompt, request_id=name, max_new_tokens=new, streaming=True)
    return await over, came


if __name__ == "__main__":
    sys.exit(serve(opened))
