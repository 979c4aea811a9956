/* An API of the tests' own making: plays answers in order, notes requests and pauses; its clock moves by pauses alone. */
import assert from "node:assert/strict";

import { type ClientOptions, DirectDebitClient, bearer } from "../src/index.js";

export const PAYMENT = {
  partnerReferenceNo: "INV1",
  bindingId: "b1",
  customerId: "CUST-1",
  amount: { value: "10000.00", currency: "IDR" },
  remarks: "Order 1",
  state: "OTP_PENDING",
  metadata: {},
  createdAt: "2026-08-01T07:15:00.000Z",
  updatedAt: "2026-08-01T07:15:00.000Z",
  links: { self: "/payments/INV1" },
};

export const ORDER = { bindingId: "b1", amount: { value: "10000.00", currency: "IDR" }, remarks: "Order 1" } as const;

export type Played = (() => Response) | Error;

export const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Played => {
  return () => new Response(typeof body === "string" ? body : JSON.stringify(body), { status, headers });
};
export const payment = (state = "PROCESSING", status = 200, members: object = {}): Played =>
  answer(status, { ...PAYMENT, state, ...members });
export const binding = (state: string, status = 200): Played =>
  answer(status, { bindingId: "b1", customerId: "CUST-1", state, phoneHint: "761", metadata: {}, links: {} });
export const problem = (status: number, slug: string, members: object = {}, retryAfter?: number): Played =>
  answer(
    status,
    { type: `/problems/${slug}`, title: slug, status, detail: "what is wrong", requestId: "r1", ...members },
    retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) },
  );

/** As Node's fetch tells it: the request went out, and no answer came. */
export const LOST = new TypeError("fetch failed", { cause: Object.assign(new Error("closed"), { code: "UND_ERR_SOCKET" }) });
/** As Node's fetch tells it: nobody listens. */
export const REFUSED = new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) });
/** The client's own time-out. */
export const TOO_LONG = new DOMException("The operation was aborted due to timeout", "TimeoutError");

export interface Sent {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

export class Stage {
  readonly sent: Sent[] = [];
  readonly pauses: number[] = [];
  readonly client: DirectDebitClient;
  #answers: Played[] = [];
  #keys = 0;
  #seconds = 0;

  constructor(options: Partial<ClientOptions> = {}) {
    this.client = new DirectDebitClient({
      baseUrl: "https://pay.example/v1/",
      auth: bearer("token"),
      fetch: async (input, init) => {
        const request = new Request(input, init);
        const { method, url, headers } = request;
        this.sent.push({ method, url, headers, body: await request.text() });
        const next = this.#answers.shift();
        assert.ok(next !== undefined, "a request too many");
        if (next instanceof Error) throw next;
        return next();
      },
      sleep: async (seconds) => {
        this.pauses.push(seconds);
        this.#seconds += seconds;
      },
      now: () => this.#seconds,
      chance: () => 0,
      newKey: () => `key-${(this.#keys += 1)}`,
      ...options,
    });
  }

  /** Lets the client do something with these answers; each has to be asked for. */
  async call<T>(answers: readonly Played[], use: (client: DirectDebitClient) => Promise<T>): Promise<T> {
    this.#answers = [...answers];
    try {
      return await use(this.client);
    } finally {
      assert.equal(this.#answers.length, 0, "answers that nobody asked for");
    }
  }

  /** The error of doing something. */
  async refuse(answers: readonly Played[], use: (client: DirectDebitClient) => Promise<unknown>): Promise<unknown> {
    return this.call(answers, use).then(
      () => assert.fail("no error"),
      (error: unknown) => error,
    );
  }
}
