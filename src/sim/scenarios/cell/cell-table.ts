import { cpus, release } from "node:os";
import type { CellReport } from "./cell.ts";

/** As docs/benchmarks.md wants it: with the machine and the date, as nobody can compare figures without. */
export function cellTable({ options, phases }: CellReport, date: Date): string {
  const { nodes, pods, seed } = options;
  const rows = phases.map(({ name, virtualMs, cpuMs, heapBytes, note }) => [
    name,
    `${(virtualMs / 1000).toFixed(1)} s`,
    `${(cpuMs / 1000).toFixed(1)} s`,
    `${Math.round(heapBytes / 2 ** 20)} MiB`,
    note,
  ]);
  const [cpu] = cpus();
  const peak = `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`;
  return [
    `${nodes.toLocaleString("en")} nodes, ${pods.toLocaleString("en")} pods, seed ${seed}; peak resident memory ${peak}`,
    `${cpu?.model.trim()}, ${cpus().length} cores, Linux ${release()}, Node ${process.version}, ${date.toISOString().slice(0, 10)}`,
    "The control plane is the production code, without the dispatcher; nodes are light ones, not the production agents.",
    "",
    "| Phase | Virtual time | CPU | Heap | |",
    "|---|---|---|---|---|",
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");
}
