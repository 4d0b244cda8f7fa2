import { ApiError } from "../model/errors.ts";
import type { Workload, WorkloadPod } from "../model/workload.ts";
import { resolveWorkload } from "../model/workload-name.ts";
import type { StyrApiContext } from "./context.ts";
import { namespaceOfKey, namespaceOfWorkload, type Part, sees } from "./own-part.ts";
import { draftWorkloads } from "./workloads.ts";

export interface Found {
  readonly workload: Workload;
  /** The copies that were meant: all, or the one that was named. */
  readonly pods: readonly WorkloadPod[];
}

/** What `ref` names in this part of the cluster, or a refusal that lists what it could have meant there. */
export async function findWorkload({ store, sources, clock }: StyrApiContext, ref: string, part: Part): Promise<Found> {
  const drafts = await draftWorkloads(store, sources, clock);
  const seen = part === undefined ? drafts : drafts.filter((draft) => sees(part, namespaceOfWorkload(draft)));
  const resolution = resolveWorkload(ref, seen);
  if ("found" in resolution) {
    const { found, podKey } = resolution;
    const workload = found.row();
    const pods = podKey === undefined ? workload.pods : workload.pods.filter(({ key }) => key === podKey);
    // By its annotations a pod of another namespace can be a copy too.
    return { workload, pods: pods.filter(({ key }) => sees(part, namespaceOfKey(key))) };
  }
  if ("ambiguous" in resolution) {
    const names = resolution.ambiguous;
    const shown = names.slice(0, 10).join(", ") + (names.length > 10 ? `, and ${names.length - 10} more` : "");
    throw new ApiError("Conflict", `"${ref}" could be any of: ${shown}`, { name: ref });
  }
  const { unknown } = resolution;
  const hint = unknown.length > 0 ? `; did you mean ${unknown.map((name) => `"${name}"`).join(" or ")}?` : "";
  throw new ApiError("NotFound", `nothing is named "${ref}"${hint}`, { name: ref });
}
