# Cada conta de serviço com o que usa, e mais nada.

locals {
  # Quem recebe os avisos está aberto à internet: é outra conta, que não pode chamar o serviço fechado.
  runners = { for name, title in {
    cloudrun = "O coletor do Bling: o serviço, o Job, e em nome de quem o Scheduler chama o serviço"
    webhooks = "Quem recebe os avisos do Bling"
  } : name => title if name != "webhooks" || var.webhooks }
}

resource "google_service_account" "runners" {
  for_each = local.runners

  account_id   = "${var.name}-${each.key}-sa"
  display_name = each.value

  depends_on = [google_project_service.apis]
}

resource "google_project_iam_member" "database" {
  for_each = google_service_account.runners

  project = var.project
  role    = "roles/cloudsql.client"
  member  = each.value.member
}

resource "google_secret_manager_secret_iam_member" "readers" {
  for_each = merge([for account in keys(local.runners) : {
    for secret in local.read_by[account] : "${account} ${secret}" => { account = account, secret = secret }
  }]...)

  secret_id = google_secret_manager_secret.secrets[each.value.secret].id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.runners[each.value.account].member
}

resource "google_cloud_run_v2_service_iam_member" "scheduler" {
  name     = google_cloud_run_v2_service.services["collector"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = google_service_account.runners["cloudrun"].member
}

resource "google_service_account_iam_member" "scheduler" {
  service_account_id = google_service_account.runners["cloudrun"].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = "serviceAccount:service-${data.google_project.this.number}@gcp-sa-cloudscheduler.iam.gserviceaccount.com"

  depends_on = [google_cloud_scheduler_job.daily] # é ao criar o primeiro agendamento que o Google cria essa conta
}

# A internet, e só no serviço que confere a assinatura de cada aviso.
resource "google_cloud_run_v2_service_iam_member" "internet" {
  count = var.webhooks ? 1 : 0

  name     = google_cloud_run_v2_service.services["webhooks"].name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers"
}
