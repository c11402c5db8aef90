"""A linha de comando: `bling-collector`."""

from bling_collector.cli.entry import main

__all__ = ["main"]
