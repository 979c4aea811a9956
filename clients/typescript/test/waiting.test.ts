import assert from "node:assert/strict";
import { test } from "node:test";

import { NotFound, StillOpen } from "../src/index.js";
import { LOST, Stage, answer, binding, payment, problem } from "./stage.js";

test("it looks less and less often", async () => {
  const stage = new Stage();
  const answers = [payment("PROCESSING"), payment("UNKNOWN"), payment("OTP_PENDING"), payment("PAID")];
  const paid = await stage.call(answers, (client) => client.waitUntilFinal("INV1", 60));
  assert.equal(paid.state, "PAID");
  assert.deepEqual(stage.pauses, [1, 1.5, 2.25]);
});

test("the longest pause", async () => {
  const stage = new Stage({ pace: { first: 1, factor: 3, longest: 10 } });
  await stage.call([...Array<ReturnType<typeof payment>>(4).fill(payment("UNKNOWN")), payment("PAID")], (client) =>
    client.waitUntilFinal("INV1", 60),
  );
  assert.deepEqual(stage.pauses, [1, 3, 9, 10]);
});

for (const state of ["PAID", "FAILED", "REFUNDED", "NEEDS_REVIEW"]) {
  test(`a payment that is ${state} is final`, async () => {
    const stage = new Stage();
    await stage.call([payment(state)], (client) => client.waitUntilFinal("INV1", 60));
    assert.deepEqual(stage.pauses, []);
  });
}

for (const state of ["ACTIVE", "FAILED", "RELINK_REQUIRED", "UNBOUND"]) {
  test(`a link that is ${state} is no longer being linked`, async () => {
    const answers = [binding("REQUESTED"), binding("PENDING"), binding(state)];
    const seen = await new Stage().call(answers, (client) => client.waitUntilLinked("b1", 60));
    assert.equal(seen.state, state);
  });
}

for (const state of ["REFUNDED", "FAILED", "NEEDS_REVIEW"]) {
  test(`a refund that is ${state} is final`, async () => {
    const answers = ["REQUESTED", "SENDING", "RETRYING", "UNKNOWN", state].map((now) => answer(200, { state: now }));
    const seen = await new Stage().call(answers, (client) => client.waitUntilRefunded("INV1", 60));
    assert.equal(seen.state, state);
  });
}

test("when the time is over it says what was seen", async () => {
  const stage = new Stage();
  const open = payment("UNKNOWN");
  const error = await stage.refuse([open, open, open], (client) => client.waitUntilFinal("INV1", 2));
  assert.ok(error instanceof StillOpen);
  assert.match(error.message, /still UNKNOWN after 2 s/);
  assert.equal((error.last as { state: string }).state, "UNKNOWN");
  assert.deepEqual(stage.pauses, [1, 1]);
});

test("an outage is waited out", async () => {
  const stage = new Stage();
  const answers = [LOST, problem(503, "store-unavailable", {}, 5), answer(502, ""), payment("PAID")];
  await stage.call(answers, (client) => client.waitUntilFinal("INV1", 60));
  assert.deepEqual(stage.pauses, [1, 5, 2.25]);
});

test("an outage that lasts", async () => {
  const error = await new Stage().refuse([LOST, LOST], (client) => client.waitUntilFinal("INV1", 1));
  assert.ok(error instanceof StillOpen);
  assert.match(error.message, /the last look failed/);
});

test("what does not pass is told at once", async () => {
  const error = await new Stage().refuse([problem(404, "not-found")], (client) => client.waitUntilFinal("INV1", 60));
  assert.ok(error instanceof NotFound);
});
