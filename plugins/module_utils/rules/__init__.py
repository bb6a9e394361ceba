"""One class a rule, by product; registry.py names them all."""
