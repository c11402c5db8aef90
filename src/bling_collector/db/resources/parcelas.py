"""O código fiscal das parcelas das notas. Nada aqui faz COMMIT."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Table, text

from bling_collector.db.connection.core import AsyncConnection
from bling_collector.db.models import nfce_pagamentos, nfe_entrada_pagamentos, nfe_pagamentos

PAGAMENTOS: Final = (nfe_pagamentos, nfce_pagamentos, nfe_entrada_pagamentos)
"""As tabelas de parcelas que têm o código fiscal da forma."""


async def fill_tipo_pagamento(connection: AsyncConnection, table: Table, notas: Collection[int] | None = None) -> int:
    """Põe em cada parcela da tabela (de `notas`, ou de todas) o código fiscal da sua forma; devolve quantas mudaram."""
    only = "AND p.nfe_id = ANY(:notas)" if notas is not None else ""
    result = await connection.execute(
        text(f"""
            UPDATE {table.name} p SET tipo_pagamento = f.tipo_pagamento
            FROM formas_pagamento f
            WHERE f.id = p.forma_pagamento_id AND p.tipo_pagamento IS DISTINCT FROM f.tipo_pagamento {only}"""),
        {"notas": list(notas)} if notas is not None else {},
    )
    return result.rowcount
