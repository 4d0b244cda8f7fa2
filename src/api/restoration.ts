import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { nodes } from "../model/node.ts";
import { isHeld, RESTORATION_NAME, restorations } from "../model/restoration.ts";
import { type RestorationReport, thingsWords, unlistedOf } from "../model/restoration-report.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { Reader } from "../store/transaction.ts";
import type { StyrApiContext } from "./context.ts";
import { flag, optionsOf } from "./request-options.ts";

const PATH = "/styr/v1/restoration";

/** A store that was made from a backup: what runs and is not in it, and the word that it is to be believed. */
export function restorationRoutes({ store, isStranger }: StyrApiContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: PATH,
      access: { verb: "read", resource: "restoration" },
      handle: () => Response.json(restorationReport(store, isStranger)),
    },
    {
      method: "POST",
      path: `${PATH}/confirm`,
      access: { verb: "admin", resource: "restoration" },
      handle: async (request, { actor }) => {
        const options = await optionsOf(request, ["stopUnknown"]);
        const { stopUnknown = false } = flag(options, "stopUnknown");
        await store.update((tx) => {
          const restoration = tx.get(restorations, RESTORATION_NAME);
          if (!restoration || !isHeld(restoration))
            throw new ApiError("Conflict", "nothing waits to be confirmed: this store is not one just restored");
          const objection = objectionTo(restorationReport(tx));
          if (!stopUnknown && objection) throw new ApiError("Conflict", objection);
          const confirmed = { state: "confirmed", confirmedAt: rfc3339(tx.nowMs), confirmedBy: actor.name } as const;
          tx.update(restorations, { ...restoration, spec: { ...restoration.spec, ...confirmed } });
        });
        return Response.json(restorationReport(store, isStranger));
      },
    },
  ];
}

/** Nodes say what they keep only while it is held. */
export function restorationReport(reader: Reader, isStranger?: (address: string) => boolean): RestorationReport {
  const restoration = reader.get(restorations, RESTORATION_NAME);
  if (!isHeld(restoration)) return { restoration: restoration?.spec ?? null, nodes: [] };
  const all = reader.list(nodes).map(({ metadata, status }) => ({
    name: metadata.name,
    ...(status.unlisted === undefined ? {} : { unlisted: status.unlisted }),
    ...(status.addresses.some(({ address }) => isStranger?.(address)) ? { isStranger: true as const } : {}),
  }));
  const network = unlistedOf(all);
  return { restoration: restoration?.spec ?? null, nodes: all, ...(network.length === 0 ? {} : { network }) };
}

function objectionTo({ nodes: all, network }: RestorationReport): string | undefined {
  const kept = keptBy(all);
  if (kept > 0)
    return `${kept} ${kept === 1 ? "pod runs" : "pods run"} that the restored state does not know, and would be stopped`;
  if (network !== undefined)
    return `nodes have ${thingsWords(network)} that the restored state does not know or has otherwise, and would lose them`;
  const silent = all.filter(({ unlisted }) => unlisted === undefined).map(({ name }) => name);
  if (silent.length > 0)
    return `what runs on ${silent.slice(0, 5).join(", ")} is not known yet, and would be stopped where the restored state does not know it`;
  return undefined;
}

/** For `styr status`; nothing once it is confirmed. */
export function restoredWords(reader: Reader): { readonly restored?: string } {
  const { restoration, nodes: all, network } = restorationReport(reader);
  if (restoration?.state !== "held") return {};
  const kept = keptBy(all);
  const waiting = all.reduce((sum, { unlisted }) => sum + (unlisted?.waiting ?? 0), 0);
  const silent = all.filter(({ unlisted }) => unlisted === undefined).length;
  const facts = [
    `${kept} ${kept === 1 ? "pod runs" : "pods run"} that it does not know`,
    ...(network === undefined ? [] : [`nodes have ${thingsWords(network)} that it does not know or has otherwise`]),
    ...(waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? "waits" : "wait"}`]),
    ...(silent === 0 ? [] : [`${silent} ${silent === 1 ? "node has" : "nodes have"} not said what runs there`]),
  ];
  return {
    restored: `from a backup of ${restoration.backupTime}, not confirmed: ${facts.join(", ")}; nothing that runs is stopped`,
  };
}

function keptBy(all: RestorationReport["nodes"]): number {
  return all.reduce((sum, { unlisted }) => sum + (unlisted?.kept ?? 0), 0);
}
