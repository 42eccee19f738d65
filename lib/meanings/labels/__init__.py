"""Labels of generated answers, gains by kind of label, and annotation by other readers."""
