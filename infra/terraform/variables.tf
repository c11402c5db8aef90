variable "project" {
  description = "O projeto do Google Cloud."
  type        = string
}

variable "region" {
  description = "Onde fica tudo o que tem lugar."
  type        = string
  default     = "us-central1"
}

variable "name" {
  description = "O começo dos nomes: `sol` dá sol-bling-collector, sol-postgres, sol-docker."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,10}[a-z0-9]$", var.name))
    error_message = "De 2 a 12 letras minúsculas, números e hífens, a começar por uma letra: os nomes que saem dele têm limites."
  }
}

variable "repository" {
  description = "O repositório do GitHub que publica, DONO/REPOSITORIO: só a main dele."
  type        = string

  validation {
    condition     = can(regex("^[\\w.-]+/[\\w.-]+$", var.repository))
    error_message = "Precisa ser DONO/REPOSITORIO."
  }
}

variable "image" {
  description = "A imagem com que os serviços se criam; daí em diante, quem a troca é a publicação."
  type        = string
}

variable "database_tier" {
  description = "A máquina do Cloud SQL."
  type        = string
  default     = "db-g1-small"
}

variable "database_name" {
  description = "O banco."
  type        = string
  default     = "sol_dados"
}

variable "schedule" {
  description = "A hora da execução diária, em cron."
  type        = string
  default     = "0 6 * * *"
}

variable "time_zone" {
  description = "O fuso dessa hora."
  type        = string
  default     = "America/Sao_Paulo"
}

variable "settings" {
  description = "Outras variáveis do coletor que não são segredo, como { RECURSOS = \"todos\" }; valem sobre as que o serviço já tem."
  type        = map(string)
  default     = {}
}

variable "optional_secrets" {
  description = "Das variáveis secretas que se podem não ter, as que há; de outra empresa, como BLING_CLIENT_SECRET__FILIAL."
  type        = set(string)
  default     = []

  validation {
    condition = alltrue([
      for name in var.optional_secrets :
      can(regex("^(ALERT_URLS|TOKEN_ENCRYPTION_KEY|BLING_CLIENT_(ID|SECRET)__[A-Z0-9_]+)$", name))
    ])
    error_message = "São ALERT_URLS, TOKEN_ENCRYPTION_KEY, e o BLING_CLIENT_ID__NOME e o BLING_CLIENT_SECRET__NOME de cada outra empresa."
  }
}

variable "webhooks" {
  description = "Se há, ao lado do serviço fechado, um aberto à internet que só recebe os avisos do Bling."
  type        = bool
  default     = false
}
