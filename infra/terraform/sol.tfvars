project    = "sol-engrenagens"
name       = "sol"
repository = "DONO/REPOSITORIO"
image      = "us-central1-docker.pkg.dev/sol-engrenagens/sol-docker/sol-bling-collector:inicial"
