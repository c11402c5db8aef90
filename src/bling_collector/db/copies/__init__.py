"""As cópias de segurança: fazê-las e pô-las de volta."""
