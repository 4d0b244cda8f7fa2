/** After a scenario that failed half way, so that those after it speak for themselves: what should be on is on, and joined. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "./host.ts";
import type { LabCluster } from "./lab-cluster.ts";
import { STYR } from "./styr.ts";

export async function mend(cluster: LabCluster): Promise<void> {
  for (const host of cluster.lab.hosts) {
    if (!host.isOn) await host.powerOn();
    host.thaw();
    cluster.lab.heal(host);
  }
  for (const host of [...cluster.servers, ...cluster.agents]) {
    if (host.runs(STYR)) continue;
    const isServer = cluster.servers.includes(host);
    // One alone has its own store, and no etcd.
    if (isServer && cluster.servers.length === 1) await cluster.startServer(host);
    else if (isServer || hasJoined(host)) await cluster.boot(host);
    else await joinAnew(cluster, host);
  }
}

function hasJoined(host: Host): boolean {
  return existsSync(join(host.disk("styrmann"), "cluster.json"));
}

/** It was taken down: its name is somebody's who is gone. */
async function joinAnew(cluster: LabCluster, host: Host): Promise<void> {
  await cluster.startEngines([host]);
  if ((await cluster.stateOf(host)) !== "unknown") await cluster.command("forget", host.name);
  const [url, token] = await cluster.tokenFor("agent");
  await cluster.join(host, url, token);
  await cluster.untilReady([host]);
}
