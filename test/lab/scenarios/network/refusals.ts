/** Hosts that lack something, and ranges that cannot be. */
import assert from "node:assert/strict";
import { STYR, startStyr } from "../../harness/styr.ts";
import type { Scene } from "../scenario.ts";
import { wellAgain } from "./losses.ts";

/** A PATH in which everything is but nft. */
const WITHOUT_NFT = "/run/without-nft";

export async function nftIsMissing({ cluster, measured }: Scene): Promise<void> {
  const [, host] = cluster.agents;
  assert.ok(host);
  await host.must(["mkdir", "-p", WITHOUT_NFT]);
  await host.must([
    "sh",
    "-c",
    `for f in /usr/sbin/* /usr/bin/* /usr/local/bin/*; do ln -sf $f ${WITHOUT_NFT}/; done; rm ${WITHOUT_NFT}/nft`,
  ]);
  await host.signal(STYR, "SIGTERM");
  await startStyr(host, cluster.programOf(host), ["agent", "--no-install"], { env: { PATH: WITHOUT_NFT } });
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
  assert.match(await host.must(["iptables-save"]), /styrmann/i, "iptables has the rules");
  await host.signal(STYR, "SIGTERM");
  await cluster.startAgent(host);
  await cluster.untilReady([host]);
  await wellAgain(cluster);
}

/** On a host that has a route to what would be the pods' range. */
export async function rangeOverlaps({ cluster, measured }: Scene): Promise<void> {
  const { server } = cluster;
  const { styr } = cluster.programOf(server);
  const range = `${server.address.split(".").slice(0, 2).join(".")}.0.0/16`;
  const { code, stdout, stderr } = await server.run(
    [styr, "server", "--state", "/run/another", "--listen", "127.0.0.1:7999", "--cluster-range", range],
    { timeoutMs: 20_000 },
  );
  measured.note("a range that overlaps", (stdout + stderr).trim().split("\n")[0] ?? "");
  assert.notEqual(code, 0);
  assert.notEqual(code, 128, "it ends by itself");
  assert.match(stdout + stderr, /overlap/i);
  assert.match(stdout + stderr, /eth0|10\./);
}
