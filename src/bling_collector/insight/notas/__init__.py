"""Uma nota, e a busca delas."""
