# O usuário e a senha criam-se com o gcloud, e vão no segredo database-url: aqui ficariam no estado.

resource "google_sql_database_instance" "postgres" {
  name                = "${var.name}-postgres"
  database_version    = "POSTGRES_16"
  region              = var.region
  deletion_protection = true

  settings {
    tier            = var.database_tier
    edition         = "ENTERPRISE"
    disk_autoresize = true

    # Nenhuma rede é aceita: só se entra pelo soquete do Cloud Run e pelo Cloud SQL Auth Proxy, que passam pelo IAM.
    ip_configuration {
      ipv4_enabled = true
      ssl_mode     = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "04:00" # UTC: à uma da manhã em Brasília, longe da execução diária
      point_in_time_recovery_enabled = true
    }
  }

  depends_on = [google_project_service.apis]
}

resource "google_sql_database" "collector" {
  name     = var.database_name
  instance = google_sql_database_instance.postgres.name
}
