"""Notices that something changed in folders, by the system's events and, where these fail, by looking now and then."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

from watchfiles import Change, awatch

from bot.personas.folders import is_persona_file

LOOK_EVERY = 5.0

_DEBOUNCE_MS = 400
_STEP_MS = 50
_IGNORED_FOLDERS = frozenset({".git", ".hg", ".svn", "__pycache__", ".idea", ".vscode"})
_IGNORED_ENDINGS = ("~", ".swp", ".swx", ".tmp", ".part")


async def changes_in(folders: Sequence[Path]) -> AsyncGenerator[bool, None]:
    """Yield whenever the folders should be read again: after changes, and every 5 s in any case.

    True where a file changed that is no persona, such as a document of the knowledge, or may have changed unseen.
    Folders may come, go and be replaced meanwhile.
    """
    unseen = False
    while True:
        roots = _identities(folders)
        if not roots:
            await asyncio.sleep(LOOK_EVERY)
            unseen = True
            yield False
            continue
        homes = {root.resolve() for root in roots}
        watch = awatch(
            *roots,
            watch_filter=_matters,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=int(LOOK_EVERY * 1000),
            yield_on_timeout=True,
        )
        async with aclosing(watch) as seen:
            async for changes in seen:
                paths = [Path(path) for _, path in changes]
                yield unseen or any(not is_persona_file(path) or path.parent.resolve() not in homes for path in paths)
                # A folder made anew may get the number of the old one, whose watch has ended with it.
                unseen = _identities(folders) != roots or not homes.union(roots).isdisjoint(paths)
                if unseen:
                    break


def _matters(_: Change, path: str) -> bool:
    parts = Path(path).parts
    return not parts[-1].endswith(_IGNORED_ENDINGS) and _IGNORED_FOLDERS.isdisjoint(parts)


def _identities(folders: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """The folders that exist, each with what tells it from another one put in its place."""
    found: dict[Path, tuple[int, int]] = {}
    for folder in folders:
        try:
            status = folder.stat()
        except OSError:
            continue
        found[folder] = (status.st_dev, status.st_ino)
    return found
