import type { Actor } from "../../../http/actor.ts";
import { type Container, driverOf, type PodSpec } from "../../../model/pod.ts";
import { sameJson } from "../../../store/transaction.ts";
import { forbidden, type Named } from "../status.ts";

/**
 * Our extensions that reach the host past the container (processes and units of the host, raw engine parameters) are
 * for admins. What is there already may stay when somebody else changes another field.
 */
export function admitExtensions(
  resource: Named,
  actor: Actor,
  name: string,
  after: PodSpec | undefined,
  before: PodSpec | undefined,
): void {
  if (actor.roles.includes("admin")) return;
  const wanted = hostReach(after);
  const [first] = wanted;
  if (first === undefined || sameJson(wanted, hostReach(before))) return;
  const why = `container "${first.name}" uses an extension that reaches the host (driver process or unit, docker.parameters), which needs the role admin; "${actor.name}" has ${actor.roles.join(", ") || "none"}`;
  throw forbidden(resource, name, why);
}

function hostReach(spec: PodSpec | undefined): readonly Container[] {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return containers.filter(
    (container) =>
      driverOf(container) !== "docker" ||
      container.docker?.parameters !== undefined ||
      container.process !== undefined ||
      container.unit !== undefined,
  );
}
