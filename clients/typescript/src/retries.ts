/*
 * Whether a request is sent again, and when: one pure function.
 *
 * Every request of this API may be repeated. A payment is named by its reference or its Idempotency-Key, which stay
 * the same at each try, so that a request that had arrived is found and not done twice; a refund is named by its
 * payment, a link by its customer and phone. A code may be repeated too: once it was taken, the repeat is refused and
 * not sent on. What is never a reason to send again is an answer: 202 with the state UNKNOWN is resolved by the
 * service.
 */

const THROTTLED = 429;
const SERVICE_UNAVAILABLE = 503;
/** The request may have been worked on: a fault, or a gateway that gave up waiting. */
export const MAYBE_DONE: ReadonlySet<number> = new Set([500, 502, 504]);
/** Only a person can mend it; a repeat within seconds gets the same answer. */
const HOPELESS: ReadonlySet<string> = new Set(["not-configured"]);

/**
 * How often a request is sent at most, and how long to wait in between. The wait doubles from `firstWait` on. A
 * `Retry-After` above `longestWait` ends the tries: the caller gets the error with `retryAfter`, and decides.
 */
export interface RetryPolicy {
  readonly tries: number;
  /** Seconds. */
  readonly firstWait: number;
  /** Seconds. */
  readonly longestWait: number;
}

export const USUAL_RETRIES: RetryPolicy = { tries: 4, firstWait: 0.5, longestWait: 20 };

/** What became of one try. `number` counts from 1, `status` is undefined where no answer came. */
export interface Try {
  readonly number: number;
  readonly status?: number | undefined;
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  readonly slug?: string | undefined;
}

/**
 * After how many seconds to send the same request again, or undefined: not again. `chance`, from 0 to 1, spreads many
 * clients over time (upwards only: never earlier than told).
 */
export function decideRetry(policy: RetryPolicy, last: Try, chance: number): number | undefined {
  if (last.number >= policy.tries || (last.slug !== undefined && HOPELESS.has(last.slug))) return undefined;
  const { status } = last;
  const repeatable =
    status === undefined || MAYBE_DONE.has(status) || status === THROTTLED || status === SERVICE_UNAVAILABLE;
  if (!repeatable) return undefined;
  let wait = policy.firstWait * 2 ** (last.number - 1);
  if (last.retryAfter !== undefined) {
    if (last.retryAfter > policy.longestWait) return undefined;
    wait = Math.max(wait, last.retryAfter);
  }
  return Math.min(wait, policy.longestWait) * (1 + chance / 2);
}
