"""The conversation engine: the flow language, its compiler, and the pure function that carries a conversation one event further."""
