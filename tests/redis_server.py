"""A Redis server of the tests' own, on a free port, keeping nothing on disk; killed and started again at will."""

import shutil
import signal
import subprocess
import tempfile
import time
from types import TracebackType

import redis

from tests.ports import Port


class RedisServer:
    """Use it with `with`. It starts anew on the port it had."""

    def __init__(self) -> None:
        found = shutil.which("redis-server")
        if found is None:
            raise FileNotFoundError("the tests need redis-server: install the package redis-server")
        self._program = found
        self._folder = tempfile.TemporaryDirectory(prefix="parley-redis-")
        self._process: subprocess.Popen[bytes] | None = None
        self._port = Port()
        self.port = self._port.number
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> "RedisServer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def client(self) -> "redis.Redis":
        return redis.Redis(port=self.port, socket_timeout=5)

    def start(self) -> None:
        """Returns once the server answers."""
        options = {"bind": "127.0.0.1", "port": self.port, "save": "", "appendonly": "no", "dir": self._folder.name}
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self._process = subprocess.Popen([self._program, *arguments], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not self._answers():
            if time.monotonic() > end or not self.running:
                raise ConnectionError(f"redis-server does not answer on port {self.port}")
            time.sleep(0.01)

    def kill(self) -> None:
        """As by kill -9: everything it had is gone."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It still holds its connections but answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        with self.client() as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
