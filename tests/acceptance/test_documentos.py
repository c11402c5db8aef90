"""O XML das notas: uma vez por chave autorizada, outra se ela se cancela, e os impostos que só nele estão."""

import gzip
from base64 import b64encode
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
from tests.support.collecting import rows, scalar
from tests.support.commands import Terminal, variables_for
from tests.support.fakes import FakeClock
from tests.support.variants import one_now

from bling_collector.config import Settings
from bling_collector.insight.recursos import load_recursos
from bling_collector.privacy.titular import erase_person, export_person
from bling_collector.workplace.account import Account
from bling_simulator.bling import Bling
from bling_simulator.company.invoices.xml import note_xml
from bling_simulator.server import RunningServer

START = date(2025, 11, 1)
DAY = 86_400.0
PATH = "/nfe/documento"
READINGS: list[dict[str, Any]] = [
    {"document_is_not_gzip": True},
    {},
    {"cancelled_document_answers_404": True},
    {"cancelled_document_is_the_event": True},
]
pytestmark = [pytest.mark.bling(scale=0.02), pytest.mark.collector(recursos=("nfe", "documentos"))]


def authorised(bling: Bling, *situacoes: int) -> dict[str, Any]:
    """Chave → nota de saída, das autorizadas desde o começo."""
    return {
        each["chaveAcesso"]: each
        for each in bling.notes.values()
        if each["tipo"] == 1
        and each["dataEmissao"] >= START.isoformat()
        and each["situacao"] in (situacoes or (5, 6, 7))
    }


async def assert_equals_the_documents(account: Account, bling: Bling, notes: dict[str, Any]) -> None:
    """Os documentos são os destas notas, como o Bling os dá, e os impostos somam o que eles dizem."""
    assert await rows(
        account.engine,
        "SELECT chave_acesso, formato, conteudo, sha256 FROM nfe_documentos WHERE conteudo IS NOT NULL ORDER BY 1",
    ) == [
        (chave, "xml", gzip.compress(xml, mtime=0), sha256(xml).hexdigest())
        for chave, xml in sorted((chave, note_xml(note, bling.profile)) for chave, note in notes.items())
    ]
    assert await rows(
        account.engine,
        "SELECT chave_acesso, sum(valor_produto), sum(valor_icms) FROM vw_nfe_impostos GROUP BY 1 ORDER BY 1",
    ) == [
        (
            chave,
            sum(line["valorTotal"] for line in note["itens"]),
            sum(line["impostos"]["icms"]["valor"] for line in note["itens"] if line["impostos"]["icms"]["aliquota"])
            or None,
        )
        for chave, note in sorted(notes.items())
    ]


@pytest.mark.parametrize("reading", one_now(READINGS), ids=lambda reading: next(iter(reading), "como se leu"))
async def test_each_chave_is_asked_once_and_again_if_the_nota_is_cancelled(
    account: Account, bling: Bling, clock: FakeClock, reading: dict[str, Any]
) -> None:
    bling.configure(**reading)
    pending = bling.issue_note(situacao=1)
    assert (await account.pipeline.run_full(START)).status == "success"
    notes = authorised(bling)
    assert bling.counters.requests[f"{PATH}/{{id}}"] == len(notes)
    await assert_equals_the_documents(account, bling, notes)
    cancelled = next(iter(notes.values()))
    bling.cancel_note(cancelled["id"])
    bling.edit_note(pending, situacao=5)
    for asked in (2, 0):  # a que se cancelou e a que se autorizou; depois, mais nenhuma
        clock.advance(DAY)
        bling.counters.reset()
        result = await account.pipeline.reconcile(repair=True)
        assert result.status == "success", result.message
        assert bling.counters.requests[f"{PATH}/{{id}}"] == asked
    await assert_equals_the_documents(account, bling, authorised(bling) | {cancelled["chaveAcesso"]: cancelled})
    assert (await account.pipeline.reprocess()).status == "success"
    await assert_equals_the_documents(account, bling, authorised(bling) | {cancelled["chaveAcesso"]: cancelled})


