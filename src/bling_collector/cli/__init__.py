"""A linha de comando: `bling-collector`."""

from bling_collector.cli.commands import main

__all__ = ["main"]
