/** Whatever a user does while the host of an exclusive pod is cut off: what the user calls the same thing runs once. */
import type { SimRequest } from "../contract.ts";
import { evenCluster } from "../draw/cluster.ts";
import { unitPut } from "../draw/fleet-workload.ts";
import { define } from "./define.ts";
import type { Stage } from "./stage.ts";
import { app, exclusive, replicated } from "./workloads.ts";

/** ClusterSettings.exclusiveAfterMs, and what a beat may have been old. */
const EXCLUSIVE_MS = 39_000;
/** The agent there knows by now that nobody hears it, and has not begun to stop anything. */
const CUT_FOR_MS = 10_000;

interface Way {
  readonly name: string;
  readonly first: SimRequest;
  readonly later: readonly SimRequest[];
}

const CONTROLLERS = "/api/v1/namespaces/default/replicationcontrollers";
const OPTIONS = [{ section: "Service", name: "ExecStart", value: "/usr/bin/fake/run" }];
const EXCLUSIVE_OPTIONS = [...OPTIONS, { section: "X-Styrmann", name: "Exclusive", value: "true" }];
const GLOBAL_OPTIONS = [...OPTIONS, { section: "X-Fleet", name: "Global", value: "true" }];
const STOPS_FIRST = { upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 } };
const LABELS = { labels: { "styrmann.dev/exclusive": "true" } };

const again: readonly Way[] = [
  { name: "one", first: exclusive("one"), later: [removed("one", "Background"), exclusive("one")] },
  { name: "orphan", first: exclusive("orphan"), later: [removed("orphan", "Orphan"), exclusive("orphan")] },
  {
    name: "/two",
    first: app("two", 1, { ...LABELS, ...STOPS_FIRST }),
    later: [{ method: "DELETE", path: "/v2/apps/two?force=true" }, app("two", 1, { ...LABELS, ...STOPS_FIRST })],
  },
  {
    name: "three.service",
    first: unitPut("three.service", "launched", EXCLUSIVE_OPTIONS),
    later: [unitRemoved("three.service"), unitPut("three.service", "launched", EXCLUSIVE_OPTIONS)],
  },
];

const noMore: readonly Way[] = [
  { name: "one", first: exclusive("one"), later: [removed("one", "Background"), replicated("one", 3)] },
  {
    name: "/two",
    first: app("two", 1, { ...LABELS, ...STOPS_FIRST }),
    later: [{ method: "PUT", path: "/v2/apps/two?force=true", body: { labels: {}, instances: 3 } }],
  },
  {
    name: "three.service",
    first: unitPut("three.service", "launched", EXCLUSIVE_OPTIONS),
    later: [unitRemoved("three.service"), unitPut("three.service", "launched", OPTIONS)],
  },
  {
    name: "four.service",
    first: unitPut("four.service", "launched", EXCLUSIVE_OPTIONS),
    later: [unitRemoved("four.service"), unitPut("four.service", "launched", GLOBAL_OPTIONS)],
  },
];

export const exclusiveRecreate = define(
  "exclusive-recreate",
  "in every dialect an exclusive workload is deleted and applied again while its host is cut off: it does not run twice",
  evenCluster(4),
  (stage) => all(stage, again),
);

export const exclusiveNoMore = define(
  "exclusive-no-more",
  "what was exclusive is so no longer, while its host is cut off: nothing starts beside the copy that was",
  evenCluster(4),
  (stage) => all(stage, noMore),
);

async function all(stage: Stage, ways: readonly Way[]): Promise<void> {
  for (const { name, first, later } of ways) {
    await stage.deploy(name, 1, first);
    const [pod] = stage.active(name);
    const node = pod?.spec.nodeName ?? "";
    const cutMs = stage.nowMs;
    stage.world.network.cut(node, "server");
    await stage.run(CUT_FOR_MS);
    for (const request of later) {
      await stage.ask(request);
      await stage.run(500);
    }
    const uids = () => new Set(stage.pods(name).map(({ metadata }) => metadata.uid));
    const startedMs = () => stage.ledger.since(cutMs, "running").find(({ podUid }) => uids().has(podUid))?.atMs;
    await stage.until(`${name} runs elsewhere`, () => startedMs() !== undefined, 60_000);
    const after = (startedMs() ?? 0) - cutMs;
    stage.expect(after >= EXCLUSIVE_MS, `${name} starts elsewhere ${EXCLUSIVE_MS} ms after the cut or later`, after);
    stage.world.network.join(node, "server");
    await stage.run(30_000);
  }
}

function removed(name: string, propagationPolicy: "Background" | "Orphan"): SimRequest {
  return { method: "DELETE", path: `${CONTROLLERS}/${name}`, body: { propagationPolicy } };
}

function unitRemoved(name: string): SimRequest {
  return { method: "DELETE", path: `/fleet/v1/units/${name}` };
}
