"""O servidor de autorização: consentimento, códigos, tokens e o que acontece quando são mal usados."""
