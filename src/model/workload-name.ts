/** How people name workloads: in full, by a unique prefix, and with their dialect in front where two share a name. */
import type { Workload, WorkloadPod } from "./workload.ts";

export type Resolution<W extends Named = Workload> =
  | { readonly found: W /** Set when the name was that of one copy. */; readonly podKey?: string }
  | { readonly ambiguous: readonly string[] }
  | { readonly unknown: readonly string[] };

type Named = Pick<Workload, "dialect" | "kind" | "name" | "namespace">;

/** What a name is looked for in: of the copies no more than their names. */
export interface Nameable extends Named {
  readonly pods: readonly Pick<WorkloadPod, "key" | "instance">[];
}

/** `dialect/name`, which names one workload among all dialects; with the namespace where it is not the default one. */
export function fullName({ dialect, name, namespace }: Named): string {
  const place = namespace === undefined || namespace === "default" ? "" : `${namespace}/`;
  return `${dialect}/${place}${name.replace(/^\//, "")}`;
}

/** Every spelling that means exactly this workload. */
export function spellings(workload: Named): readonly string[] {
  const { dialect, kind, name, namespace } = workload;
  const bare = name.replace(/^\//, "");
  const names = [name, bare, ...(name.endsWith(".service") ? [name.slice(0, -".service".length)] : [])];
  const spaced = namespace === undefined ? [] : [`${namespace}/${bare}`];
  return [...names, ...spaced].flatMap((text) => [
    text,
    `${dialect}/${text}`,
    `${kind.toLowerCase()}/${text}`,
    ...(kind === "ReplicationController" ? [`rc/${text}`] : []),
  ]);
}

/**
 * Finds what `ref` names: an exact name, else a copy's exact name, else the last part of a path (`cart` of `/shop/cart`),
 * else the only one that begins with it. `unknown`
 * carries names that are close, `ambiguous` the full names to choose from.
 */
export function resolveWorkload<W extends Nameable>(ref: string, workloads: readonly W[]): Resolution<W> {
  const exact = workloads.filter((workload) => spellings(workload).includes(ref));
  if (exact.length > 0) return pick(exact);

  for (const found of workloads) {
    const pod = found.pods.find(({ key, instance }) => key === ref || key.endsWith(`/${ref}`) || instance === ref);
    if (pod) return { found, podKey: pod.key };
  }

  const last = workloads.filter(({ name }) => name.includes("/") && name.endsWith(`/${ref}`) && ref !== "");
  if (last.length > 0) return pick(last);

  const begun = ref === "" ? [] : workloads.filter((w) => spellings(w).some((text) => text.startsWith(ref)));
  if (begun.length > 0) return pick(begun);
  return { unknown: closeNames(ref, workloads) };
}

function pick<W extends Nameable>(candidates: readonly W[]): Resolution<W> {
  const [only, ...others] = candidates;
  if (only && others.length === 0) return { found: only };
  return { ambiguous: candidates.map(fullName).sort() };
}

function closeNames(ref: string, workloads: readonly Named[]): readonly string[] {
  const wanted = ref.toLowerCase().replace(/^.*\//, "");
  return workloads
    .map((workload) => ({ name: workload.name, distance: editDistance(wanted, bareName(workload.name)) }))
    .filter(({ name, distance }) => distance <= 2 || (wanted.length > 2 && name.toLowerCase().includes(wanted)))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

function bareName(name: string): string {
  return name
    .toLowerCase()
    .replace(/^.*\//, "")
    .replace(/\.service$/, "");
}

/** Levenshtein's, over at most 64 characters of each. */
function editDistance(left: string, right: string): number {
  const a = left.slice(0, 64);
  const b = right.slice(0, 64);
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
