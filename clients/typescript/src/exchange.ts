import type { Auth } from "./auth.js";
import { AnswerLost, type DirectDebitError, UnexpectedAnswer } from "./errors.js";
import { findSlug, readObject, readProblem, readRetryAfter } from "./problems.js";
import { MAYBE_DONE, type RetryPolicy, decideRetry } from "./retries.js";

/** What an exchange needs from the world. */
export interface World {
  readonly auth: Auth;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly sleep: (seconds: number) => Promise<void>;
  readonly chance: () => number;
}

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface NoReply {
  /** The request may have arrived. */
  readonly sent: boolean;
  readonly cause: unknown;
}

/** Statuses with which gateways say that they got no answer. */
const NO_ANSWER: ReadonlySet<number> = new Set([502, 504]);
/** Codes of failures before anything was sent. */
const NEVER_SENT: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * Sends a request, and the same again where that is right; returns an answer of 2xx with a JSON object. Throws
 * ProblemError (its classes say what to do), AnswerLost, UnexpectedAnswer; `maybeDone` is true where any try may have
 * been carried out.
 */
export async function exchange(request: Request, policy: RetryPolicy, world: World): Promise<Response> {
  const body = request.body === null ? undefined : await request.text();
  const one = { method: request.method, url: request.url, headers: request.headers, body };
  let maybeDone = false;
  for (let number = 1; ; number += 1) {
    const reply = await sendOnce(world, await world.auth(one));
    if ("status" in reply && reply.status >= 200 && reply.status < 300) {
      return accept(reply, request);
    }
    maybeDone ||= "status" in reply ? MAYBE_DONE.has(reply.status) : reply.sent;
    const last =
      "status" in reply
        ? { number, status: reply.status, retryAfter: readRetryAfter(reply.headers), slug: slugOf(reply.text) }
        : { number };
    const wait = decideRetry(policy, last, world.chance());
    if (wait === undefined) {
      const error = makeError(reply, request, number);
      throw mark(error, maybeDone || error.maybeDone, request);
    }
    await world.sleep(wait);
  }
}

async function sendOnce(world: World, request: Request): Promise<Reply | NoReply> {
  try {
    const signal = AbortSignal.timeout(world.timeoutMs);
    const response = await world.fetch(request, { redirect: "manual", signal });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    // fetch tells every failure of the network by a TypeError, and its time-out by a DOMException.
    if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error;
    return { sent: !NEVER_SENT.has(codeOf(error.cause)), cause: error };
  }
}

function codeOf(cause: unknown): string {
  return typeof cause === "object" && cause !== null && "code" in cause ? String(cause.code) : "";
}

function slugOf(text: string): string | undefined {
  const { type } = readObject(text);
  return typeof type === "string" ? findSlug(type) : undefined;
}

function accept(reply: Reply, request: Request): Response {
  if (Object.keys(readObject(reply.text)).length === 0) {
    const wrong = new UnexpectedAnswer(`${describe(request)}: HTTP ${reply.status} with a body that is not the API's`);
    throw mark(wrong, request.method !== "GET", request);
  }
  return new Response(reply.text, { status: reply.status, headers: { "content-type": "application/json" } });
}

function makeError(reply: Reply | NoReply, request: Request, tries: number): DirectDebitError {
  const what = describe(request);
  if (!("status" in reply)) return new AnswerLost(`${what}: no answer, at ${tries} tries`, { cause: reply.cause });
  if (NO_ANSWER.has(reply.status)) {
    return new AnswerLost(`${what}: no answer in time (HTTP ${reply.status}), at ${tries} tries`);
  }
  if (reply.status < 400) return new UnexpectedAnswer(`${what}: HTTP ${reply.status}; is the base URL right?`);
  return readProblem(reply.status, reply.headers, reply.text);
}

function mark<E extends DirectDebitError>(error: E, maybeDone: boolean, request: Request): E {
  error.maybeDone = maybeDone;
  error.idempotencyKey = request.headers.get("idempotency-key") ?? undefined;
  return error;
}

function describe(request: Request): string {
  return `${request.method} ${new URL(request.url).pathname}`;
}
