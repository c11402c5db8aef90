# A publicação, pela Workload Identity Federation: nenhuma chave guardada, e só a main deste repositório.

resource "google_iam_workload_identity_pool" "github" {
  workload_identity_pool_id = "github-pool"

  depends_on = [google_project_service.apis]
}

resource "google_iam_workload_identity_pool_provider" "github" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.github.workload_identity_pool_id
  workload_identity_pool_provider_id = "github-provider"
  attribute_condition                = "assertion.repository == '${var.repository}' && assertion.ref == 'refs/heads/main'"

  attribute_mapping = {
    "google.subject"       = "assertion.sub"
    "attribute.repository" = "assertion.repository"
  }

  oidc {
    issuer_uri = "https://token.actions.githubusercontent.com"
  }
}

resource "google_service_account" "github" {
  account_id   = "github-actions-sa"
  display_name = "A publicação"

  depends_on = [google_project_service.apis]
}

resource "google_service_account_iam_member" "github" {
  service_account_id = google_service_account.github.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.github.name}/attribute.repository/${var.repository}"
}

# Troca a imagem do que já existe; quem pode chamar o quê, não muda.
resource "google_project_iam_member" "github" {
  project = var.project
  role    = "roles/run.developer"
  member  = google_service_account.github.member
}

resource "google_artifact_registry_repository_iam_member" "github" {
  repository = google_artifact_registry_repository.images.name
  location   = var.region
  role       = "roles/artifactregistry.writer"
  member     = google_service_account.github.member
}

resource "google_service_account_iam_member" "acts_as" {
  for_each = google_service_account.runners

  service_account_id = each.value.name
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.github.member
}
