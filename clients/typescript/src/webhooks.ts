import { Webhook } from "standardwebhooks";

import { WebhookRefused } from "./errors.js";
import type { components } from "./openapi.js";
import { readObject } from "./problems.js";

type Schemas = components["schemas"];

/** Members of both kinds. Of two events of the same record, the one with the higher `recordVersion` is newer. */
interface EventData {
  readonly bindingId: string;
  readonly customerId: string;
  readonly responseCode: string | null;
  readonly recordVersion: number;
  readonly schemaVersion: number;
  readonly eventId: string;
  /** UTC, ISO 8601. */
  readonly occurredAt: string;
}

/** What became of a payment or its refund. */
export interface PaymentEventData extends EventData {
  readonly partnerReferenceNo: string;
  readonly amount: string;
  readonly currency: string;
  readonly state: Schemas["PaymentState"];
  readonly reason: string | null;
  readonly partnerRefundNo: string | null;
  readonly refundState: Schemas["RefundState"] | null;
}

/** What became of a link. */
export interface BindingEventData extends EventData {
  readonly state: Schemas["BindingState"];
}

/** One event, e.g. of the type `payment.paid`. The same message may come again, with the same `id`: act on it once. */
export type WebhookEvent = { readonly id: string; readonly type: string; readonly timestamp: Date } & (
  | { readonly kind: "payment"; readonly data: PaymentEventData }
  | { readonly kind: "binding"; readonly data: BindingEventData }
  | { readonly kind: "other"; readonly data: Readonly<Record<string, unknown>> }
);

/**
 * Verifies a message by the Standard Webhooks convention with your secret (`whsec_...`; while it is being replaced, the
 * old one too) and returns its event. `body`: exactly as it came, before any JSON reader. Throws WebhookRefused;
 * RangeError for a secret that is none.
 */
export function readWebhook(
  body: string | Uint8Array,
  headers: Headers | Readonly<Record<string, string | string[] | undefined>>,
  secrets: string | readonly string[],
): WebhookEvent {
  const known = (typeof secrets === "string" ? [secrets] : secrets).map(open);
  if (known.length === 0) throw new RangeError("give at least one webhook secret");
  const text = typeof body === "string" ? body : new TextDecoder().decode(body);
  const flat = flatten(headers);
  if (!known.some((webhook) => isSigned(webhook, text, flat))) {
    throw new WebhookRefused("not signed with a known secret, or too old or too new (five minutes): answer with 400");
  }
  return readEvent(text, flat["webhook-id"] ?? "");
}

function readEvent(text: string, id: string): WebhookEvent {
  const { type, timestamp, data } = readObject(text);
  const at = new Date(typeof timestamp === "string" ? timestamp : "");
  if (typeof type !== "string" || Number.isNaN(at.getTime()) || typeof data !== "object" || data === null) {
    throw new WebhookRefused("signed, but no event of this API: is the address meant for another sender?");
  }
  const event = { id, type, timestamp: at };
  if (/^(payment|refund)\./.test(type) && "partnerReferenceNo" in data) {
    return { ...event, kind: "payment", data: data as PaymentEventData };
  }
  if (type.startsWith("binding.") && "bindingId" in data) {
    return { ...event, kind: "binding", data: data as BindingEventData };
  }
  return { ...event, kind: "other", data: data as Readonly<Record<string, unknown>> };
}

function open(secret: string): Webhook {
  const rule = "a webhook secret is whsec_ and base64, as the service's operator gives it";
  if (secret.replace(/^whsec_/, "") === "") throw new RangeError(rule);
  try {
    return new Webhook(secret);
  } catch (error) {
    throw new RangeError(rule, { cause: error });
  }
}

function isSigned(webhook: Webhook, body: string, headers: Record<string, string>): boolean {
  try {
    webhook.verify(body, headers, { jsonParse: false });
    return true;
  } catch (error) {
    // The library's own error, or that of its reader of base64: whatever it can not verify is not verified.
    if (error instanceof Error) return false;
    throw error;
  }
}

function flatten(headers: Headers | Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  const entries = headers instanceof Headers ? [...headers.entries()] : Object.entries(headers);
  for (const [name, value] of entries) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) flat[name.toLowerCase()] = first;
  }
  return flat;
}
