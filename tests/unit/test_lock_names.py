"""Os nomes das trancas que processos de versões diferentes dividem: mudar um deixaria dois passarem ao mesmo tempo."""

from pathlib import Path

import bling_collector

KEYS = {
    "auth/token_store.py": "current_schema() || 'bling_collector.tokens'",
    "alarms/states.py": "current_schema() || 'bling_collector.alarms'",
    "db/broker.py": '_LOCK: Final = "bling_collector.broker"',
    "db/events.py": "current_schema() || 'bling_collector.events'",
    "db/extracts.py": "current_schema() || 'bling_collector.export'",
    "db/run_lock.py": "current_schema() || 'bling_collector.run'",
    "db/companies/united.py": "|| 'bling_collector.todas'",
    "db/sums.py": "current_schema() || 'bling_collector.sums'",
    "db/schema.py": 'SCHEMA_LOCK = "bling_collector.schema"\nCOMPANIES_LOCK = "bling_collector.empresas"',
}


def test_each_lock_keeps_its_name() -> None:
    root = Path(bling_collector.__file__).parent
    for path, key in KEYS.items():
        assert key in (root / path).read_text("utf-8"), path
    locked = {
        str(path.relative_to(root)) for path in root.rglob("*.py") if "hashtextextended" in path.read_text("utf-8")
    }
    assert locked == KEYS.keys()
