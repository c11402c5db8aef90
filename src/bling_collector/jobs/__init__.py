"""O worker: a agenda, a fila de tarefas e o que se faz com cada uma."""
