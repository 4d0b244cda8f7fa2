/** An etcd cluster with one member on each of these hosts, as a person would set it up by its documentation. */
import type { Host } from "./host.ts";
import { until } from "./wait.ts";

const CLIENT_PORT = 2379;
const PEER_PORT = 2380;

/** What `styr server --store` is given. */
export function storeUrl(members: readonly Host[]): string {
  return `etcd://${members.map(({ address }) => `${address}:${CLIENT_PORT}`).join(",")}`;
}

export async function startEtcd(members: readonly Host[]): Promise<void> {
  for (const host of members) startMember(host, members);
  for (const host of members) await waitForMember(host);
}

/** Also for a member that crashed: what its disk has says who it is. */
export function startMember(host: Host, members: readonly Host[]): void {
  const peer = (at: Host) => `http://${at.address}:${PEER_PORT}`;
  const client = `http://${host.address}:${CLIENT_PORT}`;
  host.start("etcd", [
    ...["etcd", "--name", host.name, "--data-dir", "/var/lib/etcd/member", "--log-level", "warn"],
    ...["--listen-client-urls", `${client},http://127.0.0.1:${CLIENT_PORT}`, "--advertise-client-urls", client],
    ...["--listen-peer-urls", peer(host), "--initial-advertise-peer-urls", peer(host)],
    ...["--initial-cluster", members.map((at) => `${at.name}=${peer(at)}`).join(","), "--initial-cluster-state", "new"],
    ...["--initial-cluster-token", "lab"],
  ]);
}

export async function waitForMember(host: Host): Promise<void> {
  const isHealthy = async () => (await ask<{ health: string }>(host, "GET", "/health"))?.health === "true";
  await until(`etcd of ${host.name} is healthy`, isHealthy, {
    seen: () => host.log("etcd").slice(-2000),
    withinMs: 60_000,
  });
}

/** The member that leads the others now, by its own word. */
export async function etcdLeader(members: readonly Host[]): Promise<Host | undefined> {
  for (const host of members.filter(({ isOn }) => isOn)) {
    const status = await ask<MemberStatus>(host, "POST", "/v3/maintenance/status");
    if (status && status.header.member_id === status.leader) return host;
  }
  return undefined;
}

/** The alarm that a member raises when its quota is used up, and the end of it. */
export async function setNoSpace(members: readonly Host[], isOn: boolean): Promise<void> {
  for (const host of members) {
    const status = await ask<MemberStatus>(host, "POST", "/v3/maintenance/status");
    if (!status) throw new Error(`etcd of ${host.name} does not answer`);
    const { member_id: memberID } = status.header;
    const action = isOn ? "ACTIVATE" : "DEACTIVATE";
    await ask(host, "POST", "/v3/maintenance/alarm", { action, memberID, alarm: "NOSPACE" });
  }
}

interface MemberStatus {
  readonly header: { readonly member_id: string };
  readonly leader: string;
}

/** Undefined when it does not answer. */
async function ask<T>(host: Host, method: "GET" | "POST", path: string, order: object = {}): Promise<T | undefined> {
  const body = method === "POST" ? JSON.stringify(order) : null;
  const signal = AbortSignal.timeout(3000);
  try {
    return (await (await fetch(`http://${host.address}:${CLIENT_PORT}${path}`, { method, body, signal })).json()) as T;
  } catch {
    return undefined;
  }
}
