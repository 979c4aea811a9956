import createClient, { type Client } from "openapi-fetch";

import type { Auth } from "./auth.js";
import { Conflict, UnexpectedAnswer } from "./errors.js";
import { type World, exchange } from "./exchange.js";
import type { components, paths } from "./openapi.js";
import { type RetryPolicy, USUAL_RETRIES } from "./retries.js";
import { type Pace, USUAL_PACE, isFinalPayment, isFinalRefund, isNoLongerLinking, waitUntil } from "./waiting.js";

export type Schemas = components["schemas"];
export type BindingView = Schemas["BindingView"];
export type PaymentView = Schemas["PaymentView"];
/** Which payments: one of `customerId`, `day` (in Jakarta), `dokuReference`, `unresolved`, or a `state` alone. */
export type PaymentQuery = NonNullable<paths["/payments"]["get"]["parameters"]["query"]>;
/** Which links: one of `customerId`, `day` (in Jakarta), `unresolved`, or a `state` alone. */
export type BindingQuery = NonNullable<paths["/bindings"]["get"]["parameters"]["query"]>;
export type RefundOfPaymentView = Schemas["RefundOfPaymentView"];

/** Whose link it has to be: with another one it is `not-found`, and nothing is done. */
export interface OwnCustomer {
  readonly customerId?: string;
}

export interface ClientOptions {
  /** With its stage, e.g. `https://abc123.execute-api.ap-southeast-3.amazonaws.com/v1`. */
  readonly baseUrl: string;
  /** `sigV4(...)`, `bearer(...)`, or your own. */
  readonly auth: Auth;
  /** Of each try; API Gateway itself gives up after 29 s. */
  readonly timeoutMs?: number;
  readonly retry?: RetryPolicy;
  readonly pace?: Pace;
  /** Time, chance and the network, for tests. */
  readonly fetch?: typeof fetch;
  readonly sleep?: (seconds: number) => Promise<void>;
  readonly now?: () => number;
  readonly chance?: () => number;
  readonly newKey?: () => string;
}

const TIMEOUT_MS = 35_000;
const ONCE: RetryPolicy = { ...USUAL_RETRIES, tries: 1 };

/**
 * Calls the API, one method per operation. Each method throws what `exchange` names: ProblemError, AnswerLost,
 * UnexpectedAnswer. To add a route: a method here; its types come from docs/openapi.json (`make clients`).
 */
export class DirectDebitClient {
  readonly #api: Client<paths>;
  readonly #once: Client<paths>;
  readonly #clock: { now: () => number; sleep: (seconds: number) => Promise<void> };
  readonly #pace: Pace;
  readonly #newKey: () => string;

