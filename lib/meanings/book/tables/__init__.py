"""Tables as pages show them."""
