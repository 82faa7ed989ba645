"""Builds the real object graph, each part on first use, and closes it. One runtime per process."""

from services.runtime.current import get_runtime, use_runtime
from services.runtime.money import Runtime

__all__ = ["Runtime", "get_runtime", "use_runtime"]
