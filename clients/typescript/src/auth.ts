import { AwsClient } from "aws4fetch";

/** One try of a request, before it is signed. */
export interface OneTry {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | undefined;
}

/** Returns the request with its proof of who sends it. Asked at each try, so that a repeat is never too old. */
export type Auth = (one: OneTry) => Promise<Request>;

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/**
 * AWS Signature V4, the API's default. `credentials` are keys, or a function that returns the keys of now, such as
 * `fromNodeProviderChain()` of `@aws-sdk/credential-providers`.
 */
export function sigV4(options: { region: string; credentials: AwsKeys | (() => Promise<AwsKeys>) }): Auth {
  const { region, credentials } = options;
  return async (one) => {
    const keys = typeof credentials === "function" ? await credentials() : credentials;
    const { accessKeyId, secretAccessKey, sessionToken } = keys;
    const client = new AwsClient({
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      region,
      service: "execute-api",
    });
    return client.sign(one.url, init(one));
  };
}

/** A JWT of your identity provider (`AuthMode` JWT): the token, or a function that returns the one of now. */
export function bearer(token: string | (() => string | Promise<string>)): Auth {
  return async (one) => {
    const headers = new Headers(one.headers);
    headers.set("Authorization", `Bearer ${typeof token === "string" ? token : await token()}`);
    return new Request(one.url, init({ ...one, headers }));
  };
}

function init(one: OneTry): RequestInit {
  return { method: one.method, headers: one.headers, ...(one.body === undefined ? {} : { body: one.body }) };
}
