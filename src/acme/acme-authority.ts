import type { Authority, Order, OrderedCertificate } from "./authority.ts";
import { RateLimited } from "./rate-limited.ts";
import { unreachedWords } from "./unreached.ts";

/** The library's own waits between two questions about an order. */
const WAIT = { backoffAttempts: 30, backoffMin: 500, backoffMax: 10_000 };
/** Of a request that nothing answers, after 5 s and 10 s; the order itself is tried again later. */
const RETRIES = 2;

/** With the library that speaks RFC 8555, which is loaded with the first order. */
export class AcmeAuthority implements Authority {
  async newAccountKey(): Promise<string> {
    const { crypto } = (await import("acme-client")).default;
    return (await crypto.createPrivateEcdsaKey()).toString();
  }

  readonly #retries: number;

  constructor(retries = RETRIES) {
    this.#retries = retries;
  }

  async order(order: Order): Promise<OrderedCertificate> {
    try {
      return await this.#order(order);
    } catch (error) {
      // So the library ends where nothing answered, whatever the cause was (its axios.js looks into an answer that there is not).
      throw error instanceof TypeError ? new Error(await unreachedWords(order.directory, error, order.signal)) : error;
    }
  }

  async #order({ host, directory, email, accountKey, answer }: Order): Promise<OrderedCertificate> {
    const { Client, axios, crypto } = (await import("acme-client")).default;
    prepare(axios.defaults, this.#retries);
    const client = new Client({ directoryUrl: directory, accountKey, ...WAIT });
    const [key, csr] = await crypto.createCsr({ altNames: [host] }, await crypto.createPrivateEcdsaKey());
    const certificate = await client.auto({
      csr,
      ...(email === "" ? {} : { email }),
      termsOfServiceAgreed: true,
      challengePriority: ["http-01"],
      // It would ask from here, where the host's name need not lead.
      skipChallengeVerification: true,
      challengeCreateFn: (_authorization, { token }, keyAuthorization) => answer(token, keyAuthorization),
      challengeRemoveFn: () => Promise.resolve(),
    });
    return { certificate, key: key.toString() };
  }
}

/** Of the library's own way to ask, which all orders share. */
function prepare(defaults: object, retryMaxAttempts: number): void {
  const { acmeSettings = {}, transformResponse = [] } = defaults as {
    acmeSettings?: object;
    transformResponse?: readonly unknown[];
  };
  Object.assign(acmeSettings, { retryMaxAttempts });
  if (!transformResponse.includes(endAtLimit))
    Object.assign(defaults, { transformResponse: [endAtLimit, ...transformResponse] });
}

/** The library would wait for as long as the authority says, hours, and tell nobody. */
function endAtLimit(body: unknown, headers: Readonly<Record<string, unknown>>, status?: number): unknown {
  if (status === undefined || status < 400 || typeof body !== "string") return body;
  if (!/"urn:ietf:params:acme:error:rateLimited"/.test(body)) return body;
  const detail = (JSON.parse(body) as { detail?: unknown }).detail;
  throw new RateLimited(
    typeof detail === "string" ? detail : "it takes no more orders for now",
    String(headers["retry-after"] ?? ""),
  );
}
