/*
 * The client against the whole deployed stack, through a proxy that loses answers; the bank's ledger is the judge.
 * Started by tests/e2e/test_typescript_client.py, which says by variables where everything is.
 */
import assert from "node:assert/strict";
import { randomBytes, randomInt } from "node:crypto";
import { test } from "node:test";

import {
  CustomerActionRequired,
  DirectDebitClient,
  InvalidRequest,
  NotAllowed,
  NotFound,
  USUAL_RETRIES,
  rupiah,
  sigV4,
} from "../../src/index.js";

const PATIENCE = 600;
const OTP = "123456";
const SUCCESS = "https://merchant.example/linked";
const FAILED = "https://merchant.example/not-linked";

/** A variable that the starter has to set. */
function given(name: string): string {
  const value = process.env[name];
  assert.ok(value !== undefined && value !== "", `${name} is not set: run this by tests/e2e/test_typescript_client.py`);
  return value;
}

const api = given("API"); // the proxy
const simulator = given("SIMULATOR");
const keys = { accessKeyId: given("AWS_ACCESS_KEY_ID"), secretAccessKey: given("AWS_SECRET_ACCESS_KEY") };
const auth = sigV4({ region: given("AWS_REGION"), credentials: keys });
const usual = { baseUrl: api, timeoutMs: PATIENCE * 1000 };
const client = new DirectDebitClient({
  ...usual,
  auth,
  pace: { first: 0.25, factor: 1.5, longest: 0.5 },
  retry: { ...USUAL_RETRIES, firstWait: 0.05 },
});

const newRef = (): string => "T" + randomBytes(6).toString("hex").toUpperCase();
const newPhone = (): string => `62813${randomInt(10 ** 6).toString().padStart(6, "0")}77`;

async function tellProxy(what: "lose" | "throttle", path: string, count = 1): Promise<void> {
  const told = await fetch(new URL("/_next", api), { method: "POST", body: JSON.stringify({ what, path, count }) });
  assert.equal(told.status, 204);
}

async function control(path: string, body?: unknown): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(`${simulator}/_control/${path}`, init);
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return (await answer.json()) as Record<string, unknown>;
}

async function entries(ref: string): Promise<string[]> {
  const { entries: moved } = await control(`ledger?reference=${ref}`);
  return (moved as { kind: string }[]).map((entry) => entry.kind);
}

/** The customer's browser: fills in the bank's pages until one leads to the API's return page, and opens that. */
async function finishPages(redirectUrl: string | undefined, phone: string): Promise<void> {
  const answers: Record<string, string> = { phone, otp: OTP, pin: "123456" };
  let url = redirectUrl ?? assert.fail("no redirectUrl");
  let form: URLSearchParams | undefined;
  for (let pages = 0; pages < 12; pages += 1) {
    const page = await fetch(url, { redirect: "manual", ...(form === undefined ? {} : { method: "POST", body: form }) });
    const location = page.headers.get("location");
    if (location !== null) {
      if (location.startsWith(SUCCESS)) return;
      url = new URL(location, url).href;
      form = undefined;
      continue;
    }
    const html = await page.text();
    const read = (pattern: RegExp): string => pattern.exec(html)?.[1] ?? assert.fail(`the page has no ${pattern.source}`);
    const step = read(/<button[^>]*value="([^"]+)"/);
    form = new URLSearchParams({
      [read(/<input[^>]*name="([^"]+)"/)]: answers[step] ?? assert.fail(`the page asks for ${step}`),
      [read(/<button[^>]*name="([^"]+)"/)]: step,
    });
    url = new URL(read(/<form[^>]*action="([^"]*)"/), url).href;
  }
  assert.fail("the bank's pages did not end");
}

async function link(): Promise<string> {
  const phone = newPhone();
  const customerId = newRef();
  await tellProxy("lose", "/bindings");
  const linking = await client.bindAccount({
    customerId,
    phone,
    successUrl: SUCCESS,
    failedUrl: FAILED,
    metadata: { test: "typescript" },
  });
  assert.deepEqual([linking.state, linking.metadata], ["PENDING", { test: "typescript" }]);
  await finishPages(linking.redirectUrl, phone);
  const linked = await client.waitUntilLinked(linking.bindingId, PATIENCE);
  assert.equal(linked.state, "ACTIVE");
  const { bindings } = await client.listBindings({ customerId });
  assert.deepEqual(
    bindings.map((one) => one.bindingId),
    [linked.bindingId],
  );
  return linked.bindingId;
}

