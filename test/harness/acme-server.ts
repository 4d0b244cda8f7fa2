/**
 * A small authority that speaks ACME (RFC 8555): accounts, nonces and signatures are checked, a host counts as ours when the answer is
 * found under it over HTTP, and certificates are signed by a CA of its own. Hosts' names are looked up by the test.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, verify, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Issued, issueCa, issueForRequest } from "../../src/trust/issue-certificate.ts";

interface AcmeOptions {
  /** Where a host is looked for. */
  readonly lookUp: (host: string) => { readonly address: string; readonly port: number };
  /** How long a certificate is good. */
  readonly lifeMs?: number;
}

interface OrderState {
  readonly host: string;
  readonly token: string;
  readonly account: string;
  status: "pending" | "ready" | "valid" | "invalid";
  isAsked?: boolean;
  error?: string;
  certificate?: string;
}

type Json = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: what clients send is looked at field by field.
type Signed = { readonly account: string; readonly payload: any };

class Problem extends Error {}

export class AcmeServer {
  readonly #options: AcmeOptions;
  readonly #accounts = new Map<string, { readonly key: KeyObject; readonly thumbprint: string }>();
  readonly #nonces = new Set<string>();
  readonly #orders: OrderState[] = [];
  readonly #server = createServer((asked, response) => void this.#answer(asked, response));
  #ca: Issued | undefined;
  /** What was proved, host by host. */
  readonly proved: string[] = [];

  private constructor(options: AcmeOptions) {
    this.#options = options;
  }

  static async open(options: AcmeOptions): Promise<AcmeServer> {
    const server = new AcmeServer(options);
    server.#ca = await issueCa(Date.now(), Date.now() + 86_400_000 * 365);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get accounts(): number {
    return this.#accounts.size;
  }

  get ordered(): readonly string[] {
    return this.#orders.map(({ host }) => host);
  }

