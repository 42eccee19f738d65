"""Small stand-ins that tests share: a model, data folders, synthetic cells, a process that forks
commands.
"""
