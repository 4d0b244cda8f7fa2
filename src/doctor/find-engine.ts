/** Looks for a Docker Engine: where DOCKER_HOST says, else at the usual sockets. */
import { access } from "node:fs/promises";
import { request } from "node:http";
import { type RequestOptions, request as requestTls } from "node:https";

export interface EngineQuestion {
  /** The value of DOCKER_HOST, when it is set: then nothing else is tried. */
  readonly dockerHost?: string;
  /** Of DOCKER_CERT_PATH, when a tcp:// host is spoken to over TLS. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly verify: boolean };
  /** For sockets below the user's own folders. */
  readonly home?: string;
  readonly runtimeDir?: string;
  readonly timeoutMs?: number;
}

export type FoundEngine =
  | { readonly found: true; readonly host: string; readonly version: string; readonly apiVersion: string }
  | LackingEngine;

export interface LackingEngine {
  readonly found: false;
  /** A sentence for people, with what was tried. */
  readonly message: string;
  readonly tried: readonly string[];
  /** A socket is there, but what is behind it does not answer. */
  readonly hasSocket: boolean;
  /** The first place where somebody took the question and did not answer it in time. */
  readonly silent?: string;
}

class NoAnswer extends Error {}

export async function findEngine(question: EngineQuestion): Promise<FoundEngine> {
  const hosts = question.dockerHost ? [question.dockerHost] : usualHosts(question);
  const failures: string[] = [];
  let hasSocket = false;
  let silent: string | undefined;
  for (const host of hosts) {
    try {
      return { found: true, host, ...(await askVersion(host, question)) };
    } catch (error) {
      failures.push(`${host} (${wordsOf(error)})`);
      if (error instanceof NoAnswer) silent ??= host;
      hasSocket ||= await access(host.replace(/^unix:\/\//, "")).then(
        () => true,
        () => false,
      );
    }
  }
  const where = question.dockerHost ? "at DOCKER_HOST" : "at the usual places";
  return {
    found: false,
    message: `no Docker Engine answers ${where}: ${failures.join(", ")}`,
    tried: hosts,
    hasSocket,
    ...(silent === undefined ? {} : { silent }),
  };
}

/** Where an engine of this system or this user listens, most usual first. */
export function usualHosts({ home, runtimeDir }: Pick<EngineQuestion, "home" | "runtimeDir">): readonly string[] {
  return [
    "/var/run/docker.sock",
    ...(runtimeDir ? [`${runtimeDir}/docker.sock`] : []),
    ...(home ? [`${home}/.docker/run/docker.sock`, `${home}/.docker/desktop/docker.sock`] : []),
  ].map((path) => `unix://${path}`);
}

function askVersion(host: string, question: EngineQuestion): Promise<{ version: string; apiVersion: string }> {
  const { timeoutMs = 5000 } = question;
  return new Promise((resolve, reject) => {
    const sent = open(host, question);
    sent.setTimeout(timeoutMs, () => sent.destroy(new NoAnswer(`no answer within ${timeoutMs / 1000} s`)));
    sent.on("error", reject);
    sent.on("close", () => reject(new Error("the connection closed")));
    sent.on("response", (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("error", reject);
      response.on("end", () => {
        try {
          resolve(parseVersion(response.statusCode ?? 0, Buffer.concat(pieces).toString("utf8")));
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.end();
  });
}

function open(host: string, { tls }: EngineQuestion) {
  if (host.startsWith("unix://"))
    return request({ socketPath: host.slice("unix://".length), path: "/version", agent: false });
  const url = new URL(host.replace(/^tcp:/, tls ? "https:" : "http:"));
  const options: RequestOptions = {
    hostname: url.hostname,
    port: url.port || (tls ? 2376 : 2375),
    path: "/version",
    agent: false,
  };
  return tls ? requestTls({ ...options, ...tls, rejectUnauthorized: tls.verify }) : request(options);
}

function parseVersion(status: number, body: string): { version: string; apiVersion: string } {
  const { Version, ApiVersion } =
    status === 200 ? (JSON.parse(body) as { Version?: unknown; ApiVersion?: unknown }) : {};
  if (typeof Version !== "string" || typeof ApiVersion !== "string")
    throw new Error(`what answers there is no Docker Engine (HTTP ${status})`);
  return { version: Version, apiVersion: ApiVersion };
}

function wordsOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Readonly<Record<string, string>> = {
    ENOENT: "no such socket",
    ECONNREFUSED: "nobody listens",
    EACCES: "permission denied: root or a member of the group docker may use it",
  };
  return words[code ?? ""] ?? message;
}
