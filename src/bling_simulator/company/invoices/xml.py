"""A NF-e em XML, leiaute 4.00, com os grupos na ordem dele: feita do detalhe, e por isso coerente com ele."""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from xml.sax.saxutils import escape

from bling_simulator.payload import CENT, Json

_NAMESPACE = "http://www.portalfiscal.inf.br/nfe"
_RATES = {"pis": Decimal("0.65"), "cofins": Decimal("3.00"), "ibs_uf": Decimal("0.10"), "cbs": Decimal("0.90")}
Tag = tuple[str, "str | Sequence[Tag]"]
"""Um elemento: o nome, e o texto ou os de dentro."""


def note_xml(note: Json, company: Json) -> bytes:
    """O XML autorizado (nfeProc) da nota, que precisa ter chave. De uma de entrada, quem emite é o contato."""
    parts = _parts(note)
    body = [
        ("ide", _ide(note)),
        *_people(note, company),
        *[(f'det nItem="{place}"', _det(line, share)) for place, (line, share) in enumerate(parts, start=1)],
        ("total", [("ICMSTot", _totals(note, parts))]),
        ("transp", [("modFrete", str(note["transporte"]["fretePorConta"]))]),
        ("pag", [("detPag", [("tPag", "15" if note["parcelas"] else "90"), ("vPag", _money(note["valorNota"]))])]),
        ("infAdic", [("infCpl", "Documento de uma empresa que não existe.")]),
    ]
    key = note["chaveAcesso"]
    digest = sha256(key.encode()).hexdigest()
    protocol = [
        ("tpAmb", "1"), ("verAplic", "SVRS"), ("chNFe", key), ("dhRecbto", _moment(note)),
        ("nProt", f"143{key[25:37]}"),
        ("digVal", digest[:27] + "="), ("cStat", "100"), ("xMotivo", "Autorizado o uso da NF-e"),
    ]  # fmt: skip
    tree: Tag = (
        f'nfeProc xmlns="{_NAMESPACE}" versao="4.00"',
        [
            (f'NFe xmlns="{_NAMESPACE}"', [(f'infNFe Id="NFe{key}" versao="4.00"', body)]),
            ('protNFe versao="4.00"', [("infProt", protocol)]),
        ],
    )
    return _written(tree)


def cancelling_xml(note: Json) -> bytes:
    """O evento que cancelou a nota, sem ela."""
    event = [("chNFe", note["chaveAcesso"]), ("tpEvento", "110111"), ("nSeqEvento", "1")]
    tree: Tag = (
        f'procEventoNFe xmlns="{_NAMESPACE}" versao="1.00"',
        [('evento versao="1.00"', [("infEvento", event)])],
    )
    return _written(tree)


def _ide(note: Json) -> list[Tag]:
    key = note["chaveAcesso"]
    return [
        ("cUF", key[:2]), ("cNF", key[35:43]), ("natOp", "Venda de mercadorias"), ("mod", key[20:22]),
        ("serie", str(int(key[22:25]))), ("nNF", str(int(key[25:34]))), ("dhEmi", _moment(note)),
        ("tpNF", "1"), ("idDest", "1"), ("cMunFG", "4305108"), ("tpImp", "1"), ("tpEmis", "1"),
        ("cDV", key[43]), ("tpAmb", "1"), ("finNFe", str(note["finalidade"])), ("indFinal", "0"), ("indPres", "9"),
        ("procEmi", "0"), ("verProc", "simulado"),
    ]  # fmt: skip


def _people(note: Json, company: Json) -> list[Tag]:
    contact, ours = note["contato"], [("CNPJ", company["cnpj"]), ("xNome", company["nome"])]
    address = contact["endereco"]
    place = [
        ("xLgr", address["endereco"] or "Sem endereço"), ("nro", address["numero"] or "S/N"),
        ("xBairro", address["bairro"] or "Centro"), ("cMun", "4305108"),
        ("xMun", address["municipio"] or "Caxias do Sul"),
        ("UF", address["uf"] or "RS"), ("CEP", address["cep"] or "95000000"), ("cPais", "1058"), ("xPais", "BRASIL"),
    ]  # fmt: skip
    document = contact["numeroDocumento"]
    kind = {14: "CNPJ", 11: "CPF"}.get(len(document), "idEstrangeiro")
    theirs: list[Tag] = [(kind, document), ("xNome", contact["nome"] or "NÃO IDENTIFICADO")]
    home: list[Tag] = [*place[:3], ("cMun", "4305108"), ("xMun", "Caxias do Sul"), ("UF", "RS"), ("CEP", "95000000")]
    if note["tipo"] == 0:
        return [
            ("emit", [*theirs, ("enderEmit", place), ("IE", contact["ie"] or "ISENTO"), ("CRT", "3")]),
            ("dest", [*ours, ("enderDest", home), ("indIEDest", "9")]),
        ]
    return [
        ("emit", [*ours, ("enderEmit", home), ("IE", "0290000000"), ("CRT", "3")]),
        ("dest", [*theirs, ("enderDest", place), ("indIEDest", str(contact["contribuinte"]))]),
    ]


Share = tuple[Decimal, Decimal, Decimal]
"""De um item, a parte do frete, do desconto e do IPI da nota."""


def _parts(note: Json) -> list[tuple[Json, Share]]:
    """As linhas, cada uma com a sua parte do que a nota tem além delas: o Bling só dá o frete, e o total."""
    lines = note["itens"]
    gross = sum((line["valorTotal"] for line in lines), Decimal(0))
    rest = note["valorNota"] - gross - note["valorFrete"]
    whole = (note["valorFrete"], max(-rest, Decimal(0)), max(rest, Decimal(0)))
    left, parts = list(whole), []
    for line in lines[:-1]:
        share = tuple(((each * line["valorTotal"] / gross) if gross else each * 0).quantize(CENT) for each in whole)
        left = [before - each for before, each in zip(left, share, strict=True)]
        parts.append((line, (share[0], share[1], share[2])))
    return [*parts, (lines[-1], (left[0], left[1], left[2]))] if lines else []


