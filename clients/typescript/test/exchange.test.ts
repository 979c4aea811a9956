import assert from "node:assert/strict";
import { test } from "node:test";

import {
  AnswerLost,
  CircuitOpen,
  Conflict,
  CustomerActionRequired,
  NotAllowed,
  NotDone,
  StoreUnavailable,
  Throttled,
  USUAL_RETRIES,
  UnexpectedAnswer,
} from "../src/index.js";
import { LOST, ORDER, PAYMENT, type Played, REFUSED, Stage, TOO_LONG, answer, binding, payment, problem } from "./stage.js";

const named = { ...ORDER, partnerReferenceNo: "INV1" };

// --- the same again --------------------------------------------------------------------------------------------------

test("a lost answer is asked for with the same key and body", async () => {
  const stage = new Stage();
  const paid = await stage.call([LOST, TOO_LONG, answer(504, ""), payment()], (client) => client.makePayment(ORDER));
  assert.equal(paid.state, "PROCESSING");
  assert.deepEqual(new Set(stage.sent.map((one) => one.headers.get("idempotency-key"))), new Set(["key-1"]));
  assert.deepEqual(new Set(stage.sent.map((one) => one.body)), new Set([JSON.stringify(ORDER)]));
  assert.deepEqual(stage.pauses, [0.5, 1, 2]);
});

test("each payment has a key of its own; whoever names it needs none", async () => {
  const stage = new Stage();
  await stage.call([payment()], (client) => client.makePayment(ORDER));
  await stage.call([payment()], (client) => client.makePayment({ ...ORDER, partnerReferenceNo: null as never }));
  await stage.call([payment()], (client) => client.makePayment(named));
  await stage.call([payment()], (client) => client.makePayment(ORDER, { idempotencyKey: "order-1" }));
  await stage.call([payment()], (client) => client.makePayment(named, { idempotencyKey: "order-1" }));
  const keys = stage.sent.map((one) => one.headers.get("idempotency-key"));
  assert.deepEqual(keys, ["key-1", "key-2", null, "order-1", "order-1"]);
});

test("no other route sends a key, which the service would refuse", async () => {
  const stage = new Stage();
  const customer = { customerId: "C", phone: "62811111111" };
  await stage.call([binding("PENDING", 201)], (client) => client.bindAccount(customer as never));
  await stage.call([binding("UNBOUND")], (client) => client.unbindAccount("b1"));
  await stage.call([binding("UNBOUND")], (client) => client.confirmUnbinding("b1", "123456"));
  await stage.call([payment()], (client) => client.verifyPaymentOtp("INV1", "123456"));
  await stage.call([answer(202, { state: "REQUESTED" })], (client) => client.refundPayment("INV1"));
  assert.equal(stage.sent.length, 5);
  assert.ok(stage.sent.every((one) => !one.headers.has("idempotency-key")));
});

test("UNKNOWN is an answer", async () => {
  const stage = new Stage();
  const paid = await stage.call([payment("UNKNOWN", 202)], (client) => client.makePayment(named));
  assert.equal(paid.state, "UNKNOWN");
  assert.equal(stage.sent.length, 1);
});

test("Retry-After is respected", async () => {
  const stage = new Stage();
  await stage.call([problem(503, "not-done", {}, 7), payment()], (client) => client.getPayment("INV1"));
  assert.deepEqual(stage.pauses, [7]);
});

test("requests are what the API reads", async () => {
  const stage = new Stage();
  await stage.call([payment()], (client) => client.makePayment({ ...ORDER, metadata: { orderId: "1" } }));
  await stage.call([payment()], (client) => client.getPayment("INV.1_a-b", { refresh: true }));
  await stage.call([answer(200, { payments: [] })], (client) => client.listPayments({ customerId: "CUST-1", limit: 5, after: "M-_" }));
  const [paid, read, listed] = stage.sent;
  assert.equal(`${paid?.method} ${paid?.url}`, "POST https://pay.example/v1/payments");
  assert.equal(paid?.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(paid?.body ?? ""), { ...ORDER, metadata: { orderId: "1" } });
  assert.equal(read?.url, "https://pay.example/v1/payments/INV.1_a-b?refresh=true");
  assert.equal(listed?.url, "https://pay.example/v1/payments?customerId=CUST-1&limit=5&after=M-_");
});

