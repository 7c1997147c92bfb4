"""Which files are personas: the `.yaml` and `.yml` files right inside a folder; knowledge lies deeper."""

from pathlib import Path

ENDINGS = (".yaml", ".yml")


def is_persona_file(path: Path) -> bool:
    """By its name alone; hidden files and what editors leave behind are none."""
    return path.suffix in ENDINGS and not path.name.startswith((".", "#", "~"))


def persona_files(folder: Path) -> tuple[Path, ...]:
    """In the order of their names. Raises OSError where the folder cannot be listed."""
    return tuple(sorted(path for path in folder.iterdir() if is_persona_file(path) and path.is_file()))
