import type { components } from "./openapi.js";

export type Amount = components["schemas"]["AmountBody"];

const PLAIN = /^(\d{1,16})(?:\.(\d{1,2})0*)?$/;

/**
 * Rupiah as the API takes it: `rupiah("10000")` and `rupiah(10000n)` are `{ value: "10000.00", currency: "IDR" }`.
 * Throws TypeError for a number, which is not exact, and RangeError for what is no amount of whole sen above zero.
 */
export function rupiah(amount: string | bigint): Amount {
  if (typeof amount !== "string" && typeof amount !== "bigint") {
    throw new TypeError(`give the amount as a string or a bigint, e.g. "10000.00", not as a ${typeof amount}`);
  }
  const found = PLAIN.exec(amount.toString());
  if (found === null || !/[1-9]/.test(found[0])) {
    throw new RangeError('an amount is greater than zero, in plain digits with at most two decimals, e.g. "10000.00"');
  }
  return { value: `${found[1]}.${(found[2] ?? "").padEnd(2, "0")}`, currency: "IDR" };
}
