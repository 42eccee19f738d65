"""One module of figures per subject; `style` holds what all share."""
