/** Requests to one server, as its files in a state directory let one ask. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";

export interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  /** Default: admin, by the token. */
  readonly as?: "admin" | "server" | "nobody";
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 20 s. */
  readonly withinMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Streamed {
  readonly status: number;
  text(): string;
  /** Until the other side has ended it, or it broke. */
  readonly ended: Promise<void>;
  close(): void;
}

export async function ask(url: string, stateDir: string, asked: Asked): Promise<Answer> {
  const { method = "GET", path, body, withinMs = 20_000 } = asked;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const signal = AbortSignal.timeout(withinMs);
  const options = { method, signal, ...proofOf(stateDir, asked, text !== undefined) };
  const sent = request(`${url}${path}`, options);
  sent.on("response", (response) => {
    const { statusCode: status = 0, headers } = response;
    const parts = response.setEncoding("utf8").toArray();
    parts.then((all) => resolve({ status, headers, text: all.join("") }), reject);
  });
  sent.on("error", reject);
  sent.end(text);
  return promise;
}

/** Resolves once the answer has begun. */
export async function stream(url: string, stateDir: string, path: string): Promise<Streamed> {
  const { promise, resolve, reject } = Promise.withResolvers<Streamed>();
  const ended = Promise.withResolvers<void>();
  const sent = request(`${url}${path}`, proofOf(stateDir, { path }, false));
  sent.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    // Broken off by the server that goes, or by whoever reads it.
    response.on("error", () => ended.resolve());
    response.on("close", () => ended.resolve());
    const close = () => void sent.destroy();
    resolve({ status: response.statusCode ?? 0, text: () => text, ended: ended.promise, close });
  });
  sent.on("error", reject);
  sent.end();
  return promise;
}

function proofOf(stateDir: string, { as = "admin", headers = {} }: Asked, hasBody: boolean) {
  const pem = (name: string) => readFileSync(join(stateDir, "pki", name), "utf8");
  const token: Record<string, string> = as === "admin" ? { authorization: `Bearer ${pem("admin.token").trim()}` } : {};
  const type: Record<string, string> = hasBody ? { "content-type": "application/json" } : {};
  const proof = as === "server" ? { cert: pem("peer.crt"), key: pem("peer.key") } : {};
  return { ca: pem("ca.crt"), headers: { ...type, ...token, ...headers }, ...proof };
}
