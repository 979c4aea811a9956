"""How many executions an account has at once, and how many of them its queues and streams may take.

An account has 1,000 in a region, a new one often 10. All functions share them. A queue's pollers take up to
MaximumConcurrency of them, a stream's up to ParallelizationFactor for each shard; whoever comes then, a caller of the
API as well, is throttled. A new table on demand has four partitions, and so its stream four shards.

Source: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html;
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html;
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from collections.abc import Mapping
from typing import Any

NEW_ACCOUNT = 10
SHARDS_OF_A_NEW_TABLE = 4


def taken_by_pollers(mappings: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, object]) -> int:
    """Return how many executions the event source mappings of a translated template may take at once."""

    def number(value: object) -> int:
        return int(str(parameters[value["Ref"]] if isinstance(value, Mapping) else value))

    taken = 0
    for mapping in mappings.values():
        if "StartingPosition" in mapping:
            taken += SHARDS_OF_A_NEW_TABLE * number(mapping.get("ParallelizationFactor", 1))
        else:
            taken += number(mapping["ScalingConfig"]["MaximumConcurrency"])
    return taken
