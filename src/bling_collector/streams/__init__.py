"""Um arquivo por recurso do Bling: a declaração, o mapeamento puro e o que é só dele."""
