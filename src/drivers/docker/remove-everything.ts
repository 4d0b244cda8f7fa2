/** `styr down`: takes away what one instance made on an engine, and only that. */
import type { Clock } from "../../seams/clock.ts";
import type { Engine } from "./engine.ts";
import type { ContainerSummary, EngineInfo } from "./engine-facts.ts";
import { LABEL } from "./labels.ts";
import { PodCgroups } from "./pod-cgroups.ts";
import { removePodNetwork } from "./pod-network.ts";
import { already, withReason } from "./refusal.ts";
import { Removal } from "./removal.ts";

export interface RemovedThings {
  /** Names of the containers. */
  readonly containers: readonly string[];
  readonly network: boolean;
  /** Images made here for this instance; ones that something else uses stay. */
  readonly images: number;
}

/** Idempotent. DriverError (temporary) when the engine does not answer or something will not go. */
export async function removeEverything(
  engine: Engine,
  what: { readonly instance: string; readonly network: string; readonly cgroupRoot: string; readonly clock: Clock },
): Promise<RemovedThings> {
  return await withReason("RemoveError", async () => {
    const filters = JSON.stringify({ label: [`${LABEL.instance}=${what.instance}`] });
    const containers = await engine.call<ContainerSummary[]>({
      ...{ method: "GET", path: "/containers/json", query: { all: true, filters } },
    });
    const removal = new Removal(engine, what.clock);
    await Promise.all(containers.map(({ Id }) => removal.remove(Id)));
    const network = await removePodNetwork(engine, what.network, what.instance);
    const images = await removeImages(engine, filters);
    await removeCgroups(engine, what.cgroupRoot, containers);
    return { containers: containers.map(({ Id, Names }) => (Names?.[0] ?? Id).slice(1)).sort(), network, images };
  });
}

async function removeImages(engine: Engine, filters: string): Promise<number> {
  const images = await engine.call<{ Id: string }[]>({ method: "GET", path: "/images/json", query: { filters } });
  for (const { Id } of images)
    await already([404, 409], () =>
      engine.call({ method: "DELETE", path: `/images/${encodeURIComponent(Id)}`, query: { force: true } }),
    );
  return images.length;
}

async function removeCgroups(engine: Engine, root: string, containers: readonly ContainerSummary[]): Promise<void> {
  const info = await engine.call<EngineInfo>({ method: "GET", path: "/info" });
  const isLocal = engine.address.socketPath !== undefined;
  const cgroups = new PodCgroups(root, info.CgroupDriver === "systemd" ? "systemd" : "cgroupfs", isLocal);
  const uids = new Set(containers.flatMap(({ Labels }) => Labels?.[LABEL.podUid] ?? []));
  for (const uid of [...uids].sort()) await cgroups.remove(uid);
  await cgroups.removeRoot();
}
