"""What `serve` in parley.yaml may say with `use: ray`."""

from typing import Annotated

from pydantic import Field, model_validator

from adapters.openai import ServeSettings

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class RaySettings(ServeSettings):
    """Beside what the engine's server has. Times are in seconds; `host` and `port` count for `parley serve-engine`
    alone, a cluster has its own."""

    replicas: Annotated[int, Field(ge=1, le=1000)] = 2
    """Engines at the start, and the fewest."""

    most: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Up to so many where there is much to do. None: always `replicas`."""

    busy: Annotated[float, Field(gt=0, le=10_000)] = 4.0
    """Requests under way in a replica, on average, from which on more replicas are started."""

    idle_seconds: Seconds = 300.0
    """For how long there must be less to do before a replica is ended."""

    at_once: Annotated[int, Field(ge=1, le=100_000)] = 16
    """Requests that one replica takes; a conversation whose replica has so many is answered by another."""

    queue: Annotated[int, Field(ge=0, le=100_000)] = 256
    """Requests that may wait for a replica; one more is told that the engine is busy."""

    cpus: Annotated[float, Field(ge=0, le=1024)] = 1.0
    gpus: Annotated[float, Field(ge=0, le=64)] = 0.0
    """What Ray sets aside for each replica; with 0 GPUs it sees none."""

    health_seconds: Seconds = 10.0
    """Between two looks at whether a replica's engine is well; not well three times, it is started anew."""

    grace_seconds: Annotated[float, Field(ge=0, le=86_400)] = 20.0
    """For answers under way in a replica that is to end."""

    @model_validator(mode="after")
    def _in_order(self) -> "RaySettings":
        if self.most is not None and self.most < self.replicas:
            raise ValueError(f"most is {self.most} but replicas is {self.replicas}; it is the larger of the two")
        return self
