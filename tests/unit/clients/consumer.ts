/*
 * A shop's program: its compiler sees what is right and what is wrong, and it runs with the installed client.
 * Each `@ts-expect-error` is a mistake that the types tell; the compiler fails where it tells none.
 */
import {
  type BindingView,
  DirectDebitClient,
  type PaymentView,
  bearer,
  readWebhook,
  rupiah,
  sigV4,
} from "doku-cimb-direct-debit-client";

const payment = {
  partnerReferenceNo: "INV1",
  bindingId: "b1",
  customerId: "CUST-1",
  amount: { value: "10000.00", currency: "IDR" },
  remarks: "Order 1",
  state: "PAID",
};

/** Plays the service. */
const play: typeof fetch = async (input) => {
  const { method, url } = input as Request;
  const isList = method === "GET" && new URL(url).pathname.endsWith("/payments");
  return new Response(JSON.stringify(isList ? { payments: [payment] } : payment));
};

async function pay(client: DirectDebitClient): Promise<string> {
  const made: PaymentView = await client.makePayment({ bindingId: "b1", amount: rupiah("10000"), remarks: "Order 1" });
  const state: "PAID" | string = made.state;
  for await (const one of client.eachPayment({ customerId: "CUST-1" })) return `${state} ${one.amount.value}`;
  return "none";
}

/** What no program gets past its compiler. */
export async function makeMistakes(client: DirectDebitClient): Promise<void> {
  // @ts-expect-error a number is not exact
  await client.makePayment({ bindingId: "b1", amount: { value: 10000, currency: "IDR" }, remarks: "Order 1" });
  // @ts-expect-error remarks are missing
  await client.makePayment({ bindingId: "b1", amount: rupiah("10000") });
  // @ts-expect-error no such field
  await client.makePayment({ bindingId: "b1", amount: rupiah("10000"), remarks: "Order 1", remark: "x" });
  // @ts-expect-error no such selection
  await client.listPayments({ costumerId: "CUST-1" });
  // @ts-expect-error no such state
  const never = (await client.getPayment("INV1")).state === "PAYED";
  // @ts-expect-error a payment is no link
  const binding: BindingView = await client.getPayment("INV1");
  const event = readWebhook("", {}, "whsec_");
  // @ts-expect-error a link's event has no reference
  console.log(never, binding, event.kind === "binding" ? event.data.partnerReferenceNo : "");
}

const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "secret" };
for (const auth of [sigV4({ region: "ap-southeast-3", credentials }), bearer("token")]) {
  console.log(await pay(new DirectDebitClient({ baseUrl: "https://pay.example/v1", auth, fetch: play })));
}
