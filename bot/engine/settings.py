"""What the operator chooses about the local engine."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class EngineSettings(BaseModel):
    """The section `engine` of parley.yaml. Every number is a bound: nothing the engine holds grows past it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)] = "starter"
    """`starter` (in the package), a folder, or a hub id such as `Qwen/Qwen3-0.6B`."""

    adapters: dict[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]] = {}
    """LoRA adapters of the model, by the names that personas give (`model.adapter`), with their folders."""

    device: Literal["auto", "cpu", "cuda"] = "auto"

    dtype: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    """`auto` is bfloat16 on a GPU; on the CPU int8 from 50 million parameters on, float32 below."""

    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """CPU threads of the worker. None: one, or as many more as make it faster when it starts, which it tries out."""

    slots: Annotated[int, Field(ge=1, le=256)] = 8
    """Conversations decoded at once; lowered at start where memory does not hold their caches."""

    queue: Annotated[int, Field(ge=0, le=10_000)] = 64
    """Requests that may wait beyond the slots; one more is told that the engine is busy."""

    deadline: Annotated[float, Field(gt=0, le=86_400)] = 120.0
    """Seconds a request may take in all: waiting, loading and answering."""

    context: Annotated[int, Field(ge=16)] | None = None
    """Most tokens of a prompt and its answer. None: the model's own context, at most 8,192."""

    prefill_chunk: Annotated[int, Field(ge=1, le=8_192)] = 128
    """Most prompt tokens read in one step, so that a long prompt does not hold up running answers."""

    prefix_cache: Annotated[int, Field(ge=0, le=1_048_576)] | None = None
    """MiB for the keys and values of personas and past turns, so that a prompt that begins alike is read faster;
    0 is off. None: what the slots take, at most a quarter of the free memory."""

    thinking: bool = False
    """Whether a model that can think aloud first (Qwen3 and its like) does so."""

    grounded_answers: Literal["auto", "model", "quotes"] = "auto"
    """Who answers where passages were found: the model under the guard, or the best passage in its own words.
    `auto` follows the model folder's `parley.json`, which training writes by its release rule; `model` without one."""