  get caPem(): string {
    return this.#ca?.certPem ?? "";
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(asked: IncomingMessage, response: ServerResponse): Promise<void> {
    const nonce = randomBytes(16).toString("base64url");
    this.#nonces.add(nonce);
    response.setHeader("Replay-Nonce", nonce);
    try {
      const { status = 200, headers = {}, body } = await this.#route(asked);
      const type = typeof body === "string" ? "application/pem-certificate-chain" : "application/json";
      response.writeHead(status, { "Content-Type": type, ...headers });
      response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
    } catch (error) {
      const [type, detail] = (error as Error).message.split(": ");
      response.writeHead(error instanceof Problem ? 400 : 500, { "Content-Type": "application/problem+json" });
      response.end(JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail: detail ?? String(error) }));
    }
  }

  async #route(
    asked: IncomingMessage,
  ): Promise<{ status?: number; headers?: Record<string, string>; body?: Json | string }> {
    const path = asked.url ?? "";
    const { url } = this;
    if (path === "/directory")
      return { body: { newNonce: `${url}/nonce`, newAccount: `${url}/account`, newOrder: `${url}/order`, meta: {} } };
    if (path === "/nonce") return {};
    const { account, payload } = await this.#signed(asked);
    if (path === "/account")
      return { status: 201, headers: { Location: `${url}/account/${account}` }, body: { status: "valid" } };
    if (path === "/order") return this.#newOrder(account, payload);
    const [, what = "", id = ""] = path.split("/");
    const order = this.#orders[Number(id)];
    if (order?.account !== account) throw new Problem("malformed: there is no such order of this account");
    if (what === "authorization") return { body: this.#authorization(order, id) };
    if (what === "challenge") {
      if (order.isAsked !== true) void this.#prove(order);
      order.isAsked = true;
      return { body: this.#challenge(order, id) };
    }
    if (what === "finalize") await this.#finalize(order, payload);
    if (what === "certificate") return { body: order.certificate ?? "" };
    return { headers: { Location: `${url}/order/${id}` }, body: this.#orderBody(order, id) };
  }

  #newOrder(account: string, payload: Signed["payload"]) {
    const host = String(payload.identifiers?.[0]?.value);
    const id = String(
      this.#orders.push({ host, account, token: randomBytes(24).toString("base64url"), status: "pending" }) - 1,
    );
    const order = this.#orders[Number(id)] as OrderState;
    return { status: 201, headers: { Location: `${this.url}/order/${id}` }, body: this.#orderBody(order, id) };
  }

  #orderBody({ host, status }: OrderState, id: string): Json {
    const identifiers = [{ type: "dns", value: host }];
    const at = (what: string) => `${this.url}/${what}/${id}`;
    const more = status === "valid" ? { certificate: at("certificate") } : {};
    return { status, identifiers, authorizations: [at("authorization")], finalize: at("finalize"), ...more };
  }

  #authorization(order: OrderState, id: string): Json {
    const status = order.status === "ready" ? "valid" : order.status;
    return { status, identifier: { type: "dns", value: order.host }, challenges: [this.#challenge(order, id)] };
  }

  #challenge({ token, status, error }: OrderState, id: string): Json {
    const shown = status === "ready" ? "valid" : status;
    const trouble =
      error === undefined ? {} : { error: { type: "urn:ietf:params:acme:error:connection", detail: error } };
    return { type: "http-01", url: `${this.url}/challenge/${id}`, token, status: shown, ...trouble };
  }

  async #prove(order: OrderState): Promise<void> {
    const { address, port } = this.#options.lookUp(order.host);
    const path = `/.well-known/acme-challenge/${order.token}`;
    const expected = `${order.token}.${this.#accounts.get(order.account)?.thumbprint}`;
    const body = await new Promise<string>((resolve) => {
      const asked = request({ host: address, port, path, headers: { Host: order.host } }, async (response) => {
        let text = "";
        for await (const chunk of response) text += chunk;
        resolve(text);
      });
      asked.on("error", (error) => resolve(error.message));
      asked.end();
    });
    if (body === expected) {
      this.proved.push(order.host);
      order.status = "ready";
    } else {
      order.status = "invalid";
      order.error = `${order.host} answers ${JSON.stringify(body.slice(0, 60))}`;
    }
  }

  async #finalize(order: OrderState, { csr }: Signed["payload"]): Promise<void> {
    if (order.status !== "ready" || !this.#ca) throw new Problem("orderNotReady: the host is not proved");
    const base64 = Buffer.from(csr, "base64url").toString("base64");
    const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${base64.replaceAll(/(.{64})/g, "$1\n")}\n-----END CERTIFICATE REQUEST-----\n`;
    const names = [{ type: "dns", value: order.host }] as const;
    const wanted = { subject: `CN=${order.host}`, names, usage: "server" } as const;
    const until = Date.now() + (this.#options.lifeMs ?? 90 * 86_400_000);
    order.certificate = (await issueForRequest(this.#ca, pem, wanted, Date.now(), until)) + this.#ca.certPem;
    new X509Certificate(order.certificate);
    order.status = "valid";
  }

  /** RFC 8555, 6.2: a nonce of ours, used once; signed by the account's key, or by the key that makes the account. */
  async #signed(asked: IncomingMessage): Promise<Signed> {
    let text = "";
    for await (const chunk of asked) text += chunk;
    const jws = JSON.parse(text) as { protected: string; payload: string; signature: string };
    const header = JSON.parse(Buffer.from(jws.protected, "base64url").toString("utf8")) as Json;
    if (!this.#nonces.delete(String(header.nonce))) throw new Problem("badNonce: this is none of ours");
    if (header.url !== `${this.url}${asked.url}`) throw new Problem("malformed: it was signed for another URL");
    const account = header.jwk ? this.#accountOf(header.jwk as Json) : String(header.kid).split("/").at(-1);
    const known = this.#accounts.get(account ?? "");
    if (known === undefined || account === undefined) throw new Problem("accountDoesNotExist: who is this");
    const signature = Buffer.from(jws.signature, "base64url");
    const isTheirs = verify(
      "sha256",
      Buffer.from(`${jws.protected}.${jws.payload}`),
      { key: known.key, dsaEncoding: "ieee-p1363" },
      signature,
    );
    if (!isTheirs) throw new Problem("malformed: the signature is not the account's");
    const payload = jws.payload === "" ? {} : JSON.parse(Buffer.from(jws.payload, "base64url").toString("utf8"));
    if (asked.url === "/account" && payload.termsOfServiceAgreed !== true)
      throw new Problem("userActionRequired: the terms");
    return { account, payload };
  }

  /** RFC 7638. */
  #accountOf({ crv, kty, x, y }: Json): string {
    const thumbprint = createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
    const id = createHash("sha256").update(thumbprint).digest("hex").slice(0, 12);
    const key = createPublicKey({ key: { crv, kty, x, y } as never, format: "jwk" });
    this.#accounts.set(id, { key, thumbprint });
    return id;
  }
}
