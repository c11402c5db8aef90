"""O Google Cloud em infra/terraform: o que se pode conferir sem ele nem os seus provedores."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

import click
import hcl2

from bling_collector.cli.commands import cli
from bling_collector.config import Secret, Settings
from docs import gerar

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "terraform"
CODE = "\n".join(re.sub(r"#.*", "", path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.tf")))
DEPLOY = (ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8")

VARIABLES = {variable.name.upper() for variable in fields(Settings)}
SECRET = {name.upper() for name, kind in get_type_hints(Settings).items() if Secret in (kind, *get_args(kind))}
CREDENTIALS = {"BLING_CLIENT_ID", "BLING_CLIENT_SECRET", "DATABASE_URL"}


def _plain(value: Any) -> Any:
    """Sem as aspas e os `${}` com que o leitor distingue um texto de uma expressão."""
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items() if key not in ("__is_block__", "__comments__")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value[2:-1] if value.startswith("${") and value.endswith("}") else value.strip('"')
    return value


def _blocks(kind: str) -> Iterator[tuple[str, Any]]:
    """Cada `variable`, `output`, `locals`… e o que diz; de um recurso, o nome é `tipo.nome`."""
    for path in sorted(FOLDER.glob("*.tf")):
        for block in _plain(hcl2.loads(path.read_text("utf-8"))).get(kind, []):
            for name, body in block.items():
                if kind in ("resource", "data"):
                    yield from ((f"{name}.{own}", inside) for own, inside in body.items())
                else:
                    yield name, body


RESOURCES = dict(_blocks("resource"))
LOCALS = dict(_blocks("locals"))
SERVICE = RESOURCES["google_cloud_run_v2_service.services"]["template"][0]
JOB = RESOURCES["google_cloud_run_v2_job.load"]["template"][0]["template"][0]


def test_every_variable_says_what_it_is_and_is_used() -> None:
    elsewhere = "".join(text for text in re.split(r"(?m)^(?=\w+ )", CODE) if not text.startswith("variable "))
    for name, variable in _blocks("variable"):
        assert variable["description"].endswith("."), name
        assert variable["type"], name
        assert f"var.{name}" in elsewhere, name
    for name, output in _blocks("output"):
        assert output["description"].endswith("."), name


def test_what_is_named_is_declared() -> None:
    declared = {f"var.{name}" for name, _ in _blocks("variable")} | {f"local.{name}" for name in LOCALS}
    declared |= RESOURCES.keys() | {f"data.{name}" for name, _ in _blocks("data")}
    used = re.findall(r"(?<![\w.-])(?:(?:var|local)\.\w+|(?:data\.)?google_\w+\.\w+)", CODE)
    assert set(used) - declared == set()


def test_every_environment_variable_is_one_of_the_settings_and_the_secret_ones_come_from_secret_manager() -> None:
    plain = set(re.findall(r"\b([A-Z_]{4,}) = ", LOCALS["services"] + LOCALS["job_settings"]))
    required = set(re.findall(r"[A-Z_]{4,}", LOCALS["secrets"]))
    kept_from_webhooks = set(re.findall(r"[A-Z_]{4,}", LOCALS["read_by"]["webhooks"]))
    assert plain == {"ALLOW_UNAUTHENTICATED", "ALLOWED_HOSTS", "RUN_MAX_SECONDS"}
    assert required == CREDENTIALS
    assert kept_from_webhooks == SECRET - CREDENTIALS - {"API_TOKEN"}  # quem confere quem chama é o IAM
    assert plain | required <= VARIABLES
    assert plain & SECRET == set()
    for containers in (SERVICE["containers"], JOB["containers"]):
        texts, secrets = (env["env"]["content"][0] for env in containers[0]["dynamic"])
        assert texts.keys() == {"name", "value"}
        reference = secrets["value_source"][0]["secret_key_ref"][0]
        assert reference["secret"] == "google_secret_manager_secret.secrets[env.value].secret_id"


def test_no_secret_value_passes_through_the_state() -> None:
    kinds = {name.partition(".")[0] for name in RESOURCES}
    assert kinds & {"google_secret_manager_secret_version", "google_sql_user", "google_service_account_key"} == set()
    assert re.findall(r"(?im)^\s*\w*(?:password|secret_data|private_key)\w* *=", CODE) == []


def test_each_account_has_only_the_roles_it_uses() -> None:
    granted = {
        (name.partition(".")[0].removeprefix("google_").removesuffix("_iam_member"), body["role"], body["member"])
        for name, body in RESOURCES.items()
        if "_iam_" in name and "role" in body
    }
    github, collector = "google_service_account.github.member", 'google_service_account.runners["cloudrun"].member'
    assert {(where, role) for where, role, member in granted if member == github} == {
        ("project", "roles/run.developer"),
        ("artifact_registry_repository", "roles/artifactregistry.writer"),
        ("service_account", "roles/iam.serviceAccountUser"),
    }
    assert {(where, role) for where, role, member in granted if member != github} == {
        ("project", "roles/cloudsql.client"),
        ("secret_manager_secret", "roles/secretmanager.secretAccessor"),
        ("cloud_run_v2_service", "roles/run.invoker"),
        ("service_account", "roles/iam.serviceAccountTokenCreator"),
        ("service_account", "roles/iam.workloadIdentityUser"),
    }
    who_calls = {body["name"]: body["member"] for body in RESOURCES.values() if body.get("role") == "roles/run.invoker"}
    assert who_calls == {
        'google_cloud_run_v2_service.services["collector"].name': collector,
        'google_cloud_run_v2_service.services["webhooks"].name': "allUsers",
    }


def test_the_commands_exist() -> None:
    known = dict(gerar.commands(cli))
    lists = [*re.findall(r"args = \[(.*?)\]", LOCALS["services"]), ", ".join(JOB["containers"][0]["args"])]
    assert len(lists) == 2
    for words in ([word.strip('" ') for word in each.split(",")] for each in lists):
        assert words[0] == "bling-collector"
        options = {o for p in known[words[1]].params if isinstance(p, click.Option) for o in p.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_a_run_in_the_job_ends_gently_ten_minutes_before_it_is_cut() -> None:
    assert f'RUN_MAX_SECONDS = "{int(JOB["timeout"].removesuffix("s")) - 600}"' in LOCALS["job_settings"]
    assert "--set-env-vars RUN_MAX_SECONDS=85800" in (ROOT / "infra" / "README.md").read_text("utf-8")


def test_the_names_and_the_limits_are_those_of_the_deployment_and_of_the_schedule_by_hand() -> None:
    own = _plain(hcl2.loads((FOLDER / "sol.tfvars").read_text("utf-8")))
    by_hand = (ROOT / "infra" / "agendar.sh").read_text("utf-8")
    defaults = {name: variable.get("default") for name, variable in _blocks("variable")}
    service, daily = RESOURCES["google_cloud_run_v2_service.services"], RESOURCES["google_cloud_scheduler_job.daily"]
    container, scaling = SERVICE["containers"][0]["resources"][0], SERVICE["scaling"][0]
    limits = dict(re.findall(r'(timeout|concurrency) = "?(\d+)', LOCALS["services"].partition("webhooks = ")[0]))

    def named(text: str, key: str = "") -> str:
        return str(text).replace("${var.name}", own["name"]).replace("${each.key}", key)

    for written in (
        f"PROJECT: {own['project']}",
        f"REGION: {defaults['region']}",
        f"SERVICE: {named(service['name'], 'collector')}",
        f"WEBHOOKS: {named(service['name'], 'webhooks')}",
        f"JOB: {named(RESOURCES['google_cloud_run_v2_job.load']['name'])}",
        f"IMAGE: {own['image'].rpartition(':')[0]}:",
        f"/{named(RESOURCES['google_artifact_registry_repository.images']['repository_id'])}/",
        f"$PROJECT:$REGION:{named(RESOURCES['google_sql_database_instance.postgres']['name'])}",
        f"{named(RESOURCES['google_service_account.runners']['account_id'], 'cloudrun')}@$PROJECT",
        f"{RESOURCES['google_service_account.github']['account_id']}@",
        f"/{RESOURCES['google_iam_workload_identity_pool.github']['workload_identity_pool_id']}/",
        f" --memory {container['limits']['memory']} ",
        f" --cpu {container['limits']['cpu']} ",
        f" --max-instances {scaling['max_instance_count']} ",
        f" --min-instances {scaling['min_instance_count']} ",
        f" --timeout {limits['timeout']} ",
        f" --concurrency {limits['concurrency']} ",
    ):
        assert written in DEPLOY
    for written in (
        named(daily["name"]),
        f'--schedule "{defaults["schedule"]}"',
        f'--time-zone "{defaults["time_zone"]}"',
        f"--attempt-deadline {daily['attempt_deadline']}",
    ):
        assert written in by_hand
