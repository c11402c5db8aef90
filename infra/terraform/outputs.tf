output "service_url" {
  description = "O endereço do serviço fechado."
  value       = google_cloud_run_v2_service.services["collector"].uri
}

output "webhooks_url" {
  description = "O endereço que se registra no Bling, se há o serviço dos avisos."
  value       = var.webhooks ? "${google_cloud_run_v2_service.services["webhooks"].uri}/webhooks/bling" : null
}

output "database_url" {
  description = "A forma do segredo database-url."
  value       = "postgresql://USUARIO:SENHA@/${var.database_name}?host=/cloudsql/${google_sql_database_instance.postgres.connection_name}"
}

output "workload_identity_provider" {
  description = "O provedor que o workflow da publicação usa."
  value       = google_iam_workload_identity_pool_provider.github.name
}
