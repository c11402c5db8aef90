"""De quem são os dados: a empresa dona da conta do Bling (GET /empresas/me/dados-basicos), e quando é outra."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from bling_collector.documentos import masked
from bling_collector.payload import Json, documento, local_date, part, text

PATH: Final = "/empresas/me/dados-basicos"


@dataclass(frozen=True)
class Empresa:
    bling_id: str | None
    """O id da conta no Bling: 32 dígitos hexadecimais."""
    nome: str | None
    cnpj: str | None
    email: str | None = None
    data_contrato: date | None = None
    detalhe: Mapping[str, Json] | None = field(default=None, repr=False)
    """O que o Bling disse dela, inteiro."""

    @property
    def name(self) -> str:
        """Como uma mensagem a chama: o nome e o CNPJ, ou o que se souber."""
        cnpj = f"CNPJ {masked(self.cnpj)}" if self.cnpj else None
        if self.nome:
            return f"{self.nome} ({cnpj})" if cnpj else self.nome
        return cnpj or f"conta {self.bling_id}"

    def is_same(self, stored: "Empresa") -> bool | None:
        """Se é a mesma conta que `stored`: pelo id, que não muda; sem ele, pelo CNPJ.

        None se o CNPJ é o mesmo e o id é outro, ou se não há o que comparar: quem o diz são os dados.
        """
        if self.bling_id and self.bling_id == stored.bling_id:
            return True
        if not (self.cnpj and stored.cnpj):
            return False if self.bling_id and stored.bling_id else None
        if self.cnpj != stored.cnpj:
            return False
        return None if self.bling_id and stored.bling_id else True


def read_empresa(body: Json) -> Empresa | None:
    """A empresa que a resposta diz; None se ela não traz nem id nem CNPJ."""
    data = part(body, "data") or body
    bling_id, cnpj = text(part(data, "id")), documento(part(data, "cnpj"))
    if bling_id is None and cnpj is None:
        return None
    return Empresa(
        bling_id=bling_id.strip().lower() if bling_id else None,
        nome=text(part(data, "nome")),
        cnpj=cnpj,
        email=text(part(data, "email")),
        data_contrato=local_date(part(data, "dataContrato")),
        detalhe=data,
    )
