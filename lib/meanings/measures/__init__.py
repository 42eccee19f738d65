"""What is measured of a checkpoint: one module per measure behind one interface, cells that name
it, results on disk.
"""
