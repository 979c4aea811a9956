"""Runs workflows with scripted answers instead of functions (run by the Python of `.tools/ministack`).

It takes a JSON list of cases on standard input and prints a list of runs. The engine is the emulator's, mended as the
local cloud mends it (`launcher`, found through PYTHONPATH); no server, no function, no pause is involved.

case: {"definition", "name", "input", "answers": {function: [answer, ...]}}; the last answer of a list is repeated.
answer: {"return": payload} | {"error": name} | {"complete": output} (answers, and completes the task token)
        | {} (answers, and leaves the token alone)
run: {"status", "output", "error", "states": [...], "calls": [[function, payload], ...]}
"""

import json
import sys
import threading
from typing import Any

import launcher  # type: ignore[import-not-found]  # lies in tools/local_cloud, on PYTHONPATH here
from ministack.services import stepfunctions

type Json = dict[str, Any]


class Functions:
    """What stands in for Lambda."""

    def __init__(self, answers: dict[str, list[Json]]) -> None:
        self._answers = {name: list(given) for name, given in answers.items()}
        self.calls: list[tuple[str, Any]] = []

    def call(self, function: str, event: Any) -> Any:  # noqa: ANN401 - JSON
        """Give the next scripted answer."""
        self.calls.append((function, json.loads(json.dumps(event))))
        script = self._answers[function]
        answer = script.pop(0) if len(script) > 1 else script[0]
        if "error" in answer:
            raise stepfunctions._ExecutionError(answer["error"], json.dumps({"errorType": answer["error"]}))
        if "complete" in answer:
            stepfunctions._send_task_success(
                {"taskToken": event["taskToken"], "output": json.dumps(answer["complete"])}
            )
        return answer.get("return", {})


def run(case: Json) -> Json:
    """Run one case to its end."""
    functions = Functions(case["answers"])
    stepfunctions._call_lambda = launcher.with_failing_callback(functions.call, stepfunctions._task_tokens.get)
    machine = json.loads(
        stepfunctions._create_state_machine({"name": case["id"], "definition": json.dumps(case["definition"])})[2]
    )
    started = json.loads(
        stepfunctions._start_execution(
            {
                "stateMachineArn": machine["stateMachineArn"],
                "name": case["name"],
                "input": json.dumps(case["input"]),
            }
        )[2]
    )
    execution = stepfunctions._executions[started["executionArn"]]
    for thread in threading.enumerate():
        if thread.daemon and thread is not threading.current_thread():
            thread.join()
    entered = [event for event in execution["events"] if event["type"].endswith("StateEntered")]
    return {
        "status": execution["status"],
        "output": json.loads(execution["output"] or "null"),
        "error": execution.get("error"),
        "states": [event["stateEnteredEventDetails"]["name"] for event in entered],
        "calls": functions.calls,
        "history": execution["events"],
    }


def main() -> None:
    """Run all cases of standard input."""
    stepfunctions._SFN_WAIT_SCALE = 0.0
    stepfunctions.time.sleep = lambda _seconds: None
    launcher.mend_state_machines(stepfunctions)
    json.dump([run(case) for case in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    main()
