import * as errors from "./errors.js";
import type { FieldError, ProblemError, ProblemMembers } from "./errors.js";
import { PROBLEMS } from "./problem-kinds.js";

type ProblemClass = new (members: ProblemMembers) => ProblemError;

const CLASSES: Readonly<Record<string, ProblemClass>> = {
  CircuitOpen: errors.CircuitOpen,
  Conflict: errors.Conflict,
  CustomerActionRequired: errors.CustomerActionRequired,
  InternalError: errors.InternalError,
  InvalidRequest: errors.InvalidRequest,
  NotDone: errors.NotDone,
  NotFound: errors.NotFound,
  Rejected: errors.Rejected,
  RelinkRequired: errors.RelinkRequired,
  StoreUnavailable: errors.StoreUnavailable,
};

/** The stable part of a problem's `type`: its last segment, whatever stands before it. */
export function findSlug(type: string): string | undefined {
  const path = type.replace(/[?#].*$/s, "").replace(/\/+$/, "");
  const last = path.slice(path.lastIndexOf("/") + 1);
  return last === "" || last === "about:blank" ? undefined : last;
}

/** The seconds of `Retry-After`, undefined where it is not there or a date. */
export function readRetryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after") ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The error that an answer of 300 or more tells; gateways answer with less than a problem, or with a page. */
export function readProblem(status: number, headers: Headers, text: string): ProblemError {
  const document = readObject(text);
  const slug = findSlug(readText(document, "type") ?? "");
  const kind = slug === undefined || !Object.hasOwn(PROBLEMS, slug) ? undefined : PROBLEMS[slug];
  const found = (kind === undefined ? undefined : CLASSES[kind.name]) ?? classByStatus(status);
  return new found({
    status,
    slug,
    title: readText(document, "title") ?? `HTTP ${status}`,
    detail: readText(document, "detail") ?? readText(document, "message") ?? "",
    remedy: kind?.remedy ?? remedyByStatus(status),
    field: readText(document, "field"),
    errors: readFaults(document["errors"]),
    responseCode: readText(document, "responseCode"),
    requestId:
      readText(document, "requestId") ?? headers.get("x-request-id") ?? headers.get("x-amzn-requestid") ?? undefined,
    retryAfter: readRetryAfter(headers),
  });
}

/** A JSON object, empty where the text is none. */
export function readObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readText(document: Record<string, unknown>, name: string): string | undefined {
  const value = document[name];
  return typeof value === "string" ? value : undefined;
}

function readFaults(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((fault) => {
    const came = readText(fault, "came");
    const place = readText(fault, "in");
    return {
      pointer: readText(fault, "pointer") ?? "",
      detail: readText(fault, "detail") ?? "",
      ...(place === undefined ? {} : { in: place }),
      ...(came === undefined ? {} : { came }),
      ...("example" in fault ? { example: fault["example"] } : {}),
    };
  });
}

/** The class of a problem that this client does not know: one of a gateway's, or one added later. */
function classByStatus(status: number): ProblemClass {
  if (status === 401 || status === 403) return errors.NotAllowed;
  if (status === 429) return errors.Throttled;
  return status >= 500 ? errors.InternalError : errors.ProblemError;
}

function remedyByStatus(status: number): string {
  if (status === 401 || status === 403) {
    return (
      "Check the base URL and its path, the keys or the token, the region, this machine's clock, and the right to " +
      "call the route (execute-api:Invoke)."
    );
  }
  if (status === 429 || status >= 500) return "Repeat the same request later; it can not be done twice.";
  return "Read the record to see its state, and correct the request.";
}
