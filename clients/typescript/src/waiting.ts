import { AnswerLost, InternalError, NotDone, StillOpen, StoreUnavailable } from "./errors.js";
import type { components } from "./openapi.js";

type Schemas = components["schemas"];

const FINAL_PAYMENT: ReadonlySet<string> = new Set<Schemas["PaymentState"]>([
  "PAID",
  "FAILED",
  "REFUNDED",
  "NEEDS_REVIEW",
]);
const FINAL_REFUND: ReadonlySet<string> = new Set<Schemas["RefundState"]>(["REFUNDED", "FAILED", "NEEDS_REVIEW"]);
const LINKING: ReadonlySet<string> = new Set<Schemas["BindingState"]>(["REQUESTED", "PENDING"]);

export const isFinalPayment = (state: string): boolean => FINAL_PAYMENT.has(state);
export const isFinalRefund = (state: string): boolean => FINAL_REFUND.has(state);
export const isNoLongerLinking = (state: string): boolean => !LINKING.has(state);

/** How long to wait between two looks, in seconds: from `first` on, each `factor` longer, `longest` at most. */
export interface Pace {
  readonly first: number;
  readonly factor: number;
  readonly longest: number;
}

export const USUAL_PACE: Pace = { first: 1, factor: 1.5, longest: 15 };

/**
 * Looks until `isThere`; returns what was seen then. One more look is taken when `timeout` seconds have passed. Throws
 * StillOpen; what does not pass (e.g. NotFound) at once. An outage of the service is waited out: `look` is one try.
 */
export async function waitUntil<R extends { state: string }>(
  look: () => Promise<R>,
  isThere: (state: string) => boolean,
  timeout: number,
  pace: Pace,
  clock: { now: () => number; sleep: (seconds: number) => Promise<void> },
): Promise<R> {
  const end = clock.now() + timeout;
  let seen: R | undefined;
  for (let interval = pace.first; ; interval = Math.min(interval * pace.factor, pace.longest)) {
    const isLast = clock.now() >= end;
    let pause = interval;
    try {
      seen = await look();
      if (isThere(seen.state)) return seen;
      if (isLast) throw new StillOpen(`still ${seen.state} after ${timeout} s`, seen);
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (isLast) throw new StillOpen(`not final after ${timeout} s; the last look failed`, seen, { cause: error });
      pause = Math.max(pause, error instanceof AnswerLost ? 0 : (error.retryAfter ?? 0));
    }
    await clock.sleep(Math.max(0, Math.min(pause, end - clock.now())));
  }
}

type Passing = AnswerLost | NotDone | StoreUnavailable | InternalError;

function isPassing(error: unknown): error is Passing {
  return [AnswerLost, NotDone, StoreUnavailable, InternalError].some((kind) => error instanceof kind);
}
