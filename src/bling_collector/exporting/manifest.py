"""`manifesto.json`: o que uma exportação tem. Quem o segue vê sempre uma só, inteira."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from bling_collector.db.extracts import Column, Part
from bling_collector.empresa import Empresa
from bling_collector.errors import UsageError

NAME: Final = "manifesto.json"
FILE: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}/(?:\d{4}-\d{2}|sem-data|tudo)-[0-9a-f]{16}\.[a-z]+")
"""O nome de um arquivo nosso: a tabela, o mês e o começo do SHA-256 do conteúdo."""


@dataclass(frozen=True)
class File:
    """Um arquivo: as linhas de um mês."""

    arquivo: str
    mes: str | None
    linhas: int
    bytes: int
    sha256: str
    linhas_sha256: str
    """Das linhas, como o banco o calcula: o mesmo, e o arquivo não se refaz."""

    def holds(self, part: Part) -> bool:
        """Se são as linhas de `part`, como estão agora."""
        return (self.mes, self.linhas, self.linhas_sha256) == (month_name(part), part.rows, part.digest)


@dataclass(frozen=True)
class Table:
    """Uma tabela ou uma view, e os seus arquivos; nenhum, se está vazia."""

    linhas: int
    colunas: Sequence[Column]
    arquivos: Sequence[File]


@dataclass(frozen=True)
class Manifest:
    formato: str
    empresa: Empresa | None
    revisao: str
    """A do banco."""
    quando: datetime
    """O instante do banco que se vê."""
    tabelas: Mapping[str, Table]

    @property
    def files(self) -> set[str]:
        return {file.arquivo for table in self.tabelas.values() for file in table.arquivos}

    def write(self) -> bytes:
        ours = self.empresa
        said = {
            "versao": 1,
            "formato": self.formato,
            "empresa": ours and {"bling_id": ours.bling_id, "nome": ours.nome, "cnpj": ours.cnpj},
            "revisao": self.revisao,
            "quando": self.quando.astimezone(UTC).isoformat(),
            "tabelas": {
                name: {
                    "linhas": table.linhas,
                    "colunas": [{"nome": column.name, "tipo": column.type} for column in table.colunas],
                    "arquivos": [asdict(file) for file in table.arquivos],
                }
                for name, table in self.tabelas.items()
            },
        }
        return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()


def month_name(part: Part) -> str | None:
    """2026-11; None se as linhas não são de um mês."""
    return part.month.isoformat()[:7] if part.month else None


def read_manifest(content: bytes, where: str) -> Manifest:
    """UsageError se não é um manifesto que se entenda."""
    try:
        said = json.loads(content)
        version, company = said["versao"], said["empresa"]
        found = Manifest(
            said["formato"],
            company and Empresa(company["bling_id"], company["nome"], company["cnpj"]),
            said["revisao"],
            datetime.fromisoformat(said["quando"]),
            {name: _table(table) for name, table in said["tabelas"].items()},
        )
        # O que ele diz pode vir a apagar-se: um nome que não é dos nossos não passa.
        ours = version == 1 and all(FILE.fullmatch(name) for name in found.files)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(where) from error
    if not ours:
        raise _unreadable(where)
    return found


def _table(said: Mapping[str, Any]) -> Table:
    columns = [Column(column["nome"], column["tipo"]) for column in said["colunas"]]
    return Table(said["linhas"], columns, [File(**file) for file in said["arquivos"]])


def _unreadable(where: str) -> UsageError:
    return UsageError(
        f"O {NAME} de {where} não é um que eu entenda. Exporte para outra pasta; ou, se esta era uma exportação, "
        "apague-a e exporte de novo."
    )
