/** An etcd cluster with one member on each of these hosts, as a person would set it up by its documentation. */
import { rmSync } from "node:fs";
import { join } from "node:path";
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
  await until(`etcd of ${host.name} is healthy`, async () => (await etcdctl(host, "endpoint", "health")).code === 0, {
    seen: () => host.log("etcd").slice(-2000),
    withinMs: 60_000,
  });
}

export function etcdctl(host: Host, ...words: readonly string[]) {
  return host.run(["etcdctl", ...words], { env: { ETCDCTL_API: "3" }, timeoutMs: 15_000 });
}

/** The member that leads the others now, asked on each that can answer. */
export async function etcdLeader(members: readonly Host[]): Promise<Host | undefined> {
  for (const host of members.filter(({ isOn }) => isOn)) {
    const { code, stdout } = await etcdctl(host, "endpoint", "status", "-w", "json");
    if (code !== 0) continue;
    const [answer] = JSON.parse(stdout) as { Status: { header: { member_id: number }; leader: number } }[];
    if (answer && answer.Status.header.member_id === answer.Status.leader) return host;
  }
  return undefined;
}

/** A member whose disk was lost begins anew. */
export function wipeMember(host: Host): void {
  rmSync(join(host.disk("etcd"), "member"), { recursive: true, force: true });
}
