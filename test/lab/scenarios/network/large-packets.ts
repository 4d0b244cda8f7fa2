/** A link that loses large packets and tells nobody: pings and small answers pass, large ones hang. */
import assert from "node:assert/strict";
import type { NetworkReport, TraceReport } from "../../../../src/model/network-questions.ts";
import { until } from "../../harness/wait.ts";
import type { Scene } from "../scenario.ts";
import { copies } from "./begin.ts";
import { wellAgain } from "./losses.ts";

const LARGE = ["-m", "length", "--length", "1401:65535", "-j", "DROP"];

export async function largePacketsAreLost({ cluster, measured }: Scene): Promise<void> {
  const [here, there] = await copies(cluster);
  assert.ok(here && there);
  const look = async () => JSON.parse(await cluster.words("network", "status", "-o", "json")) as NetworkReport;
  const pair = (report: NetworkReport) => {
    const row = report.nodes.find(({ node }) => node === here.host.name);
    return row?.answer?.peers.find(({ node }) => node === there.host.name);
  };
  const trace = async () => {
    const text = await cluster.words("network", "trace", here.pod.name, `${there.address}:80`, "-o", "json");
    const { isOpen, ways } = JSON.parse(text) as TraceReport;
    return { isOpen, size: ways[0]?.hops.find(({ what }) => what === "size") };
  };
  assert.equal((await trace()).size?.isOk, true);
  const before = await look();
  assert.equal(pair(before)?.tooLarge, undefined);
  const range = before.nodes.find(({ node }) => node === here.host.name)?.answer?.podRange ?? "";
  const lose = (how: "-I" | "-D") =>
    there.host.must(["iptables", "-t", "raw", how, "PREROUTING", "-i", "eth0", "-s", range, ...LARGE]);
  await lose("-I");
  try {
    let lost: ReturnType<typeof pair>;
    const isSeen = async () => {
      lost = pair(await look());
      return lost?.tooLarge !== undefined;
    };
    const ms = await until("it is seen by who looks", isSeen, { withinMs: 30_000, seen: () => JSON.stringify(lost) });
    measured.seconds("a link that loses large packets, seen by network status in", ms);
    assert.deepEqual([lost?.tooLarge, lost?.state], [{ bytes: 1500, passing: 1400 }, "reachable"]);
    const { isOpen, size } = await trace();
    assert.deepEqual([isOpen, size?.isOk], [false, false]);
    assert.match(size?.words ?? "", /^packets of 1500 bytes get lost .* those of 1400 come through/);
  } finally {
    await lose("-D");
  }
  await until("it is said no more", async () => pair(await look())?.tooLarge === undefined, { withinMs: 10_000 });
  await wellAgain(cluster);
}
