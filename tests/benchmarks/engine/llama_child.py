"""llama.cpp as a rival, many sequences at once. Run by llama.cpp's own environment; see `bot.measuring.child`.

One batch a step, as llama.cpp's server makes it: a token of every answer under way, then as much of the waiting prompts
as fits. A conversation keeps its keys and values from turn to turn.
"""

import json
import os
import sys
import time
from typing import Any

import llama_cpp
import numpy as np

BATCH = 2048


class Row:
    """A conversation in its sequence: `pending` tokens go behind the `length` that are there."""

    def __init__(self, number: int, plan: dict[str, Any]) -> None:
        self.number = number
        self.start = plan["start"]
        self.grows = plan["grows"]
        self.turns = list(plan["turns"])
        self.said: list[int] = []
        self.length = 0
        self.pending: list[int] = []
        self.asked = 0.0
        self.prompt = 0
        self.kept = 0
        self.new: list[int] = []
        self.came: list[float] = []

    def ask(self, now: float) -> bool:
        """Begin the next turn; False where there is none."""
        if not self.turns:
            return False
        turn = self.turns.pop(0)
        prompt = [*self.said, *turn] if self.grows else turn
        self.kept = self.length if self.grows else 0
        self.pending = prompt[self.kept :]
        self.prompt, self.asked, self.new, self.came, self.said = len(prompt), now, [], [], prompt
        return True


class Model:
    def __init__(self, asked: dict[str, Any]) -> None:
        llama_cpp.llama_backend_init()
        self._silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(self._silent, None)
        self._model = llama_cpp.llama_model_load_from_file(
            asked["file"].encode(), llama_cpp.llama_model_default_params()
        )
        if not self._model:
            raise RuntimeError(f"{asked['file']} cannot be loaded")
        settings = llama_cpp.llama_context_default_params()
        settings.n_seq_max = asked["rows"]
        settings.n_ctx = asked["rows"] * asked["context"]
        settings.n_batch = BATCH
        settings.n_threads = settings.n_threads_batch = asked["threads"]
        self._context = llama_cpp.llama_init_from_model(self._model, settings)
        self._size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self._model))
        self._batch = llama_cpp.llama_batch_init(BATCH, 0, 1)

    def forget(self, row: int) -> None:
        llama_cpp.llama_memory_seq_rm(llama_cpp.llama_get_memory(self._context), row, -1, -1)

    def step(self, rows: list[Row]) -> list[tuple[Row, int]]:
        """Those whose next token is known now."""
        batch, asked = self._batch, []
        batch.n_tokens = 0
        for row in sorted(rows, key=lambda row: (not row.new, row.asked, row.number)):
            count = min(len(row.pending), BATCH - batch.n_tokens)
            for place in range(count):
                at = batch.n_tokens
                batch.token[at], batch.pos[at] = row.pending[place], row.length + place
                batch.n_seq_id[at], batch.seq_id[at][0] = 1, row.number
                batch.logits[at] = place + 1 == len(row.pending)
                batch.n_tokens += 1
            row.length += count
            row.pending = row.pending[count:]
            if count and not row.pending:
                asked.append((row, batch.n_tokens - 1))
        if llama_cpp.llama_decode(self._context, batch):
            raise RuntimeError("llama_decode failed")
        return [(row, self._best(at)) for row, at in asked]

    def _best(self, at: int) -> int:
        logits = llama_cpp.llama_get_logits_ith(self._context, at)
        return int(np.ctypeslib.as_array(logits, shape=(self._size,)).argmax())


def run(model: Model, plan: dict[str, Any], say: Any) -> list[dict[str, Any]]:
    began, found = time.perf_counter(), []
    waiting = [Row(number, conversation) for number, conversation in enumerate(plan["conversations"])]
    active: list[Row] = []
    while waiting or active:
        now = time.perf_counter() - began
        while waiting and waiting[0].start <= now:
            row = waiting.pop(0)
            model.forget(row.number)
            row.ask(max(row.start, 0.0))
            active.append(row)
        if not active:
            time.sleep(max(0.0, waiting[0].start - now))
            continue
        for row, token in model.step(active):
            row.new.append(token)
            row.came.append(time.perf_counter() - began)
            row.pending = [token]
            if len(row.new) == plan["new"]:
                found.append(answer(row))
                say(answered=1)
                end(model, row, active)
    return found


def end(model: Model, row: Row, active: list[Row]) -> None:
    """The answer is whole: its last token is read with the next turn."""
    row.said, row.pending = row.said + row.new, []
    if not row.grows:
        model.forget(row.number)
        row.length = 0
    if not row.ask(row.came[-1]):
        active.remove(row)


def answer(row: Row) -> dict[str, Any]:
    return {
        "conversation": row.number, "asked": row.asked, "came": row.came, "prompt_tokens": row.prompt,
        "new_tokens": len(row.new), "cached_tokens": row.kept, "tokens": row.new,
    }  # fmt: skip


def main() -> None:
    sink = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)

    def say(**values: Any) -> None:
        sink.write(json.dumps(values) + "\n")

    model = Model(json.loads(sys.stdin.readline()))
    say(ready=True)
    for line in sys.stdin:
        before = time.process_time()
        answers = run(model, json.loads(line), say)
        with open("/proc/self/status", encoding="utf-8") as status:  # noqa: PTH123 - this runs outside the project
            memory = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))
        say(answers=answers, memory=memory, computed=time.process_time() - before)


if __name__ == "__main__":
    main()
