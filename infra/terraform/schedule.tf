resource "google_cloud_scheduler_job" "daily" {
  name             = "${var.name}-bling-daily-run"
  region           = var.region
  schedule         = var.schedule
  time_zone        = var.time_zone
  attempt_deadline = "900s"

  http_target {
    http_method = "POST"
    uri         = "${google_cloud_run_v2_service.services["collector"].uri}/run"

    oidc_token {
      service_account_email = google_service_account.runners["cloudrun"].email
      audience              = google_cloud_run_v2_service.services["collector"].uri
    }
  }
}
