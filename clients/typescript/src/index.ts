export { type Amount, rupiah } from "./amounts.js";
export { type Auth, type AwsKeys, type OneTry, bearer, sigV4 } from "./auth.js";
export {
  type BindingQuery,
  type BindingView,
  type ClientOptions,
  DirectDebitClient,
  type PaymentQuery,
  type PaymentView,
  type RefundOfPaymentView,
  type Schemas,
} from "./client.js";
export * from "./errors.js";
export type { components, operations, paths } from "./openapi.js";
export { type RetryPolicy, type Try, USUAL_RETRIES, decideRetry } from "./retries.js";
export { type Pace, USUAL_PACE } from "./waiting.js";
export { type BindingEventData, type PaymentEventData, type WebhookEvent, readWebhook } from "./webhooks.js";
