"""Os textos que citam um comando, como o painel os diz."""

import ast
import re
from pathlib import Path

import pytest

from bling_collector.web.panel.pointers import pointing

SOURCE = Path(__file__).parents[3] / "src" / "bling_collector"
TYPED = re.compile(
    r"`bling-collector (auth|failures|reconcile|run|run-full|status)\b(?! --gerar-chave| --trocar-empresa)"
)
SHOWN = ("alarms", "api", "auth", "db", "etl", "insight", "plan", "privacy", "runs")
"""De onde vêm os erros, os alarmes e as mensagens que uma página mostra."""


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Autorize com `bling-collector auth`.", 'Autorize em <a href="/autorizar">Autorizar no Bling</a>.'),
        (
            "Autorize pelo painel ou com `bling-collector auth`",
            'Autorize em <a href="/autorizar">Autorizar no Bling</a>',
        ),
        ("Rode `bling-collector run` já.", 'Vá a <a href="/executar">Executar</a> já.'),
        ("e rode `bling-collector run`.", 'e vá a <a href="/executar">Executar</a>.'),
        ("Veja-as com GET /runs.", 'Veja-as em <a href="/execucoes">Execuções</a>.'),
        ("com `bling-collector run-full --data-inicio AAAA-MM-DD`.", 'em <a href="/executar">Executar</a>.'),
        ("e `bling-collector status` o diz", 'e a página <a href="/execucoes">Execuções</a> o diz'),
        ("com `bling-collector reconcile --repair`.", 'em <a href="/cobertura">Cobertura</a>.'),
        (
            "aceite-o com `bling-collector reconcile --repair --aceitar-exclusoes`.",
            'aceite-o em <a href="/">Situação</a>.',
        ),
        ("com `bling-collector db upgrade`", "com <code>bling-collector db upgrade</code>"),
        ("com `bling-collector auth --gerar-chave`", "com <code>bling-collector auth --gerar-chave</code>"),
        ('<b onclick="x">`bling-collector', "&lt;b onclick=&#34;x&#34;&gt;`bling-collector"),
        ("com `bling-collector run <script>`", 'em <a href="/executar">Executar</a>'),
        ("", ""),
    ],
)
def test_a_command_becomes_the_page_that_does_it(said: str, shown: str) -> None:
    assert str(pointing(said)) == shown


def _sentences() -> list[str]:
    nodes = (
        node
        for folder in SHOWN
        for path in (SOURCE / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    )
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [text for text in texts if TYPED.search(text)]


def test_no_sentence_of_ours_tells_the_owner_to_type() -> None:
    sentences = _sentences()
    assert len(sentences) > 10
    for sentence in sentences:
        shown = str(pointing(sentence))
        assert "bling-collector" not in re.sub("<a .*?</a>", "", shown), sentence
        assert "<a href=" in shown
