/** Hosts that lack something, and ranges that cannot be. */
import assert from "node:assert/strict";
import type { Host } from "../../harness/host.ts";
import type { Scene } from "../scenario.ts";
import { wellAgain } from "./losses.ts";

/** A layer over /usr/sbin of this host alone, in which one program is gone. */
const LAYER = "/run/without-nft";

export async function nftIsMissing(scene: Scene): Promise<void> {
  const { cluster } = scene;
  const [, host] = cluster.agents;
  assert.ok(host);
  // From its boot on, so that no rule is left of when it had it.
  host.powerOff();
  await host.powerOn();
  await host.must(["mkdir", "-p", `${LAYER}/upper`, `${LAYER}/work`]);
  const layers = `lowerdir=/usr/sbin,upperdir=${LAYER}/upper,workdir=${LAYER}/work`;
  await host.must(["mount", "-t", "overlay", "overlay", "-o", layers, "/usr/sbin"]);
  await host.must(["rm", "/usr/sbin/nft"]);
  await cluster.boot(host);
  await usesIptables(scene, host).finally(async () => {
    await host.must(["umount", "-l", "/usr/sbin"]);
    await cluster.restart(host);
  });
  await cluster.untilReady([host]);
  await wellAgain(cluster);
  assert.match(await host.must(["nft", "list", "tables"]), /table ip styrmann/, "nft has the rules again");
}

async function usesIptables({ cluster, measured }: Scene, host: Host): Promise<void> {
  await cluster.untilReady([host]);
  await wellAgain(cluster);
  const words = await cluster.words("network", "status", "-o", "json");
  const [said = ""] = /[^"]*\bno nft\b[^"]*/.exec(words) ?? [];
  measured.note("without nft, network status", said);
  assert.notEqual(said, "", `it is said in words: ${words.slice(0, 3000)}`);
  assert.doesNotMatch(words, /"failing"/);
  assert.match(await host.must(["iptables-save"]), /styrmann/i, "iptables has the rules");
}

/** On a host that has a route to what would be the pods' range. */
export async function rangeOverlaps({ cluster, measured }: Scene): Promise<void> {
  const { server } = cluster;
  const { styr } = cluster.programOf(server);
  const range = `${server.address.split(".").slice(0, 2).join(".")}.0.0/16`;
  const words = ["server", "--state", "/run/another", "--listen", "127.0.0.1:7999", "--cluster-range", range];
  const { code, stdout, stderr } = await server.run(["timeout", "20", styr, ...words]);
  const said = stdout + stderr;
  measured.note("a range that overlaps", said.trim().split("\n")[0] ?? "");
  assert.ok(code !== 0 && code !== 124, `it ends by itself: ${said}`);
  assert.match(said, /already in use on eth0/);
}
