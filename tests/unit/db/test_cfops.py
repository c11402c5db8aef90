"""A tabela oficial dos CFOPs de saída: o nome de cada um diz o que ele é, menos dos que se explicam."""

import csv
from importlib.resources import files

with files("bling_collector.db").joinpath("cfops.csv").open(encoding="utf-8") as lines:
    CFOPS = {row["cfop"]: row for row in csv.DictReader(lines, delimiter=";")}
NAMED = {
    "Venda": "venda",
    "Prestação": "venda",
    "Industrialização": "venda",
    "Devolução": "devolucao",
    "Anulação": "devolucao",
    "Transferência": "transferencia",
    "Remessa": "remessa",
    "Retorno": "remessa",
    "Outra": "outra",
}
APART = {
    "venda": {"5501", "6501", "7501", "5502", "6502"},  # a exportação por outra empresa é uma venda a ela
    "outra": {
        "5551",
        "6551",
        "7551",
        "5601",
        "5602",
        "5605",
    },  # imobilizado, e créditos de ICMS, que não são mercadoria
}


def test_each_cfop_is_what_its_name_says() -> None:
    assert len(CFOPS) > 300
    for cfop, row in CFOPS.items():
        assert len(cfop) == 4
        assert cfop[0] in "567"
        word = row["descricao"].split()[0]
        apart = [operacao for operacao, codes in APART.items() if cfop in codes]
        expected = apart[0] if apart else NAMED.get(word)
        assert expected in (None, row["operacao"]), row


def test_the_same_operacao_is_the_same_inside_and_outside_the_state() -> None:
    for cfop, row in CFOPS.items():
        if cfop[0] == "6" and f"5{cfop[1:]}" in CFOPS:
            assert CFOPS[f"5{cfop[1:]}"]["operacao"] == row["operacao"], cfop
    assert {CFOPS[f"{first}949"]["operacao"] for first in "567"} == {"outra"}
