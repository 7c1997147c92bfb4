"""Fetches a model from the Hugging Face hub, or finds it in the local cache, with the hub's own client.

The client runs in a process of its own, so that it can be stopped in the middle and shows its progress as it likes.
"""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

from bot.engine.spawn import environment
from bot.errors import ModelRefused

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
_WANTED = ("*.safetensors", "*.json", "*.jinja")


def is_hub_id(text: str) -> bool:
    """Whether the text has the form `owner/name`."""
    return bool(_ID.fullmatch(text)) and ".." not in text


async def fetch(model: str) -> Path:
    """The folder with the model's newest snapshot. Raises ModelRefused in one line, soon where the hub is away."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "bot.engine.hub",
        model,
        stdout=asyncio.subprocess.PIPE,
        env=environment({"HF_HUB_ETAG_TIMEOUT": os.environ.get("HF_HUB_ETAG_TIMEOUT", "5")}),
    )
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        answer = json.loads(out)
    except ValueError:
        raise ModelRefused(f"fetching {model!r} from the hub broke off; try again") from None
    if "refused" in answer:
        raise ModelRefused(answer["refused"])
    return Path(answer["folder"])


def _download(model: str) -> dict[str, str]:
    from huggingface_hub import errors, snapshot_download  # noqa: PLC0415 - only this process needs it

    here = f"there is no folder {model!r}, and the Hugging Face hub"
    try:
        return {"folder": snapshot_download(model, allow_patterns=list(_WANTED))}
    except errors.GatedRepoError:
        return {
            "refused": f"the hub gives {model!r} only to those who accepted its terms; accept, then `hf auth login`"
        }
    except errors.RepositoryNotFoundError:
        return {"refused": f"{here} has no model of this name that you may see; check the spelling"}
    except Exception as error:  # noqa: BLE001 - network faults come in every type; each becomes one line
        why = "is switched off (HF_HUB_OFFLINE)" if os.environ.get("HF_HUB_OFFLINE") else "does not answer"
        kind = type(error).__name__
        return {"refused": f"{here} {why} ({kind}); name a folder, or try again with a connection"}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_download(sys.argv[1])))
