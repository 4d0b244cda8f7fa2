import type { UsageRow } from "../model/reports.ts";
import type { NodeAccess, Usage } from "../model/streams.ts";
import type { Workload, WorkloadPod } from "../model/workload.ts";

/** Copies asked at once: a reading may take a quarter of a second, and an engine is asked for each. */
const AT_ONCE = 16;

interface Asked {
  readonly workload: Workload;
  readonly pod: WorkloadPod;
}

/** What every running container, process and unit of these workloads takes now. A copy that cannot be asked has a row that says why. */
export async function usageRows(access: NodeAccess, workloads: readonly Workload[]): Promise<readonly UsageRow[]> {
  const asked = workloads.flatMap((workload) =>
    workload.pods.filter(({ node }) => node !== undefined).map((pod) => ({ workload, pod })),
  );
  const rows: UsageRow[] = [];
  const next = asked.values();
  const ask = async () => {
    for (const one of next) rows.push(...(await rowsOf(access, one)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return rows.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

async function rowsOf(access: NodeAccess, { workload, pod }: Asked): Promise<readonly UsageRow[]> {
  const about = { workload: workload.name, dialect: workload.dialect, pod: pod.key, node: pod.node ?? "" };
  try {
    const usage = await access.usage({ nodeName: about.node, uid: pod.uid });
    return Object.entries(usage).map(([container, reading]) => ({ ...about, container, ...plain(reading) }));
  } catch (error) {
    return [{ ...about, container: "", cpuMillis: 0, memoryBytes: 0, trouble: (error as Error).message }];
  }
}

function plain({ cpuMillis, memoryBytes }: Usage) {
  return { cpuMillis, memoryBytes };
}

function nameOf({ workload, pod, container }: UsageRow): string {
  return [workload, pod, container].join("\n");
}
