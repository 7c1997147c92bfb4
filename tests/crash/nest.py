"""Hatches replicas: a process that has imported everything and forks, so that a new one is there in milliseconds.

It reads orders from its input, a line of JSON each, and writes `<pid>` for each replica that began and
`<pid> <status>` for each that ended. It ends, and its replicas with it, when its input does.
"""

import json
import os
import selectors
import signal
import socket
import sys
import traceback

from tests.crash.replica import Orders, main


def hatch(orders: Orders) -> int:
    pid = os.fork()
    if pid:
        return pid
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(orders.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    status = 1
    try:
        main(orders)
        status = 0
    except BaseException:  # noqa: BLE001 - whatever ends a replica is told in its log, and ends this process alone
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


def tell(*words: int) -> None:
    print(*words, flush=True)


def watch() -> None:
    alive: set[int] = set()
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    signal.set_wakeup_fd(writing.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(sys.stdin, selectors.EVENT_READ)
    selector.register(reading, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is reading:
                reading.recv(64)
                _reap(alive)
            elif line := sys.stdin.readline():
                pid = hatch(Orders(**json.loads(line)))
                alive.add(pid)
                tell(pid)
            else:
                for pid in alive:
                    os.kill(pid, signal.SIGKILL)
                return


def _reap(alive: set[int]) -> None:
    while alive:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        alive.remove(pid)
        tell(pid, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    watch()
