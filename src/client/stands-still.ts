/** Tells a server that takes its time from one that stands still: the kernel takes calls for a stopped process, too. */
import { readFileSync } from "node:fs";
import type { ClientRequest, RequestOptions, request } from "node:http";
import { hostname, networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../seams/clock.ts";
import { ClientError } from "./client-error.ts";
import type { Endpoint } from "./endpoint.ts";

/** After so much silence it is asked something that any server answers at once … */
export const PATIENCE_MS = 10_000;
/** … within this. */
export const PROBE_MS = 5_000;

export interface Probe {
  readonly options: RequestOptions;
  readonly start: typeof request;
  readonly path: string;
}

/** Resolves with whether anything at all is answered, on a connection of its own. */
export function answers({ options, start, path }: Probe, clock: Clock): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = start({ ...options, method: "GET", path, agent: false });
  const timer = clock.setTimer(PROBE_MS, () => probe.destroy(new Error("no answer")));
  const end = (answered: boolean) => {
    timer.cancel();
    resolve(answered);
  };
  probe.on("response", (response) => {
    response.resume();
    end(true);
  });
  probe.on("error", () => end(false));
  probe.end();
  return promise;
}

/** Ends a call to a server that stands still; one that answers others is waited for. Gives what ends the watching. */
export function endIfStill(sent: ClientRequest, isAlive: () => Promise<boolean>, problem: () => Error, clock: Clock) {
  let isOver = false;
  let timer = clock.setTimer(PATIENCE_MS, look);
  function look(): void {
    void isAlive().then((alive) => {
      if (isOver) return;
      if (alive) timer = clock.setTimer(PATIENCE_MS, look);
      else sent.destroy(problem());
    });
  }
  return () => {
    isOver = true;
    timer.cancel();
  };
}

export function standsStill(endpoint: Endpoint, method: string): ClientError {
  const place = endpoint.type === "unix" ? endpoint.path : endpoint.url.origin;
  const fate =
    method === "GET" ? "" : "; it is not known whether it does what it was asked for: look before you ask again";
  const [other] = otherServers(endpoint);
  return new ClientError(
    `the server at ${place} takes calls and answers none of them: it stands still, or its host can do no more${fate}`,
    {
      next: other === undefined ? "ask another server: styr --server https://HOST:7443 …" : `styr --server ${other} …`,
    },
  );
}

function addressesHere(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

/** As the host's `cluster.json` beside the socket has them, for whoever may read it, without this host's own. */
function otherServers(endpoint: Endpoint): readonly string[] {
  if (endpoint.type !== "unix") return [];
  try {
    const { servers, nodeName } = JSON.parse(readFileSync(join(dirname(endpoint.path), "cluster.json"), "utf8"));
    const all = Array.isArray(servers) ? servers.filter((url) => typeof url === "string") : [];
    const own = new Set([nodeName, hostname(), ...addressesHere()]);
    return all.filter((url) => URL.canParse(url) && !own.has(new URL(url).hostname));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code !== undefined) return [];
    throw error;
  }
}
