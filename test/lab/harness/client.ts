/** HTTPS to the servers of a lab from the test's own address on the switch, as an administrator would speak to them. */
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import type { Host } from "./host.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface AskOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly timeoutMs?: number;
}

export const PORT = 7443;

export class LabClient {
  readonly #agent: Agent;
  readonly #token: string;

  /** `token` of a user; the CA is the one that the first server made. */
  constructor(first: Host, token: string) {
    this.#token = token;
    this.#agent = new Agent({ ca: readFileSync(join(first.disk("styrmann"), "pki/ca.crt")), keepAlive: true });
  }

  /** An answer of any status; throws when there is none. */
  ask(server: Host, path: string, { method = "GET", body, timeoutMs = 10_000 }: AskOptions = {}): Promise<Answer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      Authorization: `Bearer ${this.#token}`,
      ...(text === undefined ? {} : { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }),
    };
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: server.address,
          port: PORT,
          path,
          method,
          headers,
          agent: this.#agent,
          signal: AbortSignal.timeout(timeoutMs),
        },
        (response) => {
          let all = "";
          response.setEncoding("utf8");
          response.on("data", (data) => (all += data));
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text: all }));
          response.on("error", reject);
        },
      );
      sent.on("error", reject);
      sent.end(text);
    });
  }

  /** The answer's JSON; anything but 2xx throws. */
  async must<T = unknown>(server: Host, path: string, options: AskOptions = {}): Promise<T> {
    const { status, text } = await this.ask(server, path, options);
    if (status < 200 || status > 299)
      throw new Error(`${server.name} answers ${status} to ${options.method ?? "GET"} ${path}: ${text}`);
    return JSON.parse(text) as T;
  }

  /** Lines of an answer that goes on, until its end or the signal; silence of 30 s counts as its end. */
  async *lines(server: Host, path: string, signal: AbortSignal): AsyncGenerator<string> {
    const response = await this.#open(server, path, signal);
    let rest = "";
    for await (const piece of response.setEncoding("utf8")) {
      const lines = `${rest}${piece}`.split("\n");
      rest = lines.pop() ?? "";
      yield* lines.filter((line) => line !== "");
    }
  }

  #open(server: Host, path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { Authorization: `Bearer ${this.#token}` };
      const sent = request(
        { host: server.address, port: PORT, path, headers, agent: this.#agent, signal, timeout: 30_000 },
        (response) => {
          if (response.statusCode === 200) resolve(response);
          else reject(new Error(`answered ${response.statusCode}`));
        },
      );
      sent.on("timeout", () => sent.destroy(new Error("silent")));
      sent.on("error", reject);
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