@pytest.mark.slow
async def test_one_that_comes_with_another_chave_is_owed_and_the_others_come(
    account: Account, bling: Bling, clock: FakeClock, tmp_path: Any, settings: Settings, server: RunningServer
) -> None:
    """A chave tem letras, que o CNPJ de quem emite as tem; e uma que o Bling diz não ter pede-se outra vez."""
    chosen, other, gone, late = list(authorised(bling))[:4]
    swapped = b64encode(gzip.compress(note_xml(authorised(bling)[other], bling.profile))).decode()
    bling.garbled[PATH, chosen] = bling.garbled[PATH, late] = {"conteudo": swapped}
    lettered = chosen[:6] + "12ABC34501DE35" + chosen[20:]
    bling.edit_note(authorised(bling)[gone]["id"], chaveAcesso=lettered)
    bling.fail(rf"^{PATH}/{other}$", "body", status=404, body='{"error": {"type": "RESOURCE_NOT_FOUND"}}')
    result = await account.pipeline.run_full(START)
    assert result.status == "partial"
    owed = await rows(account.engine, "SELECT recurso, recurso_id FROM pendencias ORDER BY 2")
    assert owed == [("documentos", each) for each in sorted((chosen, late))]
    kept = {
        chave for (chave,) in await rows(account.engine, "SELECT id FROM nfe_documentos WHERE conteudo IS NOT NULL")
    }
    assert kept == authorised(bling).keys() - {chosen, other, late}
    assert lettered in kept
    bling.garbled.clear()
    bling.faults.clear()
    terminal = Terminal(tmp_path, variables_for(settings, server))
    shown = await terminal.run("failures", "show", f"documentos/{chosen}")
    assert (shown.code, chosen in shown.out) == (0, True), shown.err
    done = await terminal.run("sync", f"documentos/{chosen}")
    assert (done.code, done.out.strip()) == (0, f"✔ documentos/{chosen}: criado."), done.err
    refused = await terminal.run("sync", "documentos/../nfe")
    assert refused.code == 2
    assert "o id precisa ser um número inteiro" in refused.err
    clock.advance(DAY)
    bling.counters.reset()
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.requests[f"{PATH}/{{id}}"] == 2, "a que ficou pendente, e a que não havia"
    held = {each.recurso: each for each in await load_recursos(account.engine, ("nfe", "documentos"), clock.now())}
    assert (held["documentos"].registros, held["documentos"].pendencias) == (len(kept) + 3, 0)


@pytest.mark.collector(recursos=("nfe", "nfe_entrada", "nfe_entrada_detalhes", "documentos"))
async def test_a_chave_of_two_notas_is_asked_once(account: Account, bling: Bling, clock: FakeClock) -> None:
    """A que saiu e a mesma, importada como entrada: as situações diferem, e o documento é um, que o Bling não tem."""
    out, entry = bling.issue_note(situacao=6), bling.issue_note(tipo=0, situacao=7)
    chave = bling.notes[out]["chaveAcesso"]
    bling.edit_note(entry, chaveAcesso=chave)
    bling.fail(rf"^{PATH}/{chave}$", "body", status=404, body='{"error": {"type": "RESOURCE_NOT_FOUND"}}')
    assert (await account.pipeline.run_full(START)).status == "success"
    for _ in range(2):
        clock.advance(DAY)
        result = await account.pipeline.run()
        assert result.status == "success", result.message
        kept = "SELECT situacao, conteudo IS NULL FROM nfe_documentos WHERE id = :chave"
        assert await rows(account.engine, kept, chave=chave) == [(7, True)]
    bling.counters.reset()
    bling.cancel_note(out)
    assert (await account.pipeline.run()).status == "success"
    assert bling.counters.requests[f"{PATH}/{{id}}"] == 0, (
        "o que se tem não se pede outra vez; e da cancelada que não o tinha, não se pede"
    )


@pytest.mark.slow
@pytest.mark.collector(recursos=("nfe", "nfe_entrada", "documentos"))
async def test_without_permission_the_rest_comes_and_the_documents_come_once_given(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    bling.configure(missing_scopes=frozenset({PATH}))
    entry = bling.issue_note(tipo=0, situacao=7)
    result = await account.pipeline.run_full(START)
    assert result.status == "success", result.message
    found = await load_recursos(account.engine, ("nfe", "documentos"), clock.now())
    assert [each.recurso for each in found if each.sem_permissao] == ["documentos"]
    bling.configure(missing_scopes=frozenset())
    clock.advance(2 * DAY)
    assert (await account.pipeline.run()).status == "success"
    held = await rows(account.engine, "SELECT nfe_id, entrada FROM vw_nfe_impostos WHERE entrada GROUP BY 1, 2")
    assert (entry, True) in held


@pytest.mark.slow
async def test_the_xml_of_an_erased_person_stays_and_is_reported(
    account: Account, bling: Bling, clock: FakeClock
) -> None:
    await account.pipeline.run_full(START)
    chave, note = next(iter(authorised(bling, 6).items()))
    exported = await export_person(account.engine, note["contato"]["id"], clock.now())
    assert chave in {each["chave_acesso"] for each in exported["documentos"]}
    assert any(note["contato"]["nome"] in each["xml"].replace("&amp;", "&") for each in exported["documentos"])
    done = await erase_person(account.engine, note["contato"]["id"], clock.now())
    assert chave in done.documentos
    assert await scalar(account.engine, "SELECT conteudo IS NOT NULL FROM nfe_documentos WHERE id = :id", id=chave)
    assert await scalar(account.engine, "SELECT contato_nome FROM nfe_cabecalho WHERE id = :id", id=note["id"]) is None
