"""How the weights are made; needs the extra [train]. Nothing else in the package imports it."""
