"""The library, and inside it what it reads: `data/` becomes `meanings/data`, the grids of
`book/parameters/` become `meanings/parameters`. Which of their files are taken stands in
pyproject.toml: no weights, and nothing that was fetched under terms of its own.
"""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages("lib"), "meanings.data", "meanings.parameters"],
    package_dir={
        "": "lib",
        "meanings.data": "data",
        "meanings.parameters": "book/parameters",
    },
)
