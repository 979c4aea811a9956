// Verifies webhooks as a shop's Node does: reads a JSON list of {key, headers, body}, writes for each whether it is taken.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { Webhook } = createRequire(process.argv[2])("standardwebhooks");
const taken = JSON.parse(readFileSync(0, "utf8")).map(({ key, headers, body }) => {
  try {
    return new Webhook(key).verify(body, headers).type;
  } catch (error) {
    return error.constructor.name;
  }
});
console.log(JSON.stringify(taken));
