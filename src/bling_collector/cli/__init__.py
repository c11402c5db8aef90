"""A linha de comando: `bling-collector`."""

from bling_collector.cli.process.entry import main

__all__ = ["main"]
