"""The worker process: takes requests from its standard input, steps the scheduler, answers on its standard output.

It ends when its parent does, however that ends, and leaves Ctrl-C to it. Start it as `python -m bot.engine.worker`.
"""

import os
import signal
import sys
import threading
import time
from dataclasses import astuple
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import BinaryIO

from bot.engine.constraints import Constraints
from bot.engine.protocol import (
    HEADER,
    Cancel,
    Frame,
    Generate,
    Ready,
    Refused,
    Start,
    Stepped,
    decode,
    encode,
    sampling_of,
)
from bot.engine.scheduler import Report, Scheduler
from bot.engine.sequence import Sequence
from bot.engine.tokens import Detokenizer, read_tokenizer
from bot.errors import ModelRefused, RequestRefused
from bot.imports import uncollected


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
        with uncollected():  # loading imports too: the model's own classes
            from bot.engine.loading import load  # noqa: PLC0415 - torch takes seconds; the pipe is read meanwhile

            loaded = load(start)
        self._sink = sink
        self._ends = frozenset(start.ends)
        path = Path(start.folder) / "tokenizer.json"
        tokenizer = read_tokenizer(path)
        self._constraints = Constraints(path, ends=self._ends)
        self._decode = lambda ids: tokenizer.decode(ids, skip_special_tokens=True)
        self._scheduler = Scheduler(loaded.runner)
        ready = Ready(
            device=str(loaded.device),
            dtype=loaded.dtype,
            threads=loaded.threads,
            slots=loaded.runner.slots,
            batched=loaded.runner.batched,
            running=loaded.runner.running,
            kept=loaded.runner.kept,
            seconds=round(time.monotonic() - began, 2),
        )
        _send(sink, ready)

    def run(self, inbox: "SimpleQueue[Frame]") -> None:
        while True:
            self._take(inbox, wait=self._scheduler.idle)
            self._tell(self._scheduler.told())
            self._tell(self._scheduler.step())

    def _tell(self, report: Report) -> None:
        if report:
            texts = [(id_, text, [astuple(chance) for chance in chances]) for id_, text, chances in report.texts]
            done, failed, refused = report.done, report.failed, report.refused
            _send(self._sink, Stepped(texts=texts, done=done, failed=failed, refused=refused))

    def _take(self, inbox: "SimpleQueue[Frame]", *, wait: bool) -> None:
        try:
            while True:
                frame = inbox.get(block=wait)
                wait = False
                if isinstance(frame, Generate):
                    self._add(frame)
                elif isinstance(frame, Cancel):
                    self._scheduler.cancel(frame.id)
        except Empty:
            return

    def _add(self, frame: Generate) -> None:
        sampling = sampling_of(frame.sampling)
        try:
            sequence = Sequence(
                id=frame.id,
                prompt=frame.tokens,
                sampling=sampling,
                limit=frame.limit,
                ends=self._ends,
                text=Detokenizer(self._decode),
                adapter=frame.adapter,
                constraint=self._constraints.matcher(sampling.constraint) if sampling.constraint else None,
            )
        except RequestRefused as error:
            self._scheduler.refuse(frame.id, str(error))
        else:
            self._scheduler.add(sequence)


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
