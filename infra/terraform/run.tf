locals {
  # O fechado, em que só entra quem o IAM autoriza, e o aberto, que só recebe os avisos do Bling, cada um com a sua
  # assinatura. Sem argumentos, vale o comando da imagem.
  services = { for name, service in {
    collector = {
      account     = "cloudrun"
      args        = null
      timeout     = "3600s"
      concurrency = 10
      # Quem confere quem chama é o IAM, e ao serviço é preciso dizê-lo com todas as letras.
      settings = merge({
        ALLOW_UNAUTHENTICATED = "true"
        ALLOWED_HOSTS         = "*.run.app"
      }, var.settings)
    }
    webhooks = {
      account     = "webhooks"
      args        = ["bling-collector", "serve-webhooks", "--host", "0.0.0.0"]
      timeout     = "30s"
      concurrency = 20
      settings    = var.settings
    }
  } : name => service if name != "webhooks" || var.webhooks }

  # Sem ela, uma execução no Cloud Run para com jeito aos 55 minutos, que são os de um pedido; o Job tem um dia.
  job_settings = merge({ RUN_MAX_SECONDS = "85800" }, var.settings)
}

resource "google_cloud_run_v2_service" "services" {
  for_each = local.services

  name     = "${var.name}-bling-${each.key}"
  location = var.region

  template {
    service_account                  = google_service_account.runners[each.value.account].email
    timeout                          = each.value.timeout
    max_instance_request_concurrency = each.value.concurrency

    scaling {
      min_instance_count = 0
      max_instance_count = 1 # uma conta do Bling, um ritmo
    }

    containers {
      image = var.image
      args  = each.value.args

      resources {
        limits            = { cpu = "1", memory = "512Mi" }
        cpu_idle          = true # fora de um pedido não há CPU: coleta quem chama POST /run, e não um worker
        startup_cpu_boost = true
      }

      dynamic "env" {
        for_each = each.value.settings
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = local.read_by[each.value.account]
        content {
          name = env.value
          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.secrets[env.value].secret_id
              version = "latest"
            }
          }
        }
      }

      volume_mounts {
        name       = "cloudsql"
        mount_path = "/cloudsql"
      }
    }

    volumes {
      name = "cloudsql"
      cloud_sql_instance {
        instances = [google_sql_database_instance.postgres.connection_name]
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version, template[0].containers[0].image, template[0].revision]
  }

  depends_on = [google_secret_manager_secret_iam_member.readers]
}

# O que não cabe em uma hora. Sem argumentos faz a execução diária; a carga histórica pede-se ao executá-lo.
resource "google_cloud_run_v2_job" "load" {
  name     = "${var.name}-bling-load"
  location = var.region

  template {
    template {
      service_account = google_service_account.runners["cloudrun"].email
      timeout         = "86400s"
      max_retries     = 0 # o que faltou fica devido no banco; repetir na hora, sem cota, não adiantaria

      containers {
        image = var.image
        args  = ["bling-collector", "run"]

        resources {
          limits = { cpu = "1", memory = "512Mi" }
        }

        dynamic "env" {
          for_each = local.job_settings
          content {
            name  = env.key
            value = env.value
          }
        }

        dynamic "env" {
          for_each = local.secrets
          content {
            name = env.value
            value_source {
              secret_key_ref {
                secret  = google_secret_manager_secret.secrets[env.value].secret_id
                version = "latest"
              }
            }
          }
        }

        volume_mounts {
          name       = "cloudsql"
          mount_path = "/cloudsql"
        }
      }

      volumes {
        name = "cloudsql"
        cloud_sql_instance {
          instances = [google_sql_database_instance.postgres.connection_name]
        }
      }
    }
  }

  lifecycle {
    ignore_changes = [client, client_version, template[0].template[0].containers[0].image]
  }

  depends_on = [google_secret_manager_secret_iam_member.readers]
}
