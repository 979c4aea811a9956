"""What a function does differently while it starts in Lambda: it loads six hundred modules, which takes most of it.

- Garbage collection: nothing that is loaded then is garbage, and to look through it again and again takes a twentieth
  of the start. What is there afterwards is left out of every later collection (`gc.freeze`).
- Pydantic looks through the metadata of every installed package for plugins. There are none.
- Methods of data classes and regular expressions would be compiled: the build has done it (compiled.py).
- `requests` warns where there is no package that guesses the character set of an answer. Nobody asks for that: answers
  are read as bytes, and the deployed layer has none (tools/local_cloud/pruning.py): it takes 3 MB of memory.
"""

import gc
import os
import warnings

from direct_debit.starting.compiled import stop_using_compiled, use_compiled


def in_lambda() -> bool:
    """Whether this process is a function of AWS Lambda, and no test or tool."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def begin_start() -> None:
    """Prepare for loading, before anything else is loaded."""
    if in_lambda():
        gc.disable()
        use_compiled()
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        warnings.filterwarnings("ignore", "Unable to find acceptable character detection dependency")


def end_start() -> None:
    """Collect again, but nothing of what is there by now."""
    if in_lambda():
        stop_using_compiled()
        gc.freeze()
        gc.enable()
