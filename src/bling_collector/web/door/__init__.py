"""A porta do serviço: quem pode chamar, de onde e quanto; de que empresa é o endereço."""