test("the customer is named where the API reads it", async () => {
  const stage = new Stage();
  const own = { customerId: "CUST-1" };
  const balance = answer(200, { bindingId: "b1", customerId: "CUST-1", balances: [] });
  await stage.call([binding("ACTIVE")], (client) => client.getBinding("b1", own));
  await stage.call([balance], (client) => client.getBalance("b1", own));
  await stage.call([binding("UNBOUND")], (client) => client.unbindAccount("b1", own));
  await stage.call([binding("UNBOUND")], (client) => client.confirmUnbinding("b1", "123456", own));
  assert.deepEqual(
    stage.sent.map((one) => new URL(one.url).search),
    ["?customerId=CUST-1", "?customerId=CUST-1", "?customerId=CUST-1", ""],
  );
  assert.deepEqual(JSON.parse(stage.sent[3]?.body ?? ""), { otp: "123456", ...own });
});

test("identifiers stay one segment", async () => {
  const stage = new Stage();
  await stage.call([payment()], (client) => client.getPayment("a/b?c#d"));
  assert.equal(stage.sent[0]?.url, "https://pay.example/v1/payments/a%2Fb%3Fc%23d");
  for (const identifier of ["", ".", ".."]) {
    assert.throws(() => stage.client.getPayment(identifier), RangeError);
  }
});

test("a number is no amount", async () => {
  const stage = new Stage();
  const request = { ...ORDER, amount: { value: 10000, currency: "IDR" } } as never;
  assert.ok((await stage.refuse([], (client) => client.makePayment(request))) instanceof TypeError);
});

// --- what the caller is told at the end ------------------------------------------------------------------------------

const ENDS: readonly (readonly [string, readonly Played[], unknown, boolean])[] = [
  ["no answer at all", [LOST, LOST, LOST, LOST], AnswerLost, true],
  ["nobody was reached", [REFUSED, REFUSED, REFUSED, REFUSED], AnswerLost, false],
  ["once maybe done stays so", [LOST, REFUSED, REFUSED, problem(503, "not-done", {}, 1)], NotDone, true],
  ["not done", repeat(problem(503, "not-done", {}, 1)), NotDone, false],
  ["an open circuit", repeat(problem(503, "circuit-open", {}, 1)), CircuitOpen, false],
  ["the store", repeat(problem(503, "store-unavailable", {}, 1)), StoreUnavailable, true],
  ["throttled", repeat(answer(429, { message: "Too Many Requests" })), Throttled, false],
  ["a gateway without an answer", repeat(answer(504, { message: "Endpoint request timed out" })), AnswerLost, true],
  ["a gateway's page", repeat(answer(502, "<h1>Bad Gateway</h1>")), AnswerLost, true],
  ["a page instead of an answer", [answer(200, "<html>")], UnexpectedAnswer, true],
  ["nothing instead of an answer", [answer(200, "")], UnexpectedAnswer, true],
  ["a redirect, which is not followed", [answer(307, "", { location: "https://else.example/" })], UnexpectedAnswer, false],
];

function repeat(one: Played): readonly Played[] {
  return [one, one, one, one];
}

for (const [what, answers, kind, maybeDone] of ENDS) {
  test(`the end: ${what}`, async () => {
    const error = await new Stage().refuse(answers, (client) => client.makePayment(ORDER));
    assert.equal((error as Error).constructor, kind);
    assert.equal((error as AnswerLost).maybeDone, maybeDone);
    assert.equal((error as AnswerLost).idempotencyKey, "key-1");
  });
}

test("tries are the policy's", async () => {
  const stage = new Stage({ retry: { ...USUAL_RETRIES, tries: 1 } });
  assert.ok((await stage.refuse([LOST], (client) => client.makePayment(named))) instanceof AnswerLost);
});

