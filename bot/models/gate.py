"""Whether a model may take the place of the one that answers."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.checks import Checked
from bot.errors import ConfigError

COMPARISON = "parley.comparison/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`said` is one line; `why` are the checks that the candidate loses."""

    passed: bool
    said: str
    why: tuple[str, ...] = ()


def judge(current: Sequence[Checked], candidate: Sequence[Checked]) -> Verdict:
    """The candidate passes where it fails no check that the current model passes. Both were asked the same."""
    pairs = list(zip(current, candidate, strict=True))
    lost = [new for old, new in pairs if old.passed and not new.passed]
    now, before = (sum(one.passed for one in asked) for asked in (candidate, current))
    counts = f"{now} of {len(pairs)} checks, {before} before"
    return Verdict(
        passed=not lost,
        said=f"passes {counts}" if not lost else f"passes {counts}, and fails {len(lost)} that pass now",
        why=tuple(f"{one.persona}: {one.question} {'; '.join(one.wrong)}" for one in lost),
    )


def read_comparison(path: Path, *, candidate: str) -> Verdict:
    """What `parley eval CURRENT CANDIDATE` wrote of it. Raises ConfigError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known, second = found["format"] == COMPARISON, str(found["second"])
        verdict = Verdict(passed=bool(found["gate"]["passed"]), said=str(found["gate"]["verdict"]))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no comparison that `parley eval` wrote") from error
    if not known:
        raise ConfigError(f"{path} is of another version of `parley eval`; compare the models again")
    if second != Path(candidate).name:
        raise ConfigError(f"{path} is about {second!r}, not about {Path(candidate).name!r}")
    return verdict
