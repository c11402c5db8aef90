"""O que é venda, na conta feita por fora: do JSON de uma nota, quanto dela é de cada operação."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.support.proving import at, outgoing, twin

from bling_simulator.bling import Bling
from bling_simulator.company.invoices.lines import line_of

Note = dict[str, Any]
FINALIDADES = {2: "complementar", 3: "ajuste", 4: "devolucao", 5: "credito", 6: "debito"}
CFOPS = {
    "5101": "venda",
    "5102": "venda",
    "6101": "venda",
    "6102": "venda",
    "7101": "venda",
    "7102": "venda",
    "5405": "venda",
    "5949": "outra",
    "6949": "outra",
    "7949": "outra",
    "5202": "devolucao",
    "6152": "transferencia",
    "5910": "remessa",
    "": "venda",
}
ODD = (
    ["5.102", "5910"],
    ["5102", "5405"],
    ["5202"],
    ["6152", "5949"],
    ["5910", "5102", "5999"],
    ["6102 "],
    ["5999"],
    ["5949", ""],
)


def issue_odd(bling: Bling, day: str) -> list[int]:
    """Notas de toda finalidade e de CFOPs de toda operação, juntos numa nota e até num SKU."""
    model = outgoing(bling, 6)[-1]
    made = [twin(bling, model, emitted_at=at(f"{day} 10:00:00"), finalidade=f) for f in (*FINALIDADES, 9)]
    contact = bling.notes[model]["contato"]["id"]
    for number, cfops in enumerate(ODD):
        lines = [
            line_of(
                codigo="MISTO" if place < 2 else "", descricao="Peça", quantidade=2 + place, valor=price, cfop="5102"
            )
            | {"cfop": cfop}
            for place, cfop in enumerate(cfops)
            for price in (Decimal(f"{10 + number}.3"),)
        ]
        for situacao in (6, 2):
            note = bling.issue_note(
                emitted_at=at(f"{day} 11:00:0{number}"), contact_id=contact, lines=lines, situacao=situacao
            )
            if number % 2:
                bling.edit_note(note, valorNota=bling.notes[note]["valorNota"] + Decimal("7.77"))
            made.append(note)
    return made


def operation(note: Note, cfop: str) -> str:
    finalidade = note["finalidade"]
    if finalidade != 1:
        return FINALIDADES.get(finalidade, "desconhecida")
    return CFOPS.get(cfop.replace(".", "").strip(), "desconhecida")


def parts(note: Note) -> dict[str, Decimal]:
    """Operação → valor. O que a nota tem além das linhas fica com o CFOP de maior valor."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in note["itens"]:
        sums[line["cfop"].replace(".", "").strip()] += Decimal(str(line["valorTotal"]))
    largest = min(sums, key=lambda cfop: (-sums[cfop], cfop))
    sums[largest] += Decimal(str(note["valorNota"])) - sum(sums.values(), Decimal(0))
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for cfop, value in sums.items():
        found[operation(note, cfop)] += value
    return dict(found)


def sold(note: Note) -> Decimal | None:
    """Quanto da nota é venda; None se nada é."""
    return parts(note).get("venda")


def sold_lines(note: Note) -> list[Note]:
    return [line for line in note["itens"] if operation(note, line["cfop"]) == "venda"]


def apart(note: Note) -> Decimal:
    return sum((value for kind, value in parts(note).items() if kind != "venda"), Decimal(0))
