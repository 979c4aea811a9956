// Written by `make clients`: what docs/errors.md says of each problem.
export const PROBLEMS: Readonly<Record<string, { readonly name: string; readonly remedy: string }>> = {
  "malformed-request": {
    "name": "InvalidRequest",
    "remedy": "Send one JSON object in UTF-8. Nothing was written and nothing was sent."
  },
  "missing-field": {
    "name": "InvalidRequest",
    "remedy": "Add the field. Nothing was written and nothing was sent."
  },
  "body-too-large": {
    "name": "InvalidRequest",
    "remedy": "Send less; `metadata` is the only part that can grow."
  },
  "invalid-field": {
    "name": "InvalidRequest",
    "remedy": "Correct the field. Nothing was written and nothing was sent."
  },
  "unknown-field": {
    "name": "InvalidRequest",
    "remedy": "Correct the name or remove the field; `detail` says which."
  },
  "not-found": {
    "name": "NotFound",
    "remedy": "Check the identifier in the path."
  },
  "conflict": {
    "name": "Conflict",
    "remedy": "Read the resource and decide anew. The same request again gives the same answer."
  },
  "rejected": {
    "name": "Rejected",
    "remedy": "Do not repeat the same request."
  },
  "customer-action-required": {
    "name": "CustomerActionRequired",
    "remedy": "Tell the customer; begin anew afterwards."
  },
  "otp-wrong": {
    "name": "CustomerActionRequired",
    "remedy": "Ask the customer to read the code again and send it to the same address."
  },
  "otp-expired": {
    "name": "Rejected",
    "remedy": "Begin anew: a payment with a new reference."
  },
  "otp-blocked": {
    "name": "Rejected",
    "remedy": "Begin anew later: a payment with a new reference."
  },
  "otp-not-awaited": {
    "name": "CustomerActionRequired",
    "remedy": "Read the resource: its state says what is next."
  },
  "relink-required": {
    "name": "RelinkRequired",
    "remedy": "Send the customer through `POST /bindings` again."
  },
  "not-done": {
    "name": "NotDone",
    "remedy": "Repeat the same request after `Retry-After` seconds."
  },
  "circuit-open": {
    "name": "CircuitOpen",
    "remedy": "Repeat the same request after `Retry-After` seconds."
  },
  "not-configured": {
    "name": "NotDone",
    "remedy": "Tell the operator. Nothing was done, and the same request may be repeated."
  },
  "store-unavailable": {
    "name": "StoreUnavailable",
    "remedy": "Repeat the same request, with the same key, after `Retry-After` seconds: it can not be done twice."
  },
  "record-unreadable": {
    "name": "StoreUnavailable",
    "remedy": "Repeat the same request, with the same key, later: it can not be done twice. If it lasts, tell the operator."
  },
  "internal-error": {
    "name": "InternalError",
    "remedy": "Read the resource to see how far it went. The same request with the same key can not be done twice."
  }
};
