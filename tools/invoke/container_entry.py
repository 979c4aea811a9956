"""The handler of every function in a container of `sam local`: the checkout is mounted, so that an edit shows.

A container has the whole checkout as its code, without layers. `FUNCTION_SOURCES` names the folders that a deployed
function has in its own package and in its layers, in their order; the handler is then the function's own.
"""

import importlib
import os
import sys

sys.path[:0] = os.environ["FUNCTION_SOURCES"].split(os.pathsep)

handler = importlib.import_module("handler").handler
