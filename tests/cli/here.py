"""Runs a parley command within this process, which has imported torch already or does so once for all its tests.

For commands whose work is in question and not how they start, take signals and end.
"""

import os
import signal
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

import torch

from bot.cli import main
from tests.cli.terminal import Result


def parley_here(*arguments: str, cwd: Path) -> Result:
    out, err, code = StringIO(), StringIO(), 0
    threads, terminated = torch.get_num_threads(), signal.getsignal(signal.SIGTERM)
    try:
        with (
            chdir(cwd),
            redirect_stdout(out),
            redirect_stderr(err),
            mock.patch.object(sys, "argv", ["parley", *arguments]),
            mock.patch.dict(os.environ),
        ):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        torch.set_num_threads(threads)
        signal.signal(signal.SIGTERM, terminated)
    return Result(code, out.getvalue(), err.getvalue())
