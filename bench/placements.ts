/**
 * Placements per second on one core, indexed against a plain scan of all nodes in the same run. The scan gets the same
 * census of placed pods, so that the ratio is that of looking at fewer nodes. Where both place the same pods, their
 * choices are compared one by one.
 */
import { compileDemand, type Demand } from "../src/scheduling/demand.ts";
import { nodeFacts } from "../src/scheduling/node-facts.ts";
import { NodeIndex } from "../src/scheduling/node-index.ts";
import { schedulePod } from "../src/scheduling/schedule-pod.ts";
import { testNode, testPod } from "../src/scheduling/test-objects.ts";
import { printTable } from "./lib/table.ts";

const APPS = 40;

interface Scenario {
  readonly name: string;
  readonly floorAt10000: number;
  readonly demand: (app: number) => Demand;
}

const SIZES = ["100m", "250m", "500m"];
const MEMORY = ["64Mi", "256Mi", "512Mi"];

function podOf(app: number) {
  return { app: `app-${app}`, owner: `app-${app}`, cpu: SIZES[app % 3], memory: MEMORY[(app >> 1) % 3] };
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: "plain",
    floorAt10000: 100_000,
    demand: (app) => compileDemand(testPod({ cpu: podOf(app).cpu, memory: podOf(app).memory })),
  },
  { name: "copies kept apart by score", floorAt10000: 0, demand: (app) => compileDemand(testPod(podOf(app))) },
  { name: "zone spread + anti-affinity", floorAt10000: 20_000, demand: (app) => compileDemand(spreadPod(app)) },
];

function spreadPod(app: number) {
  const labelSelector = { matchLabels: { app: `app-${app}` } };
  return testPod({
    ...podOf(app),
    spec: {
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "DoNotSchedule", labelSelector },
      ],
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "kubernetes.io/hostname", labelSelector }],
        },
      },
    },
  });
}

/** Ten zones, two kinds of disk, three sizes of host. */
function cluster(nodeCount: number): NodeIndex {
  const index = new NodeIndex("spread");
  for (let at = 0; at < nodeCount; at++) {
    const labels = { "topology.kubernetes.io/zone": `z${at % 10}`, disk: at % 2 ? "ssd" : "hdd" };
    const size = at % 3;
    const name = `n${String(at).padStart(5, "0")}`;
    index.setNode(
      nodeFacts(testNode({ name, labels, cpu: String(16 << size), memory: `${64 << size}Gi`, pods: "500" })),
    );
  }
  return index;
}

interface Run {
  readonly perSecond: number;
  readonly chosen: readonly string[];
}

function run(index: NodeIndex, demands: readonly Demand[], pods: number, scan: boolean): Run {
  const chosen: string[] = [];
  const started = performance.now();
  for (let at = 0; at < pods; at++) {
    const demand = demands[at % demands.length] as Demand;
    const found = scan ? schedulePod(demand, index.nodes, index.census, index.strategy) : index.place(demand);
    if (!found) throw new Error(`no node for pod ${at}`);
    chosen.push(found.node.name);
    index.addPod(found.node.name, { key: `default/p${at}`, identity: demand.identity, demand });
  }
  return { perSecond: pods / ((performance.now() - started) / 1000), chosen };
}

function measure({ name, demand, floorAt10000 }: Scenario, nodeCount: number): readonly (string | number)[] {
  const demands = Array.from({ length: APPS }, (_, app) => demand(app));
  // With anti-affinity by host, an app has at most one copy per node: leave room.
  const pods = Math.min(100_000, nodeCount * APPS * 0.5);
  const compared = Math.min(pods, Math.ceil(2_000_000 / nodeCount));
  // Twice, so that what is measured is compiled code and not the compiler.
  run(cluster(nodeCount), demands, pods, false);
  const indexed = run(cluster(nodeCount), demands, pods, false);
  const scanned = run(cluster(nodeCount), demands, compared, true);
  const same = scanned.chosen.every((node, at) => node === indexed.chosen[at]);
  if (!same) throw new Error(`${name}: index and scan differ at ${nodeCount} nodes`);
  const floor = nodeCount === 10_000 && floorAt10000 > 0 ? floorAt10000 : "";
  const rates = [indexed.perSecond, scanned.perSecond].map(Math.round) as [number, number];
  return [name, nodeCount, pods, ...rates, `${(rates[0] / rates[1]).toFixed(1)}x`, `${compared} identical`, floor];
}

const rows = SCENARIOS.flatMap((scenario) => [100, 1000, 10_000].map((nodeCount) => measure(scenario, nodeCount)));
const columns = ["placements per second", "nodes", "pods", "indexed", "scan", "ratio", "choices compared", "floor"];
printTable("Placements, one core", columns, rows);