  constructor(options: ClientOptions) {
    const sleep = options.sleep ?? ((seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)));
    const world: World = {
      auth: options.auth,
      fetch: options.fetch ?? fetch,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      sleep,
      chance: options.chance ?? Math.random,
    };
    const connect = (retry: RetryPolicy): Client<paths> =>
      createClient<paths>({
        baseUrl: options.baseUrl.replace(/\/+$/, ""),
        fetch: (request) => exchange(request, retry, world),
      });
    this.#api = connect(options.retry ?? USUAL_RETRIES);
    this.#once = connect(ONCE); // while waiting, the next look is the repeat
    this.#clock = { now: options.now ?? (() => performance.now() / 1000), sleep };
    this.#pace = options.pace ?? USUAL_PACE;
    this.#newKey = options.newKey ?? (() => crypto.randomUUID());
  }

  // --- links ---------------------------------------------------------------------------------------------------------

  /** Starts to link a customer's account; send the browser to `redirectUrl`. */
  bindAccount(request: Schemas["BindAccountRequest"]): Promise<BindingView> {
    return take(this.#api.POST("/bindings", { body: request }));
  }

  /** Reads a link. */
  getBinding(bindingId: string, own: OwnCustomer = {}): Promise<BindingView> {
    return this.#readBinding(this.#api, bindingId, own);
  }

  /** Reads the account's balance. */
  getBalance(bindingId: string, own: OwnCustomer = {}): Promise<Schemas["BalanceView"]> {
    return take(this.#api.GET("/bindings/{id}/balance", { params: { path: { id: segment(bindingId) }, query: own } }));
  }

  /** Lists a page of links: of a customer, of a day, or the unresolved ones. */
  listBindings(query: BindingQuery): Promise<Schemas["BindingList"]> {
    return take(this.#api.GET("/bindings", { params: { query } }));
  }

  /** The links of all pages, as they are needed; those of `notShown` are in the pages only. */
  async *eachBinding(query: BindingQuery): AsyncGenerator<BindingView, void, undefined> {
    for await (const page of eachPage(query, (one) => this.listBindings(one))) yield* page.bindings;
  }

  /** Unlinks an account: UNBIND_OTP_PENDING when the bank sent the customer a code, else UNBOUND. */
  unbindAccount(bindingId: string, own: OwnCustomer = {}): Promise<BindingView> {
    return take(this.#api.DELETE("/bindings/{id}", { params: { path: { id: segment(bindingId) }, query: own } }));
  }

  /** Confirms the unlinking with the customer's code. */
  confirmUnbinding(bindingId: string, otp: string, own: OwnCustomer = {}): Promise<BindingView> {
    const path = { id: segment(bindingId) };
    const sent = take(this.#api.POST("/bindings/{id}/otp", { params: { path }, body: { otp, ...own } }));
    return settle(sent, () => this.getBinding(bindingId, own), "UNBIND_OTP_PENDING");
  }

  /** Waits while the customer is on the bank's pages; returns the link, ACTIVE or not. Throws StillOpen. */
  waitUntilLinked(bindingId: string, timeout: number): Promise<BindingView> {
    return this.#wait(() => this.#readBinding(this.#once, bindingId, {}), isNoLongerLinking, timeout);
  }

  // --- payments ------------------------------------------------------------------------------------------------------

  /**
   * Charges a linked account; read `state`: UNKNOWN is resolved by the service, never pay again for it. Give your own
   * `partnerReferenceNo` or `idempotencyKey`, from your order: they make a repeat of your program safe, too. Without
   * both the client makes a key, the same for its repeats; errors carry it as `idempotencyKey`.
   */
  async makePayment(
    request: Schemas["MakePaymentRequest"],
    options: { idempotencyKey?: string } = {},
  ): Promise<PaymentView> {
    requireText(request.amount);
    const named = ("partnerReferenceNo" in request ? request.partnerReferenceNo : undefined) ?? undefined;
    const key = options.idempotencyKey ?? (named === undefined ? this.#newKey() : undefined);
    const header = key === undefined ? {} : { "Idempotency-Key": key };
    return take(this.#api.POST("/payments", { params: { header }, body: request }));
  }

  /** Passes on the customer's code. */
  verifyPaymentOtp(partnerReferenceNo: string, otp: string): Promise<PaymentView> {
    const path = { ref: segment(partnerReferenceNo) };
    const sent = take(this.#api.POST("/payments/{ref}/otp", { params: { path }, body: { otp } }));
    return settle(sent, () => this.getPayment(partnerReferenceNo), "OTP_PENDING");
  }

  /** Reads a payment with its history; `refresh` asks DOKU first, at most once a minute. */
  getPayment(partnerReferenceNo: string, options: { refresh?: boolean } = {}): Promise<PaymentView> {
    return this.#readPayment(this.#api, partnerReferenceNo, options);
  }

  /** Lists a page of payments: of a customer, of a day, by DOKU's reference, or the unresolved ones. */
  listPayments(query: PaymentQuery): Promise<Schemas["PaymentList"]> {
    return take(this.#api.GET("/payments", { params: { query } }));
  }

  /** The payments of all pages, as they are needed; those of `notShown` are in the pages only. */
  async *eachPayment(query: PaymentQuery): AsyncGenerator<PaymentView, void, undefined> {
    for await (const page of eachPage(query, (one) => this.listPayments(one))) yield* page.payments;
  }

  /** Waits until a payment is PAID, FAILED, REFUNDED or NEEDS_REVIEW. Throws StillOpen after `timeout` seconds. */
  waitUntilFinal(partnerReferenceNo: string, timeout: number): Promise<PaymentView> {
    return this.#wait(() => this.#readPayment(this.#once, partnerReferenceNo, {}), isFinalPayment, timeout);
  }

  // --- refunds -------------------------------------------------------------------------------------------------------

  /** Gives a payment back in full; the service sends it until it is done. */
  refundPayment(
    partnerReferenceNo: string,
    request: Schemas["RefundPaymentRequest"] = {},
  ): Promise<RefundOfPaymentView> {
    const path = { ref: segment(partnerReferenceNo) };
    return take(this.#api.POST("/payments/{ref}/refund", { params: { path }, body: request }));
  }

  /** Reads the refund of a payment. */
  getRefund(partnerReferenceNo: string): Promise<RefundOfPaymentView> {
    return this.#readRefund(this.#api, partnerReferenceNo);
  }

  /** Waits until a refund is REFUNDED, FAILED or NEEDS_REVIEW. Throws StillOpen after `timeout` seconds. */
  waitUntilRefunded(partnerReferenceNo: string, timeout: number): Promise<RefundOfPaymentView> {
    return this.#wait(() => this.#readRefund(this.#once, partnerReferenceNo), isFinalRefund, timeout);
  }

  // -------------------------------------------------------------------------------------------------------------------

  #readBinding(api: Client<paths>, bindingId: string, own: OwnCustomer): Promise<BindingView> {
    return take(api.GET("/bindings/{id}", { params: { path: { id: segment(bindingId) }, query: own } }));
  }

  #readPayment(api: Client<paths>, ref: string, query: { refresh?: boolean }): Promise<PaymentView> {
    return take(api.GET("/payments/{ref}", { params: { path: { ref: segment(ref) }, query } }));
  }

  #readRefund(api: Client<paths>, ref: string): Promise<RefundOfPaymentView> {
    return take(api.GET("/payments/{ref}/refund", { params: { path: { ref: segment(ref) } } }));
  }

  #wait<R extends { state: string }>(
    look: () => Promise<R>,
    isThere: (state: string) => boolean,
    timeout: number,
  ): Promise<R> {
    return waitUntil(look, isThere, timeout, this.#pace, this.#clock);
  }
}

/** All pages from a query's own on. A page may be short, or empty, and have a next one. */
async function* eachPage<Q extends { after?: string }, P extends { next?: string }>(
  query: Q,
  list: (query: Q) => Promise<P>,
): AsyncGenerator<P, void, undefined> {
  let page = await list(query);
  yield page;
  while (page.next !== undefined) {
    page = await list({ ...query, after: page.next });
    yield page;
  }
}

/** What an answer of 2xx holds; all others were thrown. */
async function take<T>(answer: Promise<{ data?: T }>): Promise<T> {
  const { data } = await answer;
  if (data === undefined) throw new UnexpectedAnswer("an answer without a body");
  return data;
}

/**
 * A code is taken once: its repeat is refused although it went through when the first answer was lost. The record that
 * is read tells, unless it is in the state in which the code is still awaited.
 */
async function settle<R extends { state: string }>(
  sent: Promise<R>,
  look: () => Promise<R>,
  unless: R["state"],
): Promise<R> {
  try {
    return await sent;
  } catch (error) {
    if (!(error instanceof Conflict) || !error.maybeDone) throw error;
    const record = await look();
    if (record.state === unless) throw error;
    return record;
  }
}

/** An identifier that stays one segment of the path. */
function segment(identifier: string): string {
  if (identifier === "" || identifier === "." || identifier === "..") {
    throw new RangeError("an identifier in a path can not be empty, nor . or ..");
  }
  return identifier;
}

/** A number as amount is a mistake that types do not see in plain JavaScript. */
function requireText(amount: { value: unknown }): void {
  if (typeof amount.value !== "string") {
    throw new TypeError('amount.value is a string with two decimals, e.g. rupiah("10000"), never a number');
  }
}
