/** From a unit to the pods that stand for it. Pure. */
import { createHash } from "node:crypto";
import { formatBytes, formatCpuMillis } from "../../lib/quantity.ts";
import type { Constraint } from "../../model/constraint.ts";
import { type Draft, ownedBy } from "../../model/meta.ts";
import type { Node } from "../../model/node.ts";
import type { Pod, Resources } from "../../model/pod.ts";
import { readService } from "../../model/unit/read-service.ts";
import { unitHash } from "../../model/unit/serialize-unit.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import { unitLimits, unitRequests } from "../../model/unit/unit-requests.ts";
import { ANNOTATION, NODE_LABEL } from "../../model/well-known.ts";
import { readCare } from "./care.ts";
import { FLEET_NAMESPACE, type Unit } from "./kinds.ts";
import { type Requirements, readRequirements } from "./requirements.ts";

export const FLEET_ANNOTATION = {
  /** Hash of the unit that this pod runs. */
  hash: "fleet.styrmann.dev/hash",
  /** `spec.stops` of the unit when the pod was made or last stopped. */
  stops: "fleet.styrmann.dev/stops",
  /** It has been asked to stop and has not come to rest yet. */
  stopping: "fleet.styrmann.dev/stopping",
  /** Names of the units that this pod keeps away from because they replace it. */
  replacedBy: "fleet.styrmann.dev/replaced-by",
} as const;

/** The one container of a unit's pod. */
export const UNIT_CONTAINER = "unit";
/** Beyond the unit's own stop timeout, for its ExecStopPost lines. */
const STOP_SLACK_SECONDS = 30;
const LONGEST_GRACE_SECONDS = 24 * 3600;

export interface Placement {
  /** Global units: this node and no other. */
  readonly node?: Node;
  /** Units that take its place where they run, which it has to keep away from. */
  readonly replacedBy?: readonly string[];
  /** Peers that have ended → the host name of the machine that they ended on. */
  readonly besides?: ReadonlyMap<string, string>;
  /** Better here than elsewhere: fleet leaves a unit where it is. */
  readonly wasAt?: string | undefined;
  /** Which of its names the pod gets: an earlier copy that is lost or moved keeps its own. */
  readonly slot?: number;
}

export function translateUnit(unit: Unit, placement: Placement = {}): Draft<Pod> {
  const { name } = unit.metadata;
  const { options, desiredState, stops } = unit.spec;
  const { service } = readService(options, name);
  const { node, replacedBy = [], slot = 0 } = placement;
  const requirements = readRequirements(options, name);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: podName(name, { slot, ...(node ? { node: node.metadata.name } : {}) }),
      namespace: FLEET_NAMESPACE,
      labels: { "fleet.styrmann.dev/unit": shortName(name) },
      annotations: {
        [ANNOTATION.dialect]: "fleet",
        [ANNOTATION.workload]: name,
        [FLEET_ANNOTATION.hash]: unitHash(options),
        [FLEET_ANNOTATION.stops]: String(stops),
        ...(replacedBy.length === 0 ? {} : { [FLEET_ANNOTATION.replacedBy]: replacedBy.join(" ") }),
      },
      ownerReferences: [ownedBy(unit)],
    },
    spec: {
      containers: [
        {
          name: UNIT_CONTAINER,
          driver: "unit",
          unit: { name, options, start: desiredState === "launched" },
          resources: resourcesOf(service),
        },
      ],
      // systemd's own Restart= decides inside the unit; a unit that has failed stays failed (fleet 4.6).
      restartPolicy: "Never",
      hostNetwork: true,
      terminationGracePeriodSeconds: graceSeconds(service),
      constraints: constraintsOf(name, requirements, placement),
      ...careOf(options, requirements),
    },
    status: { phase: "Pending" },
  };
}

/** A global unit's pod belongs to its machine: there is nowhere else that it could be started instead. */
function careOf(options: Unit["spec"]["options"], { isGlobal }: Requirements): Partial<Pod["spec"]> {
  if (isGlobal) return { whenUnreachable: { action: "keep" } };
  const { exclusive, whenUnreachable } = readCare(options);
  return { ...(exclusive ? { exclusive } : {}), ...(whenUnreachable ? { whenUnreachable } : {}) };
}

