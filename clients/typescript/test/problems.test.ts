import assert from "node:assert/strict";
import { test } from "node:test";

import * as errors from "../src/errors.js";
import { PROBLEMS } from "../src/problem-kinds.js";
import { findSlug, readProblem, readRetryAfter } from "../src/problems.js";

const read = (status: number, document: unknown, headers: Record<string, string> = {}): errors.ProblemError =>
  readProblem(status, new Headers(headers), typeof document === "string" ? document : JSON.stringify(document));

test("each problem of the table is an error of its name", () => {
  assert.ok(Object.keys(PROBLEMS).length >= 20);
  for (const [slug, { name, remedy }] of Object.entries(PROBLEMS)) {
    const error = read(400, { type: `/problems/${slug}` });
    assert.deepEqual([error.name, error.slug, error.remedy], [name, slug, remedy]);
  }
});

for (const [type, slug] of [
  ["/problems/otp-wrong", "otp-wrong"],
  ["https://pay.example/v1/problems/otp-wrong", "otp-wrong"],
  ["https://pay.example/problems/otp-wrong/", "otp-wrong"],
  ["https://pay.example/problems/otp-wrong?lang=id#top", "otp-wrong"],
  ["about:blank", undefined],
  ["", undefined],
] as const) {
  test(`the slug of ${type}`, () => assert.equal(findSlug(type), slug));
}

test("everything that a problem tells", () => {
  const error = read(
    422,
    {
      type: "/problems/invalid-field",
      title: "A field breaks a rule",
      status: 422,
      detail: "amount.value: send a string",
      field: "amount.value",
      errors: [
        { pointer: "/amount/value", detail: "send a string", came: "a number", example: "10000.00" },
        { pointer: "/limit", in: "query", detail: "1 to 100", addedLater: true },
      ],
      responseCode: "4000001",
      requestId: "r1",
    },
    { "retry-after": "3" },
  );
  assert.ok(error instanceof errors.InvalidRequest);
  assert.deepEqual(error.errors, [
    { pointer: "/amount/value", detail: "send a string", came: "a number", example: "10000.00" },
    { pointer: "/limit", in: "query", detail: "1 to 100" },
  ]);
  assert.deepEqual([error.field, error.responseCode, error.requestId, error.retryAfter], ["amount.value", "4000001", "r1", 3]);
  assert.equal(
    error.message,
    "[422, invalid-field, DOKU 4000001] amount.value: send a string; /limit: 1 to 100" +
      " - Correct the field. Nothing was written and nothing was sent. (request r1)",
  );
});

for (const [status, document, kind] of [
  [403, { message: "Forbidden" }, errors.NotAllowed],
  [401, { type: "about:blank", detail: "Unauthorized" }, errors.NotAllowed],
  [429, "", errors.Throttled],
  [500, "Internal server error", errors.InternalError],
  [418, { type: "/problems/added-later" }, errors.ProblemError],
  [503, { type: "/problems/constructor" }, errors.InternalError],
] as const) {
  test(`gateways and what is added later: ${status}`, () => {
    const error = read(status, document, { "x-amzn-requestid": "gw" });
    assert.equal(error.constructor, kind);
    assert.equal(error.requestId, "gw");
    assert.notEqual(error.remedy, "");
  });
}

test("Retry-After", () => {
  const seconds = (text: string): number | undefined => readRetryAfter(new Headers({ "retry-after": text }));
  assert.deepEqual([seconds("7"), seconds(""), seconds("Fri, 27 Nov 2026 12:00:00 GMT"), seconds("-1")], [7, undefined, undefined, undefined]);
});
