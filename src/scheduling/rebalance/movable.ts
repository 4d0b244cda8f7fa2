/** Which copies a rebalance may touch at all, and why not the others. Pure. */
import type { Kept } from "../../model/copies-book.ts";
import { isActive, isDisrupted } from "../../model/disruption.ts";
import { isReady, type Pod, type Volume } from "../../model/pod.ts";

const HARMLESS_VOLUMES: ReadonlySet<string> = new Set([
  "name",
  "emptyDir",
  "secret",
  "configMap",
  "downwardAPI",
  "projected",
]);
/** Docker's own ways to bring in a folder of the host. */
const VOLUME_PARAMETERS: ReadonlySet<string> = new Set(["volume", "v", "mount", "volumes-from", "volume-driver"]);

/** Why this workload is left as it is; undefined: its copies may be moved. */
export function whyLeft({ moves, copies }: Kept, pods: readonly Pod[]): string | undefined {
  const [first] = pods;
  if (!first || moves === "nobody's") return "nothing would start it elsewhere";
  if (moves === "stays") return copies?.why ?? "it belongs to its node";
  if (moves === "stop first") return "there may be one only, so it would have to stop before it starts elsewhere";
  if (pods.some(hasVolumes)) return "it keeps data on its host";
  if (pods.some(isResident)) return "it is to stay on the host it has run on";
  if (copies?.isChanging) return "it is being changed";
  if (pods.some(isDisrupted)) return "it is being moved already";
  const ready = pods.filter((pod) => isActive(pod) && isReady(pod)).length;
  const wanted = copies?.wanted ?? pods.length;
  return ready === wanted && pods.length === wanted
    ? undefined
    : `it is not settled: ${ready} of ${wanted} copies are ready`;
}

function hasVolumes({ spec }: Pod): boolean {
  const isOfHost = (volume: Volume) => Object.keys(volume).some((key) => !HARMLESS_VOLUMES.has(key));
  const parameters = spec.containers.flatMap(({ docker }) => docker?.parameters ?? []);
  return (spec.volumes ?? []).some(isOfHost) || parameters.some(({ key }) => VOLUME_PARAMETERS.has(key));
}

function isResident({ spec }: Pod): boolean {
  return (spec.constraints ?? []).some(({ type }) => type === "resident" || type === "machine");
}
