"""Runs `parley` commands: a process that has imported everything and forks, so that a command is there at once.

What a fork of it does differs from the real command in nothing that a command could see: the same function runs in a
process of its own with its own arguments, folder, environment, import path, standard streams, signals and exit code.
What the environment tells Python itself as it starts comes too late for a fork; `tests.commands` knows.

Each command comes with four open files: a conversation, and its standard input, output and error. The server reads a
line of JSON from the conversation and answers with the process id, and at its end with the exit code, 4 bytes each; a
byte it is sent is the number of a signal for the command. A command whose conversation is closed is killed.
"""

import gc
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

IMPORTED = (
    "adapters.console",
    "adapters.discord",
    "adapters.openai",
    "adapters.slack",
    "adapters.web",
    "alembic.command",
    "bot.app",
    "bot.cli",
    "bot.cli.logs",
    "bot.cli.serving",
    "bot.engine",
    "bot.engine.remote",
    "bot.evaluation",
    "bot.jobs",
    "bot.models",
    "bot.ratings",
    "storage.local",
    "storage.redis",
    "storage.sql",
    "storage.sql.migrations",
    "uvicorn",
    "uvloop",
)
NUMBER = struct.Struct("!i")


def serve(control: socket.socket) -> None:
    """Fork for each command; returns in the fork. In the server itself it returns never."""
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    running: dict[int, socket.socket] = {}
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(reading, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is control:
                _, files, _, _ = socket.recv_fds(control, 1, 4)
                if not files:
                    for pid in running:
                        os.kill(pid, signal.SIGKILL)
                    os._exit(0)
                conversation = socket.socket(fileno=files[0])
                orders = json.loads(conversation.makefile("rb").readline())
                pid = os.fork()
                if not pid:
                    selector.close()
                    for ours in (control, reading, writing, conversation, *running.values()):
                        ours.close()
                    become(files[1:], **orders)
                    return
                for file in files[1:]:
                    os.close(file)
                running[pid] = conversation
                selector.register(conversation, selectors.EVENT_READ, pid)
                conversation.sendall(NUMBER.pack(pid))
            elif key.fileobj is reading:
                reading.recv(64)
                reap(running, selector)
            elif key.data in running:
                sent = running[key.data].recv(1)
                os.kill(key.data, sent[0] if sent else signal.SIGKILL)
                if not sent:
                    selector.unregister(key.fileobj)


def reap(running: dict[int, socket.socket], selector: selectors.BaseSelector) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        conversation = running.pop(pid)
        if conversation in selector.get_map():
            selector.unregister(conversation)
            with suppress(BrokenPipeError):
                conversation.sendall(NUMBER.pack(os.waitstatus_to_exitcode(status)))
        conversation.close()


def become(files: Sequence[int], *, arguments: list[str], folder: str, environment: Mapping[str, str]) -> None:
    """Turn the fork into the command."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    before = paths(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.path[1 : 1 + len(before)] = paths(environment)
    invalidate_caches()
    sys.argv = arguments


def paths(environment: Mapping[str, str]) -> list[str]:
    return [str(Path(path).absolute()) for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]


def imported() -> Any:
    """The command's entry, with all that it will need."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in IMPORTED:
            import_module(name)
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a process with threads cannot be forked"
    assert "torch" not in sys.modules, "torch starts threads once it computes"
    gc.collect()
    gc.freeze()
    return import_module("bot.cli").main


if __name__ == "__main__":
    sys.path[0] = str(Path(sys.executable).parent)  # as it is for the script `parley`
    main = imported()
    opened = socket.socket(fileno=int(sys.argv[1]))
    opened.sendall(b"!")
    serve(opened)
    sys.exit(main())
