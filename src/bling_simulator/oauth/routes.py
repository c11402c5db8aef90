"""As três portas do OAuth: autorizar (navegador), trocar tokens e revogar (aplicativo)."""

from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bling_simulator.answers import json_response, oauth_error
from bling_simulator.bling import Bling
from bling_simulator.oauth.consent import consent_page, unknown_client_page
from bling_simulator.oauth.credentials import check_basic, wants_jwt
from bling_simulator.payload import Json

_PARAMETER = {"authorization_code": "code", "refresh_token": "refresh_token"}


async def authorize(bling: Bling, request: Request) -> Response:
    """Mostra o consentimento (GET) ou o cumpre (POST). `redirect_uri` e `scope` são ignorados, como no Bling."""
    posted = request.method == "POST"
    params = await form_fields(request) if posted else dict(request.query_params)
    if params.get("client_id") != bling.settings.client_id:
        return unknown_client_page()
    state = params.get("state", "")
    if not state:
        return _back(bling, error="invalid_request", error_description="The state parameter is required")
    if params.get("response_type", "code") != "code":
        return _back(bling, error="unsupported_response_type", state=state)
    if not posted:
        return consent_page(bling.settings.client_id, state)
    if params.get("decisao") != "autorizar":
        denial = "The user denied access to your application"
        return _back(bling, error="access_denied", error_description=denial, state=state)
    return _back(bling, code=bling.authorise(), state=state)


async def token(bling: Bling, request: Request) -> Response:
    """`POST /oauth/token`: troca um código ou um refresh token por um par novo."""
    if request.method != "POST":
        text = "The request method must be POST when requesting an access token"
        raise oauth_error(405, "invalid_request", text)
    fields = await form_fields(request)
    grant_type = fields.get("grant_type")
    if not grant_type:
        raise oauth_error(400, "invalid_request", "The grant type was not specified in the request")
    if grant_type not in _PARAMETER:
        raise oauth_error(400, "unsupported_grant_type", f'Grant type "{grant_type}" not supported')
    check_basic(request, bling.settings)
    return json_response(_trade(bling, grant_type, fields, jwt=wants_jwt(request)))


async def revoke(bling: Bling, request: Request) -> Response:
    """`POST /oauth/revoke`: um token, ou tudo quando `revoke_action` é dado."""
    if request.method != "POST":
        raise oauth_error(405, "invalid_request", "The request method must be POST when revoking an access token")
    check_basic(request, bling.settings)
    fields = await form_fields(request)
    if not fields.get("token"):
        raise oauth_error(400, "invalid_request", "Missing token parameter to revoke")
    if fields.get("revoke_action"):
        bling.grants.revoke_all()
    else:
        bling.grants.revoke(fields["token"])
    return json_response({"revoked": True})


async def form_fields(request: Request) -> dict[str, str]:
    """Os campos de um formulário; um corpo de outro tipo não tem campos."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    body = (await request.body()).decode(errors="replace")
    return {name: values[-1] for name, values in parse_qs(body, keep_blank_values=True).items()}


def _trade(bling: Bling, grant_type: str, fields: dict[str, str], *, jwt: bool) -> Json:
    parameter = _PARAMETER[grant_type]
    value = fields.get(parameter)
    if not value:
        raise oauth_error(400, "invalid_request", f'Missing parameter: "{parameter}" is required')
    if grant_type == "authorization_code":
        return bling.grants.exchange(value, jwt=jwt)
    return bling.grants.rotate(value, jwt=jwt)


def _back(bling: Bling, **params: str) -> Response:
    """De volta ao aplicativo, sempre no endereço registrado."""
    uri = bling.settings.redirect_uri
    joiner = "&" if "?" in uri else "?"
    return RedirectResponse(f"{uri}{joiner}{urlencode(params)}", 302)
