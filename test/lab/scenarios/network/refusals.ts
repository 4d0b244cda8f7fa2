/** Hosts that lack something, and ranges that cannot be. */
import assert from "node:assert/strict";
import type { Host } from "../../harness/host.ts";
import { WHO_IMAGE } from "../../harness/lab-images.ts";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";
import { ask, copies } from "./begin.ts";
import { wellAgain } from "./losses.ts";
import { clusterAddress } from "./services.ts";

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

/** A network of Docker's, made while everything runs, whose addresses are some of the Services'. */
export async function serviceRangeIsShared({ cluster, measured }: Scene): Promise<void> {
  const [, host] = cluster.agents;
  assert.ok(host);
  const docker = (...words: readonly string[]) => host.must(["docker", ...words]);
  await docker("network", "create", "--subnet", "10.105.0.0/16", "lab-other");
  try {
    const beganMs = performance.now();
    for (const [name, ...ports] of [["lab-one", "-p", "8088:80"], ["lab-two"]] as const)
      await docker("run", "-d", "--name", name, "--network", "lab-other", ...ports, WHO_IMAGE);
    const inspect = ["inspect", "-f", '{{(index .NetworkSettings.Networks "lab-other").IPAddress}}', "lab-one"];
    const address = (await docker(...inspect)).trim();
    const curl = (url: string) => ["curl", "-sS", "-m", "3", url];
    let said: readonly string[] = [];
    const askAll = async () => {
      const [pod] = await copies(cluster);
      assert.ok(pod);
      const there = host.run(curl(`http://${address}/`));
      const beside = host.run(["docker", "exec", "lab-two", ...curl(`http://${address}/`)]);
      const published = cluster.server.run(curl(`http://${host.address}:8088/`));
      const own = [there, beside, published].map(async (one) => ((await one).stdout + (await one).stderr).trim());
      said = [...(await Promise.all(own)), await ask(pod, `http://${host.address}:8088/`)];
      return said.every((line) => line.endsWith(" 1"));
    };
    const seen = () => said.join("; ");
    await until("the host, its neighbour, another host and a pod reach it", askAll, { withinMs: 20_000, seen });
    measured.seconds("a network of Docker's within the service range is reached after", performance.now() - beganMs);
    assert.match(await cluster.words("network", "status"), /10\.105\.0\.0\/16 on br-\w+ is part of the service range/);
    const [pod] = await copies(cluster);
    assert.ok(pod);
    assert.match(await ask(pod, `http://${(await clusterAddress(cluster)).address}/`), / 1$/, "Services are as before");
  } finally {
    await host.run(["docker", "rm", "-f", "lab-one", "lab-two"]);
    await host.run(["docker", "network", "rm", "lab-other"]);
  }
  const isGone = async () => !(await cluster.words("network", "status")).includes("10.105.0.0/16");
  await until("it is said no more", isGone, { withinMs: 20_000, seen: () => cluster.words("network", "status") });
}
