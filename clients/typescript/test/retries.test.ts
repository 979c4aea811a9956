import assert from "node:assert/strict";
import { test } from "node:test";

import { type Try, USUAL_RETRIES, decideRetry } from "../src/index.js";

const TABLE: readonly (readonly [string, Try, number | undefined])[] = [
  // Nobody knows whether it arrived: the same again finds it.
  ["no answer", { number: 1 }, 0.5],
  ["the second lost answer", { number: 2 }, 1],
  ["the third lost answer", { number: 3 }, 2],
  ["the last try", { number: 4 }, undefined],
  ["a fault", { number: 1, status: 500, slug: "internal-error" }, 0.5],
  ["a gateway that got no answer", { number: 1, status: 502 }, 0.5],
  ["a gateway that waited too long", { number: 1, status: 504 }, 0.5],
  // Told when to come again: then, and not before.
  ["not done", { number: 1, status: 503, retryAfter: 5, slug: "not-done" }, 5],
  ["an open circuit", { number: 1, status: 503, retryAfter: 20, slug: "circuit-open" }, 20],
  ["the store", { number: 3, status: 503, retryAfter: 1, slug: "store-unavailable" }, 2],
  ["throttled", { number: 1, status: 429, retryAfter: 3 }, 3],
  ["throttled, without a time", { number: 2, status: 429 }, 1],
  ["unavailable, without a time", { number: 1, status: 503 }, 0.5],
  ["told to come again much later", { number: 1, status: 503, retryAfter: 21, slug: "circuit-open" }, undefined],
  // A person is needed.
  ["not configured", { number: 1, status: 503, retryAfter: 5, slug: "not-configured" }, undefined],
  // Answers: never a reason to send again.
  ["made", { number: 1, status: 201 }, undefined],
  ["UNKNOWN or in flight", { number: 1, status: 202 }, undefined],
  ["a repeat that was recognised", { number: 1, status: 200 }, undefined],
  ["elsewhere", { number: 1, status: 302 }, undefined],
  ["malformed", { number: 1, status: 400, slug: "malformed-request" }, undefined],
  ["not signed", { number: 1, status: 401 }, undefined],
  ["not allowed", { number: 1, status: 403 }, undefined],
  ["not found", { number: 1, status: 404, slug: "not-found" }, undefined],
  ["conflict", { number: 1, status: 409, slug: "conflict" }, undefined],
  ["too large", { number: 1, status: 413, slug: "body-too-large" }, undefined],
  ["wrong field", { number: 1, status: 422, slug: "invalid-field" }, undefined],
  ["wrong code", { number: 1, status: 422, slug: "otp-wrong" }, undefined],
  ["conflict with a Retry-After", { number: 1, status: 409, retryAfter: 1, slug: "conflict" }, undefined],
];

for (const [what, last, wait] of TABLE) {
  test(`retries: ${what}`, () => assert.equal(decideRetry(USUAL_RETRIES, last, 0), wait));
}

test("chance only makes it later", () => {
  const told = { number: 1, status: 503, retryAfter: 10, slug: "not-done" };
  assert.equal(decideRetry(USUAL_RETRIES, told, 0), 10);
  assert.equal(decideRetry(USUAL_RETRIES, told, 1), 15);
});

test("waits grow to the longest", () => {
  const patient = { tries: 99, firstWait: 1, longestWait: 20 };
  const waits = [1, 2, 3, 4, 5, 6, 7].map((number) => decideRetry(patient, { number }, 0));
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 20, 20]);
});
