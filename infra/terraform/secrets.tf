# Só os segredos, sem valor: o valor põe-se com o gcloud e não passa pelo estado do Terraform.

locals {
  secrets = setunion(["BLING_CLIENT_ID", "BLING_CLIENT_SECRET", "DATABASE_URL"], var.optional_secrets)

  # Quem lê o quê. Quem recebe os avisos não usa os tokens do Bling nem avisa ninguém.
  read_by = {
    cloudrun = local.secrets
    webhooks = setsubtract(local.secrets, ["ALERT_URLS", "TOKEN_ENCRYPTION_KEY"])
  }
}

resource "google_secret_manager_secret" "secrets" {
  for_each = local.secrets

  secret_id = replace(lower(each.value), "_", "-")

  replication {
    auto {}
  }

  depends_on = [google_project_service.apis]
}