test("against the stack", async (t) => {
  const bindingId = await link();

  await t.test("a payment whose outcome is UNKNOWN is waited for and not paid again", async () => {
    const partnerReferenceNo = newRef();
    const request = { bindingId, partnerReferenceNo, amount: rupiah("10504"), remarks: "Order 1" };
    const unknown = await client.makePayment(request);
    assert.equal(unknown.state, "UNKNOWN");
    const paid = await client.waitUntilFinal(partnerReferenceNo, PATIENCE);
    assert.equal(paid.state, "PAID");
    assert.deepEqual(await entries(partnerReferenceNo), ["debit"]);
  });

  await t.test("a payment without a name is made once though its answers are lost", async () => {
    await tellProxy("lose", "/payments", 2);
    const made = await client.makePayment({ bindingId, amount: rupiah(10000n), remarks: "Order 2" });
    await client.verifyPaymentOtp(made.partnerReferenceNo, OTP);
    const paid = await client.waitUntilFinal(made.partnerReferenceNo, PATIENCE);
    assert.equal(paid.state, "PAID");
    assert.deepEqual(await entries(made.partnerReferenceNo), ["debit"]);
    const listed: string[] = [];
    for await (const one of client.eachPayment({ customerId: made.customerId, limit: 1 })) listed.push(one.partnerReferenceNo);
    assert.ok(listed.length >= 2); // with those of the tests before, each on a page of its own
    assert.equal(listed[0], made.partnerReferenceNo);
  });

  await t.test("what is surely not done is repeated when the service says", async () => {
    const pauses: number[] = [];
    const sleep = async (seconds: number): Promise<void> => void pauses.push(seconds);
    const quick = new DirectDebitClient({ ...usual, auth, sleep, chance: () => 0 });
    await control("tokens/expire", { kind: "b2b" });
    await control("dials", { operation: "b2b_token", fault: "status", when: "before", status: 503 });
    await tellProxy("throttle", "/payments");
    const partnerReferenceNo = newRef();
    const made = await quick.makePayment({
      bindingId,
      partnerReferenceNo,
      amount: rupiah("10000"),
      remarks: "Order 3",
    });
    assert.equal(made.state, "OTP_PENDING");
    // Nobody sleeps here, so that the service may say once more that it is too early.
    assert.ok(pauses.length >= 2);
    assert.equal(pauses[0], 1); // as API Gateway said
    assert.ok(Math.min(...pauses.slice(1)) > 1); // as the service said each time: longer than the client would wait by itself
    await client.verifyPaymentOtp(partnerReferenceNo, OTP);
    await client.waitUntilFinal(partnerReferenceNo, PATIENCE);
    assert.deepEqual(await entries(partnerReferenceNo), ["debit"]);
  });

  await t.test("refusals say what to do", async () => {
    const wrong = { bindingId, partnerReferenceNo: "no blanks", amount: rupiah("1"), remarks: "n\u00e4h" };
    await assert.rejects(client.makePayment(wrong), (error: unknown) => {
      assert.ok(error instanceof InvalidRequest);
      assert.deepEqual(new Set(error.errors.map((one) => one.pointer)), new Set(["/partnerReferenceNo", "/remarks"]));
      assert.notEqual(error.requestId, undefined);
      assert.ok(error.message.includes(error.remedy));
      return true;
    });
    await assert.rejects(client.getPayment("NO-SUCH-PAYMENT"), NotFound);
    const nobody = sigV4({ region: "ap-southeast-3", credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: "x" } });
    await assert.rejects(new DirectDebitClient({ ...usual, auth: nobody }).getPayment("X"), NotAllowed);
  });

  await t.test("code, refund and unlinking, though each answer is lost once", async () => {
    const ref = newRef();
    const balance = await client.getBalance(bindingId);
    assert.ok(Number(balance.balances[0]?.amount.value) > 0);
    const asked = await client.makePayment({
      bindingId,
      partnerReferenceNo: ref,
      amount: rupiah("10000"),
      remarks: "Order 4",
    });
    assert.equal(asked.state, "OTP_PENDING");
    await assert.rejects(client.verifyPaymentOtp(ref, "111111"), (error: unknown) => {
      assert.ok(error instanceof CustomerActionRequired);
      assert.deepEqual([error.slug, error.responseCode], ["otp-wrong", "4040415"]);
      assert.match(error.message, /read the code again/);
      return true;
    });
    await tellProxy("lose", `/${ref}/otp`);
    const verified = await client.verifyPaymentOtp(ref, OTP);
    assert.notEqual(verified.state, "OTP_PENDING");
    const paid = await client.waitUntilFinal(ref, PATIENCE);
    assert.deepEqual([paid.state, paid.amount.value], ["PAID", "10000.00"]);

    await tellProxy("lose", `/${ref}/refund`);
    await client.refundPayment(ref, { reason: "typescript" });
    const refund = await client.waitUntilRefunded(ref, PATIENCE);
    assert.deepEqual([refund.state, refund.reason], ["REFUNDED", undefined]); // the reason is not kept
    assert.equal((await client.getRefund(ref)).partnerRefundNo, refund.partnerRefundNo);
    assert.deepEqual(await entries(ref), ["debit", "refund"]);

    await tellProxy("lose", `/bindings/${bindingId}`);
    assert.equal((await client.unbindAccount(bindingId)).state, "UNBIND_OTP_PENDING");
    await tellProxy("lose", `/${bindingId}/otp`);
    assert.equal((await client.confirmUnbinding(bindingId, OTP)).state, "UNBOUND");
    assert.equal((await client.getBinding(bindingId)).state, "UNBOUND");
  });
});
