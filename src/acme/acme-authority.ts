import type { Authority, Order, OrderedCertificate } from "./authority.ts";
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
    Object.assign((axios.defaults as { acmeSettings?: object }).acmeSettings ?? {}, {
      retryMaxAttempts: this.#retries,
    });
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
