"""As páginas do painel que tratam da coleta; as do negócio estão em negocio/."""