def _det(line: Json, share: Share) -> list[Tag]:
    frete, desconto, ipi = share
    prod: list[Tag] = [
        ("cProd", line["codigo"] or "SEM-CODIGO"), ("cEAN", line["gtin"] or "SEM GTIN"), ("xProd", line["descricao"]),
        ("NCM", line["classificacaoFiscal"].replace(".", "") or "00000000"), ("CFOP", line["cfop"].replace(".", "")),
        ("uCom", line["unidade"]), ("qCom", f"{Decimal(line['quantidade']):.4f}"), ("vUnCom", f"{line['valor']:.10f}"),
        ("vProd", _money(line["valorTotal"])), ("cEANTrib", line["gtin"] or "SEM GTIN"), ("uTrib", line["unidade"]),
        ("qTrib", f"{Decimal(line['quantidade']):.4f}"), ("vUnTrib", f"{line['valor']:.10f}"),
        *([("vFrete", _money(frete))] if frete else []), *([("vDesc", _money(desconto))] if desconto else []),
        ("indTot", "1"),
    ]  # fmt: skip
    return [("prod", prod), ("imposto", _taxes(line, ipi))]


def _taxes(line: Json, ipi: Decimal) -> list[Tag]:
    base, icms = line["valorTotal"], line["impostos"]["icms"]
    tax: list[Tag] = [("vTotTrib", _money(line["impostos"]["valorAproximadoTotalTributos"]))]
    if icms["aliquota"]:
        inside: list[Tag] = [
            ("orig", str(line["origem"])), ("CST", "00"), ("modBC", "3"), ("vBC", _money(base)),
            ("pICMS", f"{icms['aliquota']:.4f}"), ("vICMS", _money(icms["valor"])),
        ]  # fmt: skip
        tax.append(("ICMS", [("ICMS00", inside)]))
    else:
        tax.append(("ICMS", [("ICMS40", [("orig", str(line["origem"])), ("CST", f"{icms['st']:02d}")])]))
    if ipi:
        percent = ipi * 100 / base if base else Decimal(0)
        trib: list[Tag] = [("CST", "50"), ("vBC", _money(base)), ("pIPI", f"{percent:.4f}"), ("vIPI", _money(ipi))]
        tax.append(("IPI", [("cEnq", "999"), ("IPITrib", trib)]))
    for name in ("PIS", "COFINS"):
        rate, value = _RATES[name.lower()], _of(base, _RATES[name.lower()])
        aliq: list[Tag] = [("CST", "01"), ("vBC", _money(base)), (f"p{name}", f"{rate:.4f}"), (f"v{name}", value)]
        tax.append((name, [(f"{name}Aliq", aliq)]))
    ibs = _of(base, _RATES["ibs_uf"])
    group: list[Tag] = [
        ("vBC", _money(base)),
        ("gIBSUF", [("pIBSUF", f"{_RATES['ibs_uf']:.4f}"), ("vIBSUF", ibs)]),
        ("gIBSMun", [("pIBSMun", "0.0000"), ("vIBSMun", "0.00")]),
        ("vIBS", ibs),
        ("gCBS", [("pCBS", f"{_RATES['cbs']:.4f}"), ("vCBS", _of(base, _RATES["cbs"]))]),
    ]
    tax.append(("IBSCBS", [("CST", "000"), ("cClassTrib", "000001"), ("gIBSCBS", group)]))
    return tax


def _totals(note: Json, parts: Sequence[tuple[Json, Share]]) -> list[Tag]:
    def total(of: Sequence[Decimal]) -> str:
        return _money(sum(of, Decimal(0)))

    lines = [line for line, _ in parts]
    taxed = [line for line in lines if line["impostos"]["icms"]["aliquota"]]
    return [
        ("vBC", total([line["valorTotal"] for line in taxed])),
        ("vICMS", total([line["impostos"]["icms"]["valor"] for line in taxed])),
        ("vICMSDeson", "0.00"), ("vFCP", "0.00"), ("vBCST", "0.00"), ("vST", "0.00"), ("vFCPST", "0.00"),
        ("vFCPSTRet", "0.00"), ("vProd", total([line["valorTotal"] for line in lines])),
        ("vFrete", total([share[0] for _, share in parts])), ("vSeg", "0.00"),
        ("vDesc", total([share[1] for _, share in parts])), ("vII", "0.00"),
        ("vIPI", total([share[2] for _, share in parts])), ("vIPIDevol", "0.00"),
        ("vPIS", total([Decimal(_of(line["valorTotal"], _RATES["pis"])) for line in lines])),
        ("vCOFINS", total([Decimal(_of(line["valorTotal"], _RATES["cofins"])) for line in lines])),
        ("vOutro", "0.00"), ("vNF", _money(note["valorNota"])),
    ]  # fmt: skip


def _of(base: Decimal, rate: Decimal) -> str:
    return _money((base * rate / 100).quantize(CENT, ROUND_HALF_UP))


def _money(value: Decimal | int) -> str:
    return f"{Decimal(value):.2f}"


def _moment(note: Json) -> str:
    return f"{note['dataEmissao'].replace(' ', 'T')}-03:00"


def _written(tree: Tag) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?>{_element(tree)}'.encode()


def _element(tag: Tag) -> str:
    name, inside = tag
    text = escape(inside) if isinstance(inside, str) else "".join(map(_element, inside))
    return f"<{name}>{text}</{name.partition(' ')[0]}>"
