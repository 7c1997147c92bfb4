"""The worker process: takes requests from its standard input, steps the scheduler, answers on its standard output.

It ends when its parent does, however that ends, and leaves Ctrl-C to it. Start it as `python -m bot.engine.worker`.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import fields
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

from bot.engine.protocol import HEADER, Cancel, Frame, Generate, Ready, Refused, Start, Stepped, decode, encode
from bot.engine.scheduler import Scheduler
from bot.engine.sequence import Sequence
from bot.engine.tokens import Detokenizer, read_tokenizer
from bot.errors import ModelRefused
from bot.types import Sampling


def main() -> int:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    source, sink = _pipes()
    inbox: SimpleQueue[Frame] = SimpleQueue()
    threading.Thread(target=_receive, args=(source, inbox), daemon=True).start()
    threading.Thread(target=_follow_parent, args=(os.getppid(),), daemon=True).start()
    start = inbox.get()
    if not isinstance(start, Start):
        return 2
    try:
        worker = _Worker(start, sink)
    except ModelRefused as error:
        _send(sink, Refused(message=str(error)))
        return 1
    worker.run(inbox)
    return 0


class _Worker:
    def __init__(self, start: Start, sink: BinaryIO) -> None:
        began = time.monotonic()
        from bot.engine.loading import load  # noqa: PLC0415 - importing torch takes seconds; the pipe is read meanwhile

        runner, device, threads = load(start)
        self._sink = sink
        self._ends = frozenset(start.ends)
        tokenizer = read_tokenizer(Path(start.folder) / "tokenizer.json")
        self._decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=True)
        self._scheduler = Scheduler(runner)
        dtype = "bfloat16" if start.dtype == "bfloat16" or (start.dtype, device.type) == ("auto", "cuda") else "float32"
        ready = Ready(
            device=str(device),
            dtype=dtype,
            threads=threads,
            slots=runner.slots,
            batched=runner.batched,
            seconds=round(time.monotonic() - began, 2),
        )
        _send(sink, ready)

    def run(self, inbox: "SimpleQueue[Frame]") -> None:
        while True:
            self._take(inbox, wait=self._scheduler.idle)
            report = self._scheduler.step()
            if report:
                _send(self._sink, Stepped(texts=report.texts, done=report.done, failed=report.failed))

    def _take(self, inbox: "SimpleQueue[Frame]", *, wait: bool) -> None:
        try:
            while True:
                frame = inbox.get(block=wait)
                wait = False
                if isinstance(frame, Generate):
                    self._scheduler.add(self._sequence(frame))
                elif isinstance(frame, Cancel):
                    self._scheduler.cancel(frame.id)
        except Empty:
            return

    def _sequence(self, frame: Generate) -> Sequence:
        known = {field.name for field in fields(Sampling)}
        values = {name: value for name, value in frame.sampling.items() if name in known}
        return Sequence(
            id=frame.id,
            prompt=frame.tokens,
            sampling=Sampling(**{**values, "stop": tuple(values["stop"])}),
            limit=frame.limit,
            ends=self._ends,
            text=Detokenizer(self._decode),
        )


def _pipes() -> tuple[BinaryIO, BinaryIO]:
    """Our ends of the pipes; whatever else prints goes to standard error, which the parent keeps."""
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a file descriptor is wanted
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return source, sink


def _send(sink: BinaryIO, frame: Frame) -> None:
    try:
        sink.write(encode(frame))
        sink.flush()
    except BrokenPipeError:
        os._exit(0)


def _receive(source: BinaryIO, inbox: "SimpleQueue[Frame]") -> None:
    while True:
        header = source.read(HEADER.size)
        if len(header) < HEADER.size:
            os._exit(0)  # the parent closed the pipe or is gone; the main thread may sit in a long forward
        inbox.put(decode(source.read(HEADER.unpack(header)[0])))


def _follow_parent(parent: int) -> None:
    """A second way to notice: another child of the parent may have inherited the pipe's other end."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
