"""O par que o Bling já trocou e que o banco não aceita: nunca perdido, nunca pedido de novo."""

import asyncio
import logging
import os
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from tests.support.fakes import START, MemoryTokenStore
from tests.unit.auth.test_oauth import HOUR, Bench, started, token

from bling_collector.auth.pair_keeper import SAVE_WAITS
from bling_collector.auth.set_aside import SetAside
from bling_collector.auth.token_cipher import TokenCipher, new_key
from bling_collector.auth.tokens import RENEW_WITHIN, Token
from bling_collector.errors import ConfigurationError, DatabaseError, ReauthorizeError


class Refusing(MemoryTokenStore):
    """Um banco que recusa gravar tantas vezes."""

    failures = 10**9
    writable = True
    before_refusing: Callable[[], None] = staticmethod(lambda: None)

    async def check_writable(self) -> None:
        if not self.writable:
            raise DatabaseError("O banco não aceita gravação (cannot execute UPDATE in a read-only transaction).")

    async def save(self, token: Token) -> None:
        if self.failures:
            self.failures -= 1
            self.before_refusing()
            raise DatabaseError("O banco caiu.")
        await super().save(token)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(store=Refusing(token(-HOUR)))
    bench.folder = tmp_path / "dados" / "tokens"
    bench.oauth = bench.another_process()
    return bench


def refusing(bench: Bench, **how: object) -> Refusing:
    assert isinstance(bench.store, Refusing)
    vars(bench.store).update(how)
    return bench.store


def waiting(bench: Bench) -> list[Path]:
    return sorted(bench.folder.glob("*")) if bench.folder.exists() else []


@pytest.fixture(autouse=True)
def no_secret_in_the_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    for secret in ("refresh_token", '"r1"', '"a1"'):
        assert secret not in caplog.text


async def test_nothing_is_asked_of_bling_when_the_database_does_not_write(bench: Bench) -> None:
    store = refusing(bench, writable=False)
    with pytest.raises(DatabaseError, match="não aceita gravação"):
        await bench.oauth.get_valid_access_token()
    with pytest.raises(DatabaseError):
        await bench.oauth.exchange_authorization_code("c0", await started(bench))
    assert bench.bling.requests == []

    store.writable, store.failures = True, 0
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert bench.alarms == []


@pytest.mark.parametrize("failures", [1, 3, len(SAVE_WAITS)])
async def test_a_database_that_comes_back_gets_the_pair_at_once(bench: Bench, failures: int) -> None:
    store = refusing(bench, failures=failures)
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert store.token is not None
    assert store.token.refresh_token == "r1"
    assert bench.clock.slept == list(SAVE_WAITS[:failures])
    assert (len(bench.bling.requests), bench.alarms, waiting(bench)) == (1, [True, False], [])


