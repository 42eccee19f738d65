"""What pieces of code have a process load, each in a fork of its own: what they share is imported
once, before the forks.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

SCRIPT = """
import json, os, sys
shared, codes = json.load(sys.stdin)
for name in shared:
    __import__(name)
for name, code in codes.items():
    child = os.fork()
    if not child:
        exec(code, {"__name__": "__main__"})
        loaded = sorted({module.split(".")[0] for module in sys.modules})
        print(json.dumps([name, loaded]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def loaded_by(codes: Mapping[str, str], shared: Sequence[str] = ()) -> dict[str, set[str]]:
    """By name of the code, the packages that a process has loaded after it; a code that fails is
    left out.

    - `shared`: modules that are loaded before, and so are in every answer.
    """
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        input=json.dumps([shared, codes]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {name: set(loaded) for name, loaded in map(json.loads, said.stdout.splitlines())}
