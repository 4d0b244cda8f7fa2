import { type Actor, authorize } from "../../../http/actor.ts";
import type { Container, PodSpec } from "../../../model/pod.ts";
import { otherNetwork } from "../../../model/pod-network-need.ts";
import { sameJson } from "../../../store/transaction.ts";
import { forbidden, type Named } from "../status.ts";

/** Capabilities that containers have anyway. Source: Pod Security Standards, profile Baseline. */
const USUAL_CAPABILITIES: ReadonlySet<string> = new Set([
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"],
  ...["SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
]);

/**
 * Whoever may write in some namespaces only stays in them: what would give him the host, and with it all namespaces, is
 * for those who may write everywhere. What is there already may stay when he changes another field.
 */
export function admitHostReach(
  resource: Named,
  actor: Actor,
  name: string,
  after: PodSpec | undefined,
  before: PodSpec | undefined,
): void {
  if (authorize(actor, { verb: "write", resource: resource.plural })) return;
  const wanted = hostReach(after);
  const [first] = wanted;
  if (first === undefined || sameJson(wanted, hostReach(before))) return;
  const why = `${first} reaches the host, which needs the role operator in the whole cluster; "${actor.name}" has it in a namespace alone`;
  throw forbidden(resource, name, why);
}

/** In words, what of it leaves the container. */
function hostReach(spec: PodSpec | undefined): readonly string[] {
  if (!spec) return [];
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field] === true);
  const volumes = (spec.volumes ?? []).flatMap(({ name, hostPath }) =>
    hostPath ? [`volume "${name}" (hostPath ${hostPath.path})`] : [],
  );
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return [...shared, ...volumes, ...containers.flatMap(containerReach)];
}

function containerReach(container: Container): readonly string[] {
  const { name, securityContext } = container;
  const unusual = (securityContext?.capabilities?.add ?? []).filter(
    (capability) => !USUAL_CAPABILITIES.has(capability.toUpperCase().replace(/^CAP_/, "")),
  );
  // The host's own network, another container's, or one that was made for something else.
  const network = otherNetwork(container) ?? "none";
  return [
    ...(network === "none" ? [] : [`container "${name}" (docker.network ${network})`]),
    ...(securityContext?.privileged === true ? [`container "${name}" (privileged)`] : []),
    ...unusual.map((capability) => `container "${name}" (capability ${capability})`),
  ];
}
