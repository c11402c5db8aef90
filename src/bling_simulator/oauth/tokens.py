"""As formas de um token: 40 hexadecimais, ou um JWT comprido."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from random import Random

SCOPES = (98309, 98313, 98314, 318257565, 318257570, 363921589, 1869535257, 5862218180)
"""O Bling dá os escopos como números; os nomes não aparecem."""


def opaque_token(rng: Random) -> str:
    return f"{rng.getrandbits(160):040x}"


def jwt_token(rng: Random, client_id: str, secret: str, expires: datetime) -> str:
    """Um JWT com mais de 1 500 caracteres, como os medidos: usuário, empresa e escopos vão dentro."""
    header = {"alg": "HS256", "typ": "JWT"}
    claims = {
        "jti": opaque_token(rng),
        "iss": "https://www.bling.com.br",
        "aud": client_id,
        "sub": "usuario@soldovale.example",
        "exp": int(expires.timestamp()),
        "scope": " ".join(map(str, SCOPES)),
        "permissoes": [f"{rng.getrandbits(256):064x}" for _ in range(20)],
    }
    body = ".".join(_segment(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.new(secret.encode(), body.encode(), hashlib.sha256).digest()
    return f"{body}.{_segment(signature)}"


def _segment(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
