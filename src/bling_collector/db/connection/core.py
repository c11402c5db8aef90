"""O motor assíncrono do SQLAlchemy sem o ORM, que ninguém aqui usa e que atrasaria o começo de cada comando."""

import importlib
import importlib.util
import sys

_PACKAGE = "sqlalchemy.ext.asyncio"

if _PACKAGE not in sys.modules and (_spec := importlib.util.find_spec(_PACKAGE)):
    # É o `__init__` do pacote que traz o ORM; com um vazio no lugar dele, só o motor é carregado. Quem depois
    # importar o pacote recebe o inteiro, com este mesmo motor.
    sys.modules[_PACKAGE] = importlib.util.module_from_spec(_spec)
    importlib.import_module(f"{_PACKAGE}.engine")
    del sys.modules[_PACKAGE]

from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine  # noqa: E402 — só depois do que está acima

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
