"""A downloaded notebook run where the book's packages and all that runs models are missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import meanings

MISSING = (
    "torch", "transformers", "nnsight", "myst_nb", "jupyter_book", "papermill", "jupytext",
    "sphinx", "myst_parser", "nbformat", "pybtex",
)  # fmt: skip
SCRIPT = """
import ast, json, sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

MISSING = set(json.loads(sys.argv[2]))
sys.meta_path.insert(0, Missing())
import matplotlib
matplotlib.use("agg")
scope, shown = {"__name__": "__main__"}, 0
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    tree = ast.parse("".join(cell["source"]))
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), scope)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), scope)
        shown += value is not None
print(json.dumps({"shown": shown, "loaded": sorted({n.split(".")[0] for n in sys.modules})}))
"""


def run(notebook: Path, data: Path | None = None) -> dict:
    """What a notebook showed (how many values) and loaded, run in its own folder.

    - `data`: in place of the project's data folder.
    """
    environment = dict(os.environ, PYTHONPATH=str(Path(meanings.__file__).parents[1]))
    environment.pop("MEANINGS_DATA", None)
    if data is not None:
        environment["MEANINGS_DATA"] = str(data)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, notebook.name, json.dumps(MISSING)],
        cwd=notebook.parent,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