test("not allowed says what to check", async () => {
  const refused = [answer(403, { message: "Missing Authentication Token" }, { "x-amzn-requestid": "gw" })];
  const error = await new Stage().refuse(refused, (client) => client.getPayment("INV1"));
  assert.ok(error instanceof NotAllowed);
  assert.match(error.message, /Missing Authentication Token.*execute-api:Invoke.*gw/);
});

// --- codes -----------------------------------------------------------------------------------------------------------

const TAKEN = problem(409, "conflict", { detail: "no code is awaited" });

test("a code whose answer was lost is settled by a look", async () => {
  const stage = new Stage();
  const verified = await stage.call([LOST, TAKEN, payment("PROCESSING")], (client) =>
    client.verifyPaymentOtp("INV1", "123456"),
  );
  assert.equal(verified.state, "PROCESSING");
  const unlinked = await stage.call([LOST, TAKEN, binding("UNBOUND")], (client) =>
    client.confirmUnbinding("b1", "123456"),
  );
  assert.equal(unlinked.state, "UNBOUND");
  assert.deepEqual(
    stage.sent.map((one) => `${one.method} ${new URL(one.url).pathname}`),
    [
      ...["POST /v1/payments/INV1/otp", "POST /v1/payments/INV1/otp", "GET /v1/payments/INV1"],
      ...["POST /v1/bindings/b1/otp", "POST /v1/bindings/b1/otp", "GET /v1/bindings/b1"],
    ],
  );
});

test("a refusal stands where the code is still awaited, or nothing was lost", async () => {
  const stage = new Stage();
  const verify = (client: Stage["client"]) => client.verifyPaymentOtp("INV1", "123456");
  assert.ok((await stage.refuse([LOST, TAKEN, payment("OTP_PENDING")], verify)) instanceof Conflict);
  assert.ok((await stage.refuse([TAKEN], verify)) instanceof Conflict);
});

test("a wrong code is not repeated", async () => {
  const wrong = problem(422, "otp-wrong", { responseCode: "4040415" });
  const error = await new Stage().refuse([wrong], (client) => client.verifyPaymentOtp("INV1", "000000"));
  assert.ok(error instanceof CustomerActionRequired);
  assert.deepEqual([error.slug, error.responseCode], ["otp-wrong", "4040415"]);
  assert.doesNotMatch(error.message, /000000/);
});

// --- lists -----------------------------------------------------------------------------------------------------------

test("all payments, page by page", async () => {
  const page = (refs: string[], next?: string): Played =>
    answer(200, { payments: refs.map((ref) => ({ ...PAYMENT, partnerReferenceNo: ref })), next });
  const stage = new Stage();
  const query = { day: "2026-08-01", state: "PAID" } as const;
  const refs = await stage.call([page(["A", "B"], "mark"), page([], "end"), page(["C"])], async (client) => {
    const seen: string[] = [];
    for await (const one of client.eachPayment(query)) seen.push(one.partnerReferenceNo);
    return seen;
  });
  assert.deepEqual(refs, ["A", "B", "C"]);
  assert.deepEqual(
    stage.sent.map((one) => new URL(one.url).search),
    ["", "&after=mark", "&after=end"].map((after) => `?day=2026-08-01&state=PAID${after}`),
  );
});

test("all links, from a mark on", async () => {
  const page = (ids: string[], next?: string): Played =>
    answer(200, { bindings: ids.map((bindingId) => ({ bindingId, state: "PENDING" })), next });
  const stage = new Stage();
  const ids = await stage.call([page(["a"], "later"), page(["b"])], async (client) => {
    const seen: string[] = [];
    for await (const one of client.eachBinding({ unresolved: true, after: "mark" })) seen.push(one.bindingId);
    return seen;
  });
  assert.deepEqual(ids, ["a", "b"]);
  assert.deepEqual(
    stage.sent.map((one) => new URL(one.url).search),
    ["?unresolved=true&after=mark", "?unresolved=true&after=later"],
  );
});

test("pages are asked for when they are needed", async () => {
  const stage = new Stage();
  await stage.call([answer(200, { payments: [PAYMENT], next: "mark" })], async (client) => {
    for await (const one of client.eachPayment({ customerId: "CUST-1" })) {
      assert.equal(one.partnerReferenceNo, "INV1");
      break;
    }
  });
});
