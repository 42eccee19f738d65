"""What every room stands on: errors, paths, typed YAML, atomic files, hashes, provenance, tables,
number formats.
"""
