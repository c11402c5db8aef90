"""Um Bling de mentira, fiel ao que se sabe do verdadeiro: OAuth, limites, listagens, detalhes e defeitos.

Porta de entrada: `create_app` (aplicação ASGI), `running` (servidor em segundo plano) e `Bling`, a alça
com que um teste emite notas, muda cadastros, liga falhas e confere a verdade sem passar por HTTP.
"""

from bling_simulator.app import create_app
from bling_simulator.bling import Bling
from bling_simulator.clock import Clock, ManualClock, SystemClock
from bling_simulator.faults import FaultRule
from bling_simulator.gate import DroppedConnectionError
from bling_simulator.server import running, serve
from bling_simulator.settings import SimulatorSettings

__all__ = [
    "Bling",
    "Clock",
    "DroppedConnectionError",
    "FaultRule",
    "ManualClock",
    "SimulatorSettings",
    "SystemClock",
    "create_app",
    "running",
    "serve",
]
