/** Pods of any host and pods of any host, at their own addresses. */
import assert from "node:assert/strict";
import { PORT } from "../../harness/client.ts";
import type { Scene } from "../scenario.ts";
import { ask, copies } from "./begin.ts";

export async function podsReachPods({ cluster }: Scene): Promise<void> {
  const places = await copies(cluster);
  const ranges = new Set(places.map(({ address }) => address.split(".").slice(0, 3).join(".")));
  assert.equal(ranges.size, places.length, `each host has a range of its own: ${[...ranges].join(" ")}`);
  for (const from of places)
    for (const to of places) {
      const said = await ask(from, `http://${to.address}/`);
      assert.equal(
        said,
        `${to.pod.name} ${from.address} 1`,
        `${from.pod.name} asks ${to.pod.name}, which sees who asks`,
      );
    }
}

/** Two hosts of one link have no device between them; the one behind the router has. */
export async function waysAreChosen({ cluster, measured }: Scene): Promise<void> {
  const places = await copies(cluster);
  const [near, other, far] = places;
  assert.ok(near && other && far);
  const route = (to: string) => near.host.must(["ip", "-4", "route", "get", to]);
  assert.match(await route(other.address), new RegExp(`via ${other.host.address} dev eth0`));
  assert.doesNotMatch(await route(far.address), /dev eth0/);
  for (const to of [other, far]) {
    const said = await near.host.must([
      ...near.enter.slice(near.host.enter.length),
      "ping",
      "-c",
      "20",
      "-i",
      "0.05",
      "-q",
      to.address,
    ]);
    const rtt = /= [\d.]+\/([\d.]+)\//.exec(said)?.[1];
    measured.note(`round trip of pods, ${to === far ? "VXLAN through a router" : "routes"}`, `${rtt} ms`);
  }
}

/** What is as large as the way allows arrives, and what is larger is said to be. */
export async function largePacketsArrive({ cluster, measured }: Scene): Promise<void> {
  const [near, other, far] = await copies(cluster);
  assert.ok(near && other && far);
  for (const to of [other, far]) {
    const mtu = await pathMtu(near, to.address);
    measured.note(`largest packet, ${to === far ? "VXLAN through a router" : "routes"}`, `${mtu} bytes`);
    assert.ok(mtu >= (to === far ? 1400 : 1500), `${mtu}`);
  }
}

type Place = Awaited<ReturnType<typeof copies>>[number];

async function pathMtu(from: Place, to: string): Promise<number> {
  const words = from.enter.slice(from.host.enter.length);
  const fits = async (size: number) =>
    (await from.host.run([...words, "ping", "-M", "do", "-c", "1", "-W", "2", "-s", String(size - 28), to])).code === 0;
  for (const size of [1500, 1450, 1440, 1420, 1400]) if (await fits(size)) return size;
  return 0;
}

export async function podsReachHostsAndServers({ cluster }: Scene): Promise<void> {
  const [near, , far] = await copies(cluster);
  assert.ok(near && far);
  for (const from of [near, far]) {
    const said = await from.run("curl", "-sSk", "-m", "3", `https://${cluster.server.address}:${PORT}/version`);
    assert.match(said, /styrmann|gitVersion|version/i, `${from.pod.name} asks the server of the cluster`);
  }
}
