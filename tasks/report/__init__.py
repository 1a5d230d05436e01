"""Every word that an operator sees."""
