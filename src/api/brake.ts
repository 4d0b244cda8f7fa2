/** /styr/v1/brake: whether it holds and whom, and a person's word that silent nodes are really gone. */
import type { Route } from "../http/route.ts";
import { ApiError } from "../model/errors.ts";
import { nodes } from "../model/node.ts";
import type { BrakeState } from "../model/node-state.ts";
import type { BrakeReleaseReport, BrakeReport } from "../model/reports.ts";
import { rfc3339 } from "../seams/clock.ts";
import type { StyrApiContext } from "./context.ts";
import { optionsOf } from "./request-options.ts";

export function brakeRoutes(context: StyrApiContext): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/styr/v1/brake",
      // Above every listing of the command line: it is why pods stay where they are.
      access: { verb: "read", resource: "brake", reach: "own part" },
      atLeader: "if any",
      handle: () => Response.json({ brake: brakeReport(context) ?? null }),
    },
    {
      method: "POST",
      path: "/styr/v1/brake/release",
      access: { verb: "write", resource: "brake" },
      async handle(request, { actor }) {
        const names = namesOf((await optionsOf(request, ["nodes"])).nodes);
        return Response.json(release(context, names, actor.name));
      },
    },
  ];
}

export function brakeReport({ lifecycle }: StyrApiContext): BrakeReport | undefined {
  return lifecycle?.brake && reportOf(lifecycle.brake);
}

function reportOf({ sinceMs, zones, nodes: held, words }: BrakeState): BrakeReport {
  return { since: rfc3339(sinceMs), zones, nodes: held, words };
}

function namesOf(value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");
  if (isList) return value as readonly string[];
  throw new ApiError("BadRequest", "nodes must be a list of names; without it, all that are held are meant");
}

function release(context: StyrApiContext, names: readonly string[] | undefined, by: string): BrakeReleaseReport {
  const { lifecycle, store } = context;
  const unknown = names?.find((name) => store.get(nodes, name) === undefined);
  if (unknown !== undefined) throw new ApiError("NotFound", `there is no node "${unknown}"`, { kind: "Node" });
  const released = lifecycle?.releaseBrake(names, by) ?? [];
  const brake = brakeReport(context);
  return { released, ...(brake ? { brake } : {}) };
}
