"""O ritmo da conta, em números.

Referência: developer.bling.com.br/limites. O que não está lá foi medido, ou é folga nossa.
"""

from typing import Final

PER_SECOND: Final = 3
"""Requisições por segundo que o Bling aceita de uma conta, de todos os aplicativos dela."""
PER_DAY: Final = 120_000
"""Requisições por dia, também da conta inteira. A hora da virada não está documentada: supomos 0 h de Brasília."""

SPACING: Final = 0.35
PERIOD: Final = 1.0
MARGIN: Final = 0.05
"""Segundos além de um que a janela tem: o Bling conta as chegadas, e a rede as aproxima (medido). A 0,35 s uma da outra
as requisições já a têm."""
LATENESS: Final = 0.02
"""Segundos depois da sua vez em que uma requisição ainda pode sair."""
MOST_LOST_TURNS: Final = 3
"""Vezes que uma requisição pode perder a sua; depois disso sai como está."""
MARGIN_STEP: Final = 0.02
"""Segundos que a margem ganha a cada 429."""
MARGIN_MAX: Final = 1.0
MARGIN_DECAY: Final = 0.0002
"""Segundos que a margem perde a cada resposta aceita: cem delas desfazem um 429."""

HOLD: Final = 1.25
"""Segundos sem começar nada depois de um 429 (medido: de 1 a 1,5 s bastam)."""
SLOWEST: Final = 0.125
"""A menor fração do ritmo a que os 429 o levam, cada um à metade."""
RECOVERY: Final = 0.02
"""Quanto do ritmo volta a cada resposta aceita: vinte e cinco delas desfazem uma metade."""

FAILURES_IN_A_ROW: Final = 100
"""Recursos que falham em seguida (sem resposta, 5xx, página em vez de JSON) e que abrem o disjuntor."""
SUSPECTS: Final = 10
"""Recursos que falham em seguida até que se pergunte, por um que já respondeu, se a falha é do Bling ou deles."""
BLOCKED_WEIGHT: Final = 34
"""Quantas falhas vale uma página no lugar de um 403 ou de um 429, o sinal de um IP bloqueado."""
ERRORS_WINDOW: Final = 10.0
MOST_ERRORS: Final = 100
"""Respostas de erro em `ERRORS_WINDOW` segundos que abrem o disjuntor: o Bling bloqueia o IP com 300."""
FIRST_PAUSE: Final = 30.0
"""Segundos do disjuntor aberto; dobram a cada vez que a requisição de prova também falha."""
LONGEST_PAUSE: Final = 120.0
LONGEST_PATIENCE: Final = 300.0
"""Segundos de pausa que uma requisição espera ao todo: depois de três pausas que não adiantaram, a execução acaba."""
BLOCK_PAUSE: Final = 600.0
"""Segundos de espera quando o IP parece bloqueado: o menor bloqueio que o Bling documenta."""
PROBE: Final = 60.0
"""Segundos que a requisição de prova tem, sozinha, antes que outro processo tente a sua."""

IP_WINDOW: Final = 10.0
"""Segundos em que o Bling conta as requisições (`API_IP_LIMIT`) e os erros de um IP."""
IP_SLACK: Final = 1.2
"""A folga que se guarda dele: o que um processo tomou e ainda não mandou, e a rede que as aproxima."""
IP_ERRORS: Final = 250
"""E respostas de erro, de todas as contas juntas, até que se espere: o Bling bloqueia com 300."""

TOKEN_WINDOW: Final = 60.0
MOST_TOKEN_CALLS: Final = 10
"""Pedidos de token em `TOKEN_WINDOW` segundos: o Bling bloqueia o IP por uma hora com 20."""
