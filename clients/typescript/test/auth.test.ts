/* Signatures, checked by a calculation of the tests' own (AWS Signature V4, "Create a signed AWS API request"). */
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { test } from "node:test";

import { bearer, rupiah, sigV4 } from "../src/index.js";
import { LOST, ORDER, type Sent, Stage, answer, payment } from "./stage.js";

const REGION = "ap-southeast-3";
const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-of-the-test", sessionToken: "a-session" };

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** The parameters as AWS writes them for the calculation: each encoded in full, sorted by name. */
function canonicalQuery(query: string): string {
  const encode = (text: string): string =>
    encodeURIComponent(decodeURIComponent(text)).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`.toUpperCase());
  const pairs = query.split("&").filter((pair) => pair !== "");
  return pairs.map((pair) => pair.split("=").map(encode).join("=")).sort().join("&");
}

/** What the header has to be for this request, its headers and its time. */
function expected(sent: Sent): string {
  const url = new URL(sent.url);
  const signed = /SignedHeaders=([^,]+)/.exec(sent.headers.get("authorization") ?? "")?.[1] ?? "";
  const headers = signed.split(";").map((name) => `${name}:${name === "host" ? url.host : sent.headers.get(name)}`);
  const query = canonicalQuery(url.search.slice(1));
  const canonical = [sent.method, url.pathname, query, ...headers, "", signed, sha256(sent.body)].join("\n");
  const at = sent.headers.get("x-amz-date") ?? "";
  const scope = `${at.slice(0, 8)}/${REGION}/execute-api/aws4_request`;
  const key = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${KEYS.secretAccessKey}`);
  const signature = hmac(key, `AWS4-HMAC-SHA256\n${at}\n${scope}\n${sha256(canonical)}`).toString("hex");
  return `AWS4-HMAC-SHA256 Credential=${KEYS.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
}

test("reads and writes are signed, each try anew", async () => {
  let asked = 0;
  const credentials = async () => ((asked += 1), KEYS);
  const stage = new Stage({ auth: sigV4({ region: REGION, credentials }) });
  await stage.call([LOST, payment()], (client) => client.makePayment(ORDER, { idempotencyKey: "order-1" }));
  await stage.call([payment()], (client) => client.getPayment("INV1", { refresh: true }));
  const dokuReference = "a b+c/d=(e)*'!~&\u00e9%";
  await stage.call([answer(200, { payments: [] })], (client) => client.listPayments({ dokuReference }));
  assert.equal(new URL(stage.sent[3]?.url ?? "").searchParams.get("dokuReference"), dokuReference);
  assert.equal(asked, 4);
  for (const sent of stage.sent) {
    assert.equal(sent.headers.get("authorization"), expected(sent));
    assert.equal(sent.headers.get("x-amz-security-token"), "a-session");
  }
  assert.match(stage.sent[0]?.headers.get("authorization") ?? "", /SignedHeaders=[^,]*idempotency-key/);
});

test("a bearer token is asked for at each request", async () => {
  const tokens = ["one", "two"];
  const stage = new Stage({ auth: bearer(() => tokens.shift() ?? "") });
  await stage.call([payment()], (client) => client.getPayment("INV1"));
  await stage.call([payment()], (client) => client.makePayment(ORDER));
  assert.deepEqual(
    stage.sent.map((one) => one.headers.get("authorization")),
    ["Bearer one", "Bearer two"],
  );
  assert.equal(stage.sent[1]?.body, JSON.stringify(ORDER));
});

for (const [amount, value] of [
  ["10000", "10000.00"],
  ["10000.5", "10000.50"],
  ["10000.000", "10000.00"],
  [10000n, "10000.00"],
  ["0.01", "0.01"],
] as const) {
  test(`rupiah: ${amount}`, () => assert.deepEqual(rupiah(amount), { value, currency: "IDR" }));
}

for (const amount of ["0", "0.00", "-1", "0.001", "10.000,00", "Rp10000", "", "1e4", "10000000000000000", -1n]) {
  test(`no rupiah: ${amount}`, () => assert.throws(() => rupiah(amount), RangeError));
}

test("a number is not exact", () => {
  assert.throws(() => rupiah(10000 as never), TypeError);
});
