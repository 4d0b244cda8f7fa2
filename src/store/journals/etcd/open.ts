/** The first contact with etcd: everything that can be wrong with addresses, keys, users and versions is told here. */
import type { Clock } from "../../../seams/clock.ts";
import { JournalRefusal } from "../../journal.ts";
import type { EtcdClient } from "./client.ts";
import { GrpcError } from "./rpc/grpc-error.ts";
import { inWords, isHopeless } from "./trouble.ts";

const ATTEMPT_MS = 2_000;
const AGAIN_MS = 200;
const OLDEST = [3, 4] as const;

/**
 * Asks until it is answered, for at most `withinMs`; from the beginning when etcd was compacted meanwhile, because then
 * the rest of what was read is no longer there, and nothing is wrong with etcd. Rejects with JournalRefusal that says what each
 * address said.
 */
export async function persistently<T>(
  ask: () => Promise<T>,
  { clock, withinMs }: { readonly clock: Clock; readonly withinMs: number },
): Promise<T> {
  let untilMs = clock.monotonic() + withinMs;
  const said = new Set<string>();
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof GrpcError)) throw error;
      if (/has been compacted/.test(error.message)) untilMs = clock.monotonic() + withinMs;
      else if (isHopeless(error)) throw new JournalRefusal(inWords(error));
      said.add(inWords(error));
    }
    if (clock.monotonic() >= untilMs)
      throw new JournalRefusal(`etcd cannot be reached: ${[...said].sort().join("; ")}`);
    await clock.sleep(AGAIN_MS);
  }
}

export async function checkVersion(client: EtcdClient): Promise<void> {
  const version = await client.version(ATTEMPT_MS);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new JournalRefusal(`etcd ${version} is too old: it has to be ${OLDEST.join(".")} or later`);
}

export interface ClusterMark {
  readonly format: number;
  readonly clusterId?: string;
}

export const FORMAT = 1;

export function checkCluster(text: string, clusterId: string | undefined, prefix: string): void {
  const mark = JSON.parse(text) as ClusterMark;
  if (mark.format > FORMAT) {
    throw new JournalRefusal(
      `${prefix} in etcd was written by a newer styr (format ${mark.format}, this one knows ${FORMAT})`,
    );
  }
  if (clusterId === undefined || mark.clusterId === undefined || mark.clusterId === clusterId) return;
  throw new JournalRefusal(
    `${prefix} in etcd belongs to another cluster (${mark.clusterId}, this one is ${clusterId}): use another prefix`,
  );
}