/** DNS-1123, stable for the unit (and node): a name that needed changing carries a digest of what it was. */
export function podName(unit: string, { node, slot = 0 }: { readonly node?: string; readonly slot?: number } = {}) {
  const wanted = node === undefined ? unit : `${unit}.${node}`;
  const safe = shortName(wanted).slice(0, 200);
  const name = safe === wanted ? safe : `${safe}-${digest(wanted, 8)}`;
  // As long as the random ends of other controllers' pods, so that it is read as one.
  return slot === 0 ? name : `${name}-${digest(`${wanted} ${slot}`, 5)}`;
}

function digest(text: string, length: number): string {
  return createHash("sha256").update(text).digest("hex").slice(0, length);
}

function shortName(text: string): string {
  const safe = text.toLowerCase().replace(/[^a-z0-9.-]+/g, "-");
  return (
    safe
      .replace(/\.[-.]+|-+\./g, ".")
      .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
      .slice(0, 63)
      .replace(/[^a-z0-9]+$/, "") || "unit"
  );
}

function resourcesOf(service: ServiceSettings): Resources {
  const quantities = ({ cpuMillis, memoryBytes }: { readonly cpuMillis?: number; readonly memoryBytes?: number }) => ({
    ...(cpuMillis === undefined ? {} : { cpu: formatCpuMillis(cpuMillis) }),
    ...(memoryBytes === undefined ? {} : { memory: formatBytes(memoryBytes) }),
  });
  return { requests: quantities(unitRequests(service)), limits: quantities(unitLimits(service)) };
}

function graceSeconds({ stopTimeoutMs }: ServiceSettings): number {
  if (!Number.isFinite(stopTimeoutMs)) return LONGEST_GRACE_SECONDS;
  return Math.min(LONGEST_GRACE_SECONDS, Math.ceil(stopTimeoutMs / 1000) + STOP_SLACK_SECONDS);
}

function constraintsOf(name: string, requirements: Requirements, placement: Placement): readonly Constraint[] {
  const { machineId, metadata, peers, conflicts, isGlobal } = requirements;
  const { node, replacedBy = [], besides, wasAt } = placement;
  const at = (hostname: string, from: string) => ({ type: "in", key: HERE, values: [hostname], from }) as const;
  const apart = (glob: string, from: string) =>
    ({ type: "apart", topologyKey: HERE, pods: workloads(glob), from }) as const;
  const beside = (peer: string): Constraint => {
    const from = `MachineOf=${peer}`;
    const ended = besides?.get(peer);
    if (ended !== undefined) return at(ended, from);
    return { type: "together", topologyKey: HERE, pods: workloads(literal(peer)), from };
  };
  return [
    ...(node === undefined ? [] : [at(hostnameOf(node), "Global=true")]),
    ...(machineId ? [{ type: "machine", id: machineId, from: `MachineID=${machineId}` } as const] : []),
    ...[...metadata].map(([key, values]) => {
      const from = `MachineMetadata=${values.map((value) => `${key}=${value}`).join(" or ")}`;
      return { type: "in", key, values, from } as const;
    }),
    ...(isGlobal ? [] : peers.map(beside)),
    ...conflicts.map((glob) => apart(glob, `Conflicts=${glob}`)),
    ...replacedBy.map((unit) => apart(literal(unit), `Replaces=${name} of ${unit}`)),
    ...(wasAt === undefined ? [] : [{ ...at(wasAt, WHERE_IT_WAS), preferred: 100 }]),
  ];
}

/** Marks the wish to be put back where it was. */
export const WHERE_IT_WAS = "where it was";
/** The node itself. */
const HERE = NODE_LABEL.hostname;

function workloads(glob: string) {
  return { by: "workload", glob, dialect: "fleet" } as const;
}

/** A name as a glob that matches only it. */
function literal(name: string): string {
  return name.replace(/[*?[\\]/g, "\\$&");
}

export function hostnameOf(node: Node): string {
  return node.metadata.labels?.[NODE_LABEL.hostname] ?? node.metadata.name;
}
