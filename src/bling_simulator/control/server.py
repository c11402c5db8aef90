"""Rotas de controle sobre o servidor: configurações, tokens, defeitos e contadores."""

from dataclasses import asdict

from fastapi import APIRouter

from bling_simulator.bling import Bling
from bling_simulator.control.requests import Fields, refusals
from bling_simulator.faults import FaultRule
from bling_simulator.payload import Json


def settings_routes(bling: Bling) -> APIRouter:
    router = APIRouter()

    @router.get("/settings")
    def show() -> Json:
        return asdict(bling.settings)

    @router.patch("/settings")
    def change(fields: Fields) -> Json:
        """Troca limites, demora, manias e o mais que `SimulatorSettings` tem; devolve tudo."""
        if "missing_scopes" in fields:
            fields["missing_scopes"] = frozenset(fields["missing_scopes"])
        with refusals():
            bling.configure(**fields)
        return show()

    @router.post("/forgive", status_code=204)
    def forgive() -> None:
        """Desbloqueia os endereços IP bloqueados."""
        bling.ip_limits.forgive()

    return router


def token_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/tokens")

    @router.post("")
    def grant(jwt: bool = False) -> Json:
        """Um par de tokens pronto, sem passar pelo navegador."""
        return bling.grant(jwt=jwt)

    @router.post("/code")
    def authorise() -> Json:
        """Um código de autorização, como se o usuário tivesse consentido."""
        return {"code": bling.authorise()}

    @router.post("/expire", status_code=204)
    def expire() -> None:
        """Vence agora os access tokens; os refresh tokens continuam valendo."""
        bling.expire_access_tokens()

    @router.post("/revoke", status_code=204)
    def revoke() -> None:
        """O usuário revoga o aplicativo."""
        bling.revoke_all()

    return router


def fault_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/faults")

    @router.get("")
    def listing() -> list[Json]:
        return [{"id": rule_id, **asdict(rule), "fired": fired} for rule_id, rule, fired in bling.faults]

    @router.post("", status_code=201)
    def add(rule: FaultRule) -> Json:
        """Liga uma regra; devolve o `id` para desligá-la."""
        with refusals():
            return {"id": bling.faults.add(rule)}

    @router.delete("/{rule_id}", status_code=204)
    def remove(rule_id: int) -> None:
        with refusals():
            bling.faults.remove(rule_id)

    @router.delete("", status_code=204)
    def clear() -> None:
        bling.faults.clear()

    return router


def counter_routes(bling: Bling) -> APIRouter:
    router = APIRouter(prefix="/counters")

    @router.get("")
    def show() -> Json:
        return bling.counters.as_json()

    @router.delete("", status_code=204)
    def reset() -> None:
        bling.counters.reset()

    return router
