"""The rules: a pair of module and page each, loaded by the engine."""
