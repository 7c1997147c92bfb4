"""The replicas as Ray Serve deploys them."""

from typing import Any

from ray import serve
from ray.serve.config import AutoscalingConfig, BackpressureConfig, RequestRouterConfig
from ray.serve.schema import LoggingConfig

from adapters.openai.problems import RETRY_SECONDS
from adapters.ray.replica import Replica
from adapters.ray.settings import RaySettings
from bot.ports import OpenEngine

NAME = "engine"
BY_SESSION = "ray.serve.experimental.consistent_hash_router.ConsistentHashRouter"
"""Sends requests of one `X-Session-ID` to one replica, whose cache holds how they begin; those without it anywhere."""
STARTS = 3
"""How often in a row a replica may fail to start before the deployment fails."""
QUIET = LoggingConfig(log_level="WARNING", enable_access_log=False)
LOOKS = 2.0
"""Seconds between two looks at whether a replica that is to end has anything under way."""


def application(settings: RaySettings, engine: OpenEngine) -> serve.Application:
    """`engine` travels to the replicas, so it must be a function that they can import."""
    return deployment(settings).bind(settings, engine)


def deployment(settings: RaySettings) -> serve.Deployment:
    scaling: dict[str, Any] = {"num_replicas": settings.replicas}
    if settings.most is not None:
        scaling = {
            "autoscaling_config": AutoscalingConfig(
                min_replicas=settings.replicas,
                max_replicas=settings.most,
                target_ongoing_requests=settings.busy,
                downscale_delay_s=settings.idle_seconds,
            )
        }
    return serve.deployment(
        serve.ingress()(Replica),
        name=NAME,
        ray_actor_options={"num_cpus": settings.cpus, "num_gpus": settings.gpus},
        max_ongoing_requests=settings.at_once,
        max_queued_requests=settings.queue,
        backpressure_config=BackpressureConfig(status_code=429, retry_after_s=RETRY_SECONDS),
        request_router_config=RequestRouterConfig(request_router_class=BY_SESSION),
        health_check_period_s=settings.health_seconds,
        graceful_shutdown_wait_loop_s=LOOKS,
        graceful_shutdown_timeout_s=settings.grace_seconds,
        max_constructor_retry_count=STARTS,
        logging_config=QUIET,
        **scaling,
    )
