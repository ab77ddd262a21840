"""Where dbt runs.

With every engine the work file holds the loads, the estimates and what is published.
"""

from __future__ import annotations

from loyalty.build.engines.engine import DuckDbEngine, Engine
from loyalty.common.settings import Settings

__all__ = ["Engine", "engine_of"]


def engine_of(settings: Settings) -> Engine:
    """The engine that the workspace has chosen."""
    if settings.engine == "spark":
        from loyalty.build.engines.spark import SparkEngine

        return SparkEngine(settings.spark, settings.spark_warehouse, settings.landing, settings.home / "logs")
    return DuckDbEngine()