async def test_one_that_does_not_come_back_leaves_the_pair_in_a_file(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    refusing(bench)
    with pytest.raises(DatabaseError, match="não aceitou o novo") as caught:
        await bench.oauth.get_valid_access_token()
    [path] = waiting(bench)
    assert str(path) in str(caught.value)
    [alarm] = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert "não foi gravado" in alarm.getMessage()
    assert str(path) in alarm.getMessage()
    assert bench.alarms == [True]
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_the_file_is_there_before_the_second_try(bench: Bench) -> None:
    """Um kill -9 enquanto se insiste não perde o par."""
    seen: list[int] = []
    refusing(bench, failures=2, before_refusing=lambda: seen.append(len(waiting(bench))))
    await bench.oauth.get_valid_access_token()
    assert seen == [0, 1]


async def test_the_next_start_takes_it_up_before_any_refresh(bench: Bench) -> None:
    store = refusing(bench)
    with pytest.raises(DatabaseError):
        await bench.oauth.get_valid_access_token()
    store.failures = 0
    another = bench.another_process()
    await another.take_up()
    assert store.token is not None
    assert (store.token.access_token, store.token.refresh_token) == ("a1", "r1")
    assert waiting(bench) == []
    assert (await another.get_valid_access_token()).access_token == "a1"
    assert len(bench.bling.requests) == 1
    assert bench.alarms == [True, False], "quem grava o par diz que passou, mesmo que outro o tenha guardado"

    # O processo que esperava não repõe o par velho, nem pede outro.
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    bench.clock.advance(6 * 3600)
    assert (await bench.oauth.get_valid_access_token()).access_token == "a2"
    assert (len(bench.bling.requests), bench.alarms) == (2, [True, False, False])


async def test_a_process_that_needs_a_token_takes_it_up_too(bench: Bench) -> None:
    store = refusing(bench)
    with pytest.raises(DatabaseError):
        await bench.oauth.get_valid_access_token()
    store.failures = 0
    assert (await bench.another_process().get_valid_access_token()).access_token == "a1"
    assert len(bench.bling.requests) == 1


async def test_the_same_process_offers_it_again(bench: Bench) -> None:
    store = refusing(bench)
    for _ in range(3):
        with pytest.raises(DatabaseError):
            await bench.oauth.get_valid_access_token()
    store.failures = 0
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert (len(bench.bling.requests), bench.alarms) == (1, [True, False])


async def test_a_commit_whose_answer_was_lost_is_noticed(bench: Bench) -> None:
    class Lost(Refusing):
        async def save(self, token: Token) -> None:
            await MemoryTokenStore.save(self, token)
            if len(self.saved) == 1:
                raise DatabaseError("A conexão caiu.")

    bench.store = Lost(token(-HOUR))
    bench.oauth = bench.another_process()
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert len(bench.store.saved) == 1
    assert waiting(bench) == []


async def test_an_authorisation_given_meanwhile_wins(bench: Bench) -> None:
    store = refusing(bench)
    with pytest.raises(DatabaseError):
        await bench.oauth.get_valid_access_token()
    store.failures, store.token = 0, token(-HOUR, "outro", "r9")
    bench.bling.live.add("r9")
    assert (await bench.oauth.get_valid_access_token()).access_token == "a2"
    assert [form["refresh_token"] for form in bench.bling.forms] == ["r0", "r9"]
    assert (bench.alarms, waiting(bench)) == ([True, False], [])


async def test_a_doubt_that_could_not_be_saved_is_not_forgotten(bench: Bench) -> None:
    refusing(bench)
    bench.bling.answers = [httpx2.ReadTimeout("")]
    with pytest.raises(DatabaseError):
        await bench.oauth.get_valid_access_token()
    refusing(bench, failures=0)
    another = bench.another_process()
    await another.take_up()
    with pytest.raises(ReauthorizeError, match="pode ter sido gasto"):
        await another.get_valid_access_token()
    assert len(bench.bling.requests) == 1


async def test_a_first_pair_waits_only_in_memory(bench: Bench) -> None:
    """Sem um token no banco, um arquivo não saberia a que banco pertence."""
    store = refusing(bench, token=None)
    with pytest.raises(DatabaseError, match="só na memória"):
        await bench.oauth.exchange_authorization_code("c0", await started(bench))
    assert waiting(bench) == []
    store.failures = 0
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert len(bench.bling.requests) == 1


async def test_a_new_authorisation_of_a_known_account_waits_in_a_file(bench: Bench) -> None:
    store = refusing(bench)
    with pytest.raises(DatabaseError):
        await bench.oauth.exchange_authorization_code("c0", await started(bench))
    store.failures = 0
    await bench.another_process().take_up()
    assert store.token is not None
    assert (store.token.access_token, waiting(bench)) == ("a1", [])


async def test_of_two_that_wait_the_newest_is_kept(bench: Bench) -> None:
    async def refuse(token: Token) -> None:
        raise DatabaseError("O banco caiu.")

    store = refusing(bench, propose=refuse)
    with pytest.raises(DatabaseError):
        await bench.oauth.get_valid_access_token()
    with pytest.raises(DatabaseError) as caught:
        await bench.oauth.exchange_authorization_code("c0", await started(bench))
    [path] = waiting(bench)
    assert str(path) in str(caught.value)
    assert bench.alarms == [True]
    store.failures = 0
    await bench.another_process().take_up()
    assert store.token is not None
    assert (store.token.access_token, waiting(bench)) == ("a2", [])


async def test_a_folder_that_cannot_be_written_leaves_it_in_memory(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.folder = Path(os.devnull) / "tokens"
    bench.oauth = bench.another_process()
    store = refusing(bench)
    with pytest.raises(DatabaseError, match="só na memória deste processo"):
        await bench.oauth.get_valid_access_token()
    assert "não pôde ser guardado num arquivo" in caplog.text
    store.failures = 0
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    assert len(bench.bling.requests) == 1


async def test_hundreds_of_tasks_wait_for_one_pair(bench: Bench) -> None:
    refusing(bench, failures=3)
    other = bench.another_process()
    got = await asyncio.gather(*(oauth.get_valid_access_token() for oauth in [bench.oauth, other] * 150))
    assert {each.access_token for each in got} == {"a1"}
    assert len(bench.bling.requests) == 1


# O arquivo


def test_a_file_is_sealed_with_the_key(tmp_path: Path) -> None:
    key = new_key()
    pair = token(HOUR, "acesso-secreto", "refresh-secreto", updated_at=token(HOUR).expires_at)
    path = SetAside(tmp_path, TokenCipher([key])).put("velho", pair)
    assert "secreto" not in path.read_text("utf-8")
    assert "velho" not in path.name
    assert SetAside(tmp_path, TokenCipher([new_key(), key])).find("velho") == pair
    with pytest.raises(ConfigurationError):
        SetAside(tmp_path, TokenCipher()).find("velho")


def test_a_file_serves_only_what_it_replaces(tmp_path: Path) -> None:
    aside = SetAside(tmp_path, TokenCipher())
    aside.put("velho", token(HOUR))
    assert aside.find("outro") is None
    assert aside.find("velho") == token(HOUR)
    aside.put("velho", replace(token(HOUR), refresh_in_doubt=True))
    found = aside.find("velho")
    assert found is not None
    assert found.refresh_in_doubt
    aside.drop("velho")
    assert aside.find("velho") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"access_token": "a"}', '{"access_token": 1}'])
def test_a_file_that_does_not_read_stops_everything(tmp_path: Path, content: str) -> None:
    """Enviar o refresh token velho seria gastá-lo duas vezes."""
    aside = SetAside(tmp_path, TokenCipher())
    path = aside.put("velho", token(HOUR))
    path.write_text(content)
    with pytest.raises(ConfigurationError, match=f"{path.name}.*bling-collector auth"):
        aside.find("velho")


def test_old_files_do_not_stay(tmp_path: Path) -> None:
    aside = SetAside(tmp_path, TokenCipher())
    old = aside.put("de outro banco", token(HOUR))
    kept = aside.put("de há pouco", token(HOUR))
    os.utime(old, (0, 0))
    aside.drop("nenhum")
    assert list(tmp_path.iterdir()) == [kept]


# Os trinta dias


async def test_a_refresh_token_near_its_end_is_exchanged_though_the_access_token_still_serves() -> None:
    far = token(40 * 24 * HOUR)
    bench = Bench(replace(far, updated_at=START - timedelta(days=30) + RENEW_WITHIN))
    assert (await bench.oauth.get_valid_access_token()).access_token == "a1"
    fresh = Bench(replace(far, updated_at=START - timedelta(days=29) + RENEW_WITHIN))
    assert (await fresh.oauth.get_valid_access_token()).access_token == "a0"


async def test_when_bling_does_not_exchange_it_the_person_is_warned(caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(replace(token(HOUR), updated_at=START - timedelta(days=23, hours=1)))
    bench.bling.answers = [httpx2.Response(503)]
    assert (await bench.oauth.get_valid_access_token()).access_token == "a0"
    assert "acaba em 6 dias" in caplog.text
    assert bench.alarms == []
