#!/bin/sh
# Confere infra/terraform: o formato, sempre; o esquema, se os provedores se alcançam. O que não pôde conferir, di-lo, e
# em CI é uma falha.
set -eu
cd "$(dirname "$0")/../infra/terraform"

if ! command -v terraform >/dev/null 2>&1; then
  echo "Falta o terraform: https://developer.hashicorp.com/terraform/install" >&2
  exit 1
fi
terraform fmt -check -diff -recursive -no-color . || {
  test $? -ne 3 || echo "O formato não é o do terraform: rode «terraform fmt -recursive infra/terraform»." >&2
  exit 1
}
echo "Formato: certo."

# Numa cópia, para que aqui não fique nada do que o init deixa.
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT
cp ./*.tf "$copy"
cd "$copy"
if ! problem="$(terraform init -backend=false -input=false -no-color 2>&1)"; then
  case "$problem" in
    *"Failed to query available provider packages"*)
      echo "Esquema: não conferido, porque daqui não se alcança o registro dos provedores." >&2
      test -z "${CI:-}"
      exit
      ;;
    *)
      echo "$problem" >&2
      exit 1
      ;;
  esac
fi
terraform validate -no-color
