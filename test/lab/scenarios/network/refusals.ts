/** Hosts that lack something, and ranges that cannot be. */
import assert from "node:assert/strict";
import type { Scene } from "../scenario.ts";
import { wellAgain } from "./losses.ts";

/** A layer over /usr/sbin of this host alone, in which one program is gone. */
const LAYER = "/run/without-nft";

export async function nftIsMissing({ cluster, measured }: Scene): Promise<void> {
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
  await cluster.untilReady([host]);
  await wellAgain(cluster);
  const words = await cluster.words("network", "status");
  measured.note(
    "without nft, network status",
    words
      .split("\n")
      .filter((line) => /nft|iptables/.test(line))
      .join("; "),
  );
  assert.match(words, /iptables|nft/, "it is said in words");
  assert.doesNotMatch(words, /services failing/);
  assert.match(await host.must(["iptables-save"]), /styrmann/i, "iptables has the rules");
  await host.must(["umount", "-l", "/usr/sbin"]);
  await cluster.restart(host);
  await cluster.untilReady([host]);
  await wellAgain(cluster);
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
