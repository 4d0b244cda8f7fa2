import { type Actor, authorize } from "../../../http/actor.ts";
import { sameJson } from "../../../store/transaction.ts";
import { forbidden, type Named } from "../status.ts";

/**
 * Where a Service's traffic goes beside the pods that its selector picks is anywhere that nodes reach: with the way in before it, a door
 * from outside to every host's own services. Kubernetes took it from its `edit` role for that (CVE-2021-25740). `before`: absent at
 * creation; what is there already may stay when another field changes.
 */
export function admitAddresses(
  resource: Named,
  actor: Actor,
  name: string,
  after: readonly string[],
  before: readonly string[] | undefined,
): void {
  if (after.length === 0 || sameJson(after, before)) return;
  if (authorize(actor, { verb: "write", resource: resource.plural })) return;
  const why = `addresses of one's own choice need the role operator in the whole cluster; "${actor.name}" has it in a namespace alone: let a Service's selector pick its pods`;
  throw forbidden(resource, name, why);
}
