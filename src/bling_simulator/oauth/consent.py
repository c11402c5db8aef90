"""As páginas que o usuário do Bling vê no navegador."""

from html import escape

from starlette.responses import Response

from bling_simulator.answers import html_page


def consent_page(client_id: str, state: str) -> Response:
    """Pergunta se o usuário autoriza o aplicativo."""
    body = f"""
<p><strong>Isto é um simulador do Bling.</strong> Nenhum dado é verdadeiro.</p>
<p>O aplicativo <code>{escape(client_id)}</code> quer consultar as notas fiscais, os contatos, os produtos,
as categorias e as formas de pagamento desta empresa.</p>
<form method="post">
<input type="hidden" name="client_id" value="{escape(client_id)}">
<input type="hidden" name="state" value="{escape(state)}">
<button name="decisao" value="autorizar">Autorizar</button>
<button name="decisao" value="negar">Negar</button>
</form>"""
    return html_page("Autorizar aplicativo", body, 200)


def unknown_client_page() -> Response:
    return html_page("Aplicativo inválido", "<p>O client_id informado não existe.</p>", 400)
