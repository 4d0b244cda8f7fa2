import type { Authority, Order, OrderedCertificate } from "./authority.ts";

/** The library's own waits between two questions about an order. */
const WAIT = { backoffAttempts: 30, backoffMin: 500, backoffMax: 10_000 };

/** With the library that speaks RFC 8555, which is loaded with the first order. */
export class AcmeAuthority implements Authority {
  async newAccountKey(): Promise<string> {
    const { crypto } = (await import("acme-client")).default;
    return (await crypto.createPrivateEcdsaKey()).toString();
  }

  async order({ host, directory, email, accountKey, answer }: Order): Promise<OrderedCertificate> {
    const { Client, crypto } = (await import("acme-client")).default;
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
