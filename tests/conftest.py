"""One Hypothesis profile for every property test; tests change `max_examples` and nothing about time or storage."""

import os

from hypothesis import HealthCheck, settings

PROFILE = "house"

settings.register_profile(
    PROFILE,
    # How fast the machine is says nothing about the product: no deadline, and no check of how long inputs take. The
    # other health checks count (inputs too large, too many thrown away): they say the same on every machine, and stay.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # Nothing that an earlier run found is kept: a checkout passes or fails by what is in it. A failure prints the line
    # that repeats it instead.
    database=None,
    print_blob=True,
    # In continuous integration a commit always gets the same examples, so that a red run is the change's fault.
    # Elsewhere each run tries new ones: that is how they find what nobody thought of.
    derandomize="CI" in os.environ,
)
settings.load_profile(PROFILE)
