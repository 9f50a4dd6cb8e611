"""How any fitted model is asked: seeing through pipelines, and who tells its law."""
