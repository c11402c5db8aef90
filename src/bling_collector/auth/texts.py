"""O que se diz a quem pode autorizar: as frases que mais de um lugar diz."""

from typing import Final

AGAIN: Final = "Autorize de novo pelo painel ou com `bling-collector auth`."
NEVER: Final = "Ainda não há autorização do Bling. Autorize com `bling-collector auth`."
IN_DOUBT: Final = (
    "Uma renovação do token foi enviada ao Bling e a resposta não chegou inteira. O refresh token vale uma vez só e "
    f"pode ter sido gasto, por isso não é enviado de novo. {AGAIN}"
)
SEALED: Final = (
    "Os tokens guardados estão cifrados com uma chave que não está em TOKEN_ENCRYPTION_KEY. Ponha-a de volta (numa "
    "troca, a antiga vem depois da nova, separada por vírgula) ou autorize de novo com `bling-collector auth`."
)


def allow(permission: str) -> str:
    """O que se faz para que o aplicativo tenha a permissão, pelo nome que ela tem no cadastro dele."""
    return (
        f"No cadastro do aplicativo, em developer.bling.com.br, marque «{permission}», salve e autorize de novo com "
        "`bling-collector auth`."
    )
