"""As leituras, que nada gravam: a situação, o que se deve, a idade dos dados, os recursos."""
