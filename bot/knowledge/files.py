"""Which files of a source may be read: inside it, regular, of a known kind, within the limits."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from bot.knowledge.documents import READERS, BadDocument


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one source: bytes a file, bytes and files in all, and seconds to read what changed."""

    file_bytes: int = 5 * 2**20
    source_bytes: int = 200 * 2**20
    files: int = 5_000
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A file or folder that is not searched, and why."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Found:
    """A readable file: its real path, and a signature that changes when it is written."""

    path: Path
    signature: tuple[int, int, int, int]


@dataclass(slots=True)
class Scan:
    """What a source holds, by path below it (empty where the source is a file)."""

    files: dict[str, Found] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def scan(source: Path, limits: Limits) -> Scan:
    """Look through a source; only file attributes are read. Hidden files are left out, links lead nowhere outside."""
    result = Scan()
    try:
        root = source.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        result.problems[""] = f"cannot be read: {_why(error)}"
        return result
    if not root.is_dir():
        _look(root, "", root.parent, limits, result)
        return result
    total = 0
    for folder, folders, names in os.walk(root, onerror=lambda error: _unreadable(error, root, result)):
        _skip_links(Path(folder), folders, root, result)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):
                continue
            path = Path(folder) / name
            relative = path.relative_to(root).as_posix()
            if len(result.files) >= limits.files:
                result.problems[relative] = f"over the limit of {limits.files} files; this and later ones are left out"
                return result
            found = _look(path, relative, root, limits, result)
            total += found.signature[0] if found else 0
            if total > limits.source_bytes:
                del result.files[relative]
                result.problems[relative] = f"over {limits.source_bytes} bytes in all; this and later ones are left out"
                return result
    return result


def _look(path: Path, relative: str, root: Path, limits: Limits, result: Scan) -> Found | None:
    try:
        real = path.resolve(strict=True)
        about = real.stat()
    except (OSError, RuntimeError) as error:
        result.problems[relative] = f"cannot be read: {_why(error)}"
        return None
    if not real.is_relative_to(root):
        result.problems[relative] = "a link that leads out of its source: copy the file instead"
    elif not stat.S_ISREG(about.st_mode):
        result.problems[relative] = "not a regular file"
    elif path.suffix.lower() not in READERS:
        result.problems[relative] = f"{path.suffix or 'no ending'} is no known kind; known are {', '.join(READERS)}"
    elif about.st_size > limits.file_bytes:
        result.problems[relative] = f"{about.st_size} bytes, over the limit of {limits.file_bytes}: split it"
    else:
        found = Found(real, (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino))
        result.files[relative] = found
        return found
    return None


def _skip_links(folder: Path, folders: list[str], root: Path, result: Scan) -> None:
    for name in [name for name in folders if (folder / name).is_symlink()]:
        folders.remove(name)
        result.problems[(folder / name).relative_to(root).as_posix()] = "a linked folder: copy it instead"


def _unreadable(error: OSError, root: Path, result: Scan) -> None:
    where = Path(error.filename).relative_to(root).as_posix() if error.filename else ""
    result.problems["" if where == "." else where] = f"cannot be read: {_why(error)}"


def _why(error: OSError | RuntimeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def load(found: Found, limits: Limits) -> bytes:
    """The file's bytes. Raises BadDocument, also where it grew or was swapped for a link since the scan."""
    try:
        descriptor = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadDocument("not a regular file")
            data = file.read(limits.file_bytes + 1)
    except OSError as error:
        raise BadDocument(f"cannot be read: {_why(error)}") from error
    if len(data) > limits.file_bytes:
        raise BadDocument(f"over the limit of {limits.file_bytes} bytes: split it")
    return data
