#!/usr/bin/env bash
# Cria ou atualiza o agendamento diário: POST /run às 06:00 de São Paulo, com token OIDC.
# Uso: infra/agendar.sh   (PROJECT, REGION, SERVICE e JOB mudam os padrões)
set -euo pipefail

PROJECT="${PROJECT:-sol-engrenagens}"
REGION="${REGION:-us-central1}"
SERVICE="${SERVICE:-sol-bling-collector}"
JOB="${JOB:-sol-bling-daily-run}"

if [ $# -gt 0 ]; then
  sed -n '2,3s/^# //p' "$0"
  exit 0
fi

url="$(gcloud run services describe "$SERVICE" --project "$PROJECT" --region "$REGION" --format 'value(status.url)')"
common=(--project "$PROJECT" --location "$REGION")
if gcloud scheduler jobs describe "$JOB" "${common[@]}" >/dev/null 2>&1; then action=update; else action=create; fi

gcloud scheduler jobs "$action" http "$JOB" "${common[@]}" \
  --schedule "0 6 * * *" \
  --time-zone "America/Sao_Paulo" \
  --uri "$url/run" \
  --http-method POST \
  --oidc-service-account-email "sol-cloudrun-sa@$PROJECT.iam.gserviceaccount.com" \
  --oidc-token-audience "$url" \
  --attempt-deadline 900s
