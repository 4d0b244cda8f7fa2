/** A server as agents meet it, on loopback: the real listener with TLS, certificates of a CA of its own, and a door. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Listening, listenTls } from "../../../src/app/listen.ts";
import { openPki, type Pki } from "../../../src/app/pki.ts";
import { AGENT_PATH, AGENT_PROTOCOL, type AgentApiOptions, agentApi } from "../../../src/dispatcher/agent-api.ts";
import { mountApis } from "../../../src/http/mount.ts";
import type { Api } from "../../../src/http/route.ts";
import type { TlsMaterial } from "../../../src/network/link/web-socket-dialer.ts";
import { WebSocketDialer } from "../../../src/network/link/web-socket-dialer.ts";
import { type Clock, SystemClock } from "../../../src/seams/clock.ts";
import { type Issued, issueLeaf } from "../../../src/trust/issue-certificate.ts";

export interface Trust {
  readonly folder: string;
  readonly pki: Pki;
  readonly ca: Issued;
  /** A client's certificate, as that of node NAME: `CN=NAME,O=styrmann:node`. */
  client(name: string, role?: "node" | "server" | "admin", issuedAtMs?: number): Promise<TlsMaterial>;
  close(): Promise<void>;
}

/** `openedAtMs`: by the clock of the server that made it. */
export async function makeTrust(openedAtMs = Date.now()): Promise<Trust> {
  const folder = await mkdtemp(join(tmpdir(), "styr-link-"));
  const pki = await openPki(folder, openedAtMs);
  const pem = (name: string) => readFile(join(folder, "pki", name), "utf8");
  const ca = { certPem: await pem("ca.crt"), keyPem: await pem("ca.key") };
  return {
    ...{ folder, pki, ca },
    async client(name, role = "node", issuedAtMs = Date.now()) {
      const wanted = { subject: `CN=${name},O=styrmann:${role}`, names: [], usage: "client" } as const;
      return { caPem: ca.certPem, ...(await issueLeaf(ca, wanted, issuedAtMs, issuedAtMs + 3_600_000)) };
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface TestDoor {
  readonly url: string;
  close(): Promise<void>;
}

/** Listens with the agents' door, and whatever else is to be served. */
export async function openDoor(
  { pki }: Trust,
  open: AgentApiOptions["open"],
  more: readonly Api[] = [],
  port = 0,
): Promise<TestDoor> {
  const mounted = mountApis([agentApi({ version: "0.1.0", open }), ...more]);
  const listening: Listening = await listenTls(mounted, pki, { host: "127.0.0.1", port });
  return { url: listening.url, close: () => listening.close() };
}

export function dialerTo(
  server: string,
  material: TlsMaterial,
  more: { readonly path?: string; readonly version?: string; readonly clock?: Clock } = {},
): WebSocketDialer {
  const path = more.path ?? `${AGENT_PATH}?version=${more.version ?? "0.1.0"}`;
  const options = { server, path, protocol: AGENT_PROTOCOL, clock: more.clock ?? new SystemClock() };
  return new WebSocketDialer({ ...options, material: () => material });
}

/** Waits for a condition; fails with what was missing. */
export async function until(what: string, check: () => boolean, deadlineMs = 10_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!check()) {
    if (performance.now() > deadline) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`);
    await delay(10);
  }
}
