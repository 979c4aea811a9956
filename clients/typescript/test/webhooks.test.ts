import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Webhook } from "standardwebhooks";

import { WebhookRefused, readWebhook } from "../src/index.js";

const SECRET = "whsec_" + Buffer.from("the shop's secret of 32 bytes ..").toString("base64");
const OLD = "whsec_" + Buffer.from("the secret before, of 32 bytes ..").toString("base64");
const PAID = {
  partnerReferenceNo: "INV1",
  bindingId: "b1",
  customerId: "CUST-1",
  amount: "10000.00",
  currency: "IDR",
  state: "PAID",
  reason: null,
  partnerRefundNo: null,
  refundState: null,
  responseCode: null,
  recordVersion: 5,
  schemaVersion: 1,
  eventId: "INV1:5:payment.paid",
  occurredAt: "2026-03-02T09:00:00+00:00",
};
const MINUTE = 60_000;

const message = (type: string, data: unknown): string =>
  JSON.stringify({ type, timestamp: "2026-03-02T09:00:00Z", data });
const BODY = message("payment.paid", PAID);

function sign(body: string, secret = SECRET, age = 0): Record<string, string> {
  const at = new Date(Date.now() - age);
  return {
    "Webhook-Id": "msg-1",
    "Webhook-Timestamp": String(Math.floor(at.getTime() / 1000)),
    "Webhook-Signature": new Webhook(secret).sign("msg-1", at, body),
  };
}

test("a payment", () => {
  const event = readWebhook(Buffer.from(BODY), new Headers(sign(BODY)), SECRET);
  assert.deepEqual([event.id, event.type, event.kind], ["msg-1", "payment.paid", "payment"]);
  assert.equal(event.timestamp.toISOString(), "2026-03-02T09:00:00.000Z");
  assert.ok(event.kind === "payment");
  assert.deepEqual([event.data.state, event.data.amount, event.data.recordVersion], ["PAID", "10000.00", 5]);
});

test("a refund, a link, and what comes later", () => {
  const kinds = [
    ["refund.completed", PAID],
    ["binding.unbound", { bindingId: "b1", state: "UNBOUND" }],
    ["mandate.new", { anything: 1 }],
  ].map(([type, data]) => {
    const body = message(type as string, data);
    return readWebhook(body, sign(body), SECRET).kind;
  });
  assert.deepEqual(kinds, ["payment", "binding", "other"]);
});

test("two secrets while one is replaced", () => {
  assert.equal(readWebhook(BODY, sign(BODY, OLD), [SECRET, OLD]).id, "msg-1");
  const both = `${sign(BODY, OLD)["Webhook-Signature"]} ${sign(BODY)["Webhook-Signature"]}`;
  assert.equal(readWebhook(BODY, { ...sign(BODY), "Webhook-Signature": both }, SECRET).id, "msg-1");
});

interface Vector {
  readonly signed_by: string;
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly event: string | null;
}
const FILE = new URL("../../../webhook-vectors.json", import.meta.url); // seen from dist/test
const VECTORS = JSON.parse(readFileSync(FILE, "utf8")) as Vector[];

for (const { signed_by, secret, headers, body, event } of VECTORS) {
  test(`signed by ${signed_by}`, (t) => {
    const read = (text: string): string => {
      try {
        return readWebhook(text, headers, secret).type;
      } catch (error) {
        assert.ok(error instanceof WebhookRefused);
        return error.message;
      }
    };
    const at = Number(headers["webhook-timestamp"]);
    t.mock.timers.enable({ apis: ["Date"], now: (at + 5 * 60) * 1000 }); // the library asks the machine
    assert.ok(read(body).startsWith(event ?? "signed, but no event of this API"));
    assert.ok(read(body + " ").startsWith("not signed"));
    t.mock.timers.setTime((at + 5 * 60 + 1) * 1000);
    assert.ok(read(body).startsWith("not signed"));
  });
}

for (const [what, body, headers] of [
  ["another secret", BODY, () => sign(BODY, OLD)],
  ["another body", BODY.replace("10000.00", "90000.00"), () => sign(BODY)],
  ["too old", BODY, () => sign(BODY, SECRET, 6 * MINUTE)],
  ["too new", BODY, () => sign(BODY, SECRET, -6 * MINUTE)],
  ["another id", BODY, () => ({ ...sign(BODY), "Webhook-Id": "msg-2" })],
  ["no headers", BODY, () => ({})],
  ["no signature", BODY, () => ({ ...sign(BODY), "Webhook-Signature": "v1" })],
  ["no base64", BODY, () => ({ ...sign(BODY), "Webhook-Signature": "v1,%%%" })],
  ["no time", BODY, () => ({ ...sign(BODY), "Webhook-Timestamp": "now" })],
  ["no event", "[]", () => sign("[]")],
  ["no time of the event", '{"type":"a","data":{}}', () => sign('{"type":"a","data":{}}')],
] as const) {
  test(`refused: ${what}`, () => {
    assert.throws(() => readWebhook(body, headers(), SECRET), WebhookRefused);
  });
}

for (const secrets of ["", "whsec_", "whsec_%", []]) {
  test(`a secret that is none is our own mistake: ${JSON.stringify(secrets)}`, () => {
    assert.throws(() => readWebhook(BODY, sign(BODY), secrets), RangeError);
  });
}
