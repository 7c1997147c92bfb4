"""A training in a process of its own, which a signal may end; forked from one that has imported all it needs."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(
    ["bot.evaluation.figures", "bot.training.run", "transformers.models.llama.modeling_llama"]
)


def run_once(out: Path, *, end_at: int | None = None, how: signal.Signals = signal.SIGKILL, **options: Any) -> int:
    """The exit code of `train` in `out`; with `end_at` the signal comes once that step stands in the log."""
    process = _forks.Process(target=_train, args=(out, end_at, how, options), daemon=True)
    process.start()
    process.join(timeout=240)
    assert process.exitcode is not None, "it goes on and on"
    return process.exitcode


def _train(out: Path, end_at: int | None, how: signal.Signals, options: dict[str, Any]) -> None:
    from bot.evaluation.figures import figures
    from bot.training import progress, run

    log = progress.PhaseMeter.log

    def ended(self: progress.PhaseMeter, figures: Any) -> None:
        log(self, figures)
        if figures["step"] == end_at:
            os.kill(os.getpid(), how)

    progress.PhaseMeter.log = ended  # type: ignore[method-assign]
    sys.exit(0 if run.train(out=out, measure=figures, **options) else 130)
