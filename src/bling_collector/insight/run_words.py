"""Os tipos e os desfechos de uma execução, por extenso."""

from typing import Final

KINDS: Final = {
    "run": "Coleta do dia",
    "run-full": "Carga histórica",
    "retry": "Nova tentativa",
    "reconcile": "Conferência",
    "reprocess": "Reprocessamento",
}
STATUSES: Final = {"success": "Completa", "partial": "Em parte", "error": "Falhou", "running": "Em curso"}
