/** What is measured of both orchestrators in the lab, as their users would see it: from the test's own address on the switch. */
import { request } from "node:http";
import type { Host } from "../../test/lab/harness/host.ts";
import { until } from "../../test/lab/harness/wait.ts";

/** Milliseconds. */
export interface Times {
  /** From the command that joins a host to the first look that shows it ready. */
  readonly joinToReadyMs: number;
  /** From the same command to the first answer of a container on that host, whose image is there. */
  readonly joinToServingMs: number;
  /** From the power cut of the leader to the first write that is accepted. */
  readonly failoverMs: number;
  /** From the power cut of a host to the first answer of the successor of its container. */
  readonly hostDeathMs: number;
}

export interface Sizes {
  readonly servers: number;
  readonly agents: number;
}

export const SIZES: Sizes = { servers: 3, agents: 3 };
export const SERVICE_PORT = 8080;
/** Busybox' httpd; in the lab's registry. */
export const SERVICE_IMAGE = "coolvds/nginx-custom:1.6";

/** Time until one of these hosts answers on the service's port, since `fromMs`. */
export async function untilServed(hosts: readonly Host[], fromMs: number, withinMs = 180_000): Promise<number> {
  const anyServes = async () => (await Promise.all(hosts.map((host) => answers(host.address)))).includes(true);
  await until(`one of ${hosts.map(({ name }) => name).join(", ")} serves`, anyServes, { everyMs: 20, withinMs });
  return performance.now() - fromMs;
}

/** Since `fromMs` until a write is accepted; one is begun every 100 ms, whether those before hang or not. */
export async function untilAccepted(fromMs: number, write: (n: number) => Promise<boolean>): Promise<number> {
  let [n, isAccepted] = [0, false];
  const attempt = async () => {
    if (await write(n++)) isAccepted = true;
    return isAccepted;
  };
  const begin = () => {
    void attempt();
    return isAccepted;
  };
  await until("a write is accepted", begin, { everyMs: 100, withinMs: 120_000 });
  return performance.now() - fromMs;
}

export async function whoServes(hosts: readonly Host[]): Promise<Host | undefined> {
  for (const host of hosts) if (await answers(host.address)) return host;
  return undefined;
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const sent = request({ host: address, port: SERVICE_PORT, agent: false, timeout: 300 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    sent.on("timeout", () => sent.destroy());
    sent.on("error", () => resolve(false));
    sent.end();
  });
}
