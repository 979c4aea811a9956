/*
 * Every error of this client, named for what to do. All of them are `DirectDebitError`.
 */

export class DirectDebitError extends Error {
  /** Whether the request may have been carried out. With the same reference or key it can not be done twice. */
  maybeDone = false;
  /** The key with which the request was sent, if any: send it again with this one. */
  idempotencyKey: string | undefined;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** No answer came, at no try: the service was not reached, or its answer was lost (`maybeDone` tells). */
export class AnswerLost extends DirectDebitError {}

/** The answer is not one of this API's: a wrong base URL, or something between that answers itself. */
export class UnexpectedAnswer extends DirectDebitError {}

/** The time for waiting is over, and the state is not final. `last` is what was seen last. */
export class StillOpen extends DirectDebitError {
  constructor(
    message: string,
    readonly last: unknown,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A message is not signed with one of the secrets, is too old or too new, or is no event: answer it with 400. */
export class WebhookRefused extends DirectDebitError {}

/** One wrong field: its JSON pointer, the rule, what kind of value came (never the value), a right one. */
export interface FieldError {
  readonly pointer: string;
  /** path, query or header; left out for the body. */
  readonly in?: string;
  readonly detail: string;
  readonly came?: string;
  readonly example?: unknown;
}

export interface ProblemMembers {
  readonly status: number;
  /** Last part of the problem's `type`, as in docs/errors.md; undefined where API Gateway answered by itself. */
  readonly slug: string | undefined;
  readonly title: string;
  /** What is wrong. */
  readonly detail: string;
  /** What to do. */
  readonly remedy: string;
  /** Name of the first wrong field. */
  readonly field: string | undefined;
  /** All wrong fields. */
  readonly errors: readonly FieldError[];
  /** DOKU's. */
  readonly responseCode: string | undefined;
  /** Quote it when you ask for help. */
  readonly requestId: string | undefined;
  /** Seconds. */
  readonly retryAfter: number | undefined;
}

/** The API refused (RFC 9457). The class says what to do, `slug` says exactly what happened. */
export class ProblemError extends DirectDebitError implements ProblemMembers {
  readonly status: number;
  readonly slug: string | undefined;
  readonly title: string;
  readonly detail: string;
  readonly remedy: string;
  readonly field: string | undefined;
  readonly errors: readonly FieldError[];
  readonly responseCode: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(members: ProblemMembers) {
    super(tell(members));
    this.status = members.status;
    this.slug = members.slug;
    this.title = members.title;
    this.detail = members.detail;
    this.remedy = members.remedy;
    this.field = members.field;
    this.errors = members.errors;
    this.responseCode = members.responseCode;
    this.requestId = members.requestId;
    this.retryAfter = members.retryAfter;
  }
}

function tell(problem: ProblemMembers): string {
  const code = problem.responseCode === undefined ? undefined : `DOKU ${problem.responseCode}`;
  const marks = [problem.status, problem.slug, code].filter((mark) => mark !== undefined).join(", ");
  const others = problem.errors.slice(1).map((error) => `; ${error.pointer}: ${error.detail}`);
  const request = problem.requestId === undefined ? "" : ` (request ${problem.requestId})`;
  return `[${marks}] ${problem.detail || problem.title}${others.join("")} - ${problem.remedy}${request}`;
}

/** The request is wrong: correct it. Nothing was done. */
export class InvalidRequest extends ProblemError {}

/** Not signed, wrongly signed, or without the right to call this route. Nothing was done. */
export class NotAllowed extends ProblemError {}

/** There is no such link, payment or refund. */
export class NotFound extends ProblemError {}

/** The request does not fit what exists: read the record and decide anew. */
export class Conflict extends ProblemError {}

/** DOKU or the bank refused for good: do not repeat. */
export class Rejected extends ProblemError {}

/** The customer has to do something, e.g. read the code again (`otp-wrong`). */
export class CustomerActionRequired extends ProblemError {}

/** The customer has to link the account again. */
export class RelinkRequired extends CustomerActionRequired {}

/** Surely nothing happened; repeat the same request later (`retryAfter`). */
export class NotDone extends ProblemError {}

/** DOKU is not available for a while; nothing happened. */
export class CircuitOpen extends NotDone {}

/** Too many requests; nothing happened. */
export class Throttled extends NotDone {}

/** The service's database failed: repeat the same request later, it can not be done twice. */
export class StoreUnavailable extends ProblemError {
  override maybeDone = true;
}

/** A fault of the service: read the record to see how far it went; the same request can not be done twice. */
export class InternalError extends ProblemError {
  override maybeDone = true;
}
