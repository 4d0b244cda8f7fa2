/** Policies are rules on nodes, and groups of pods of all namespaces that the leader tells to all: whoever may write them in one namespace may not hold up the cluster. */
import { CLUSTER_SETTINGS_NAME, clusterSettings, settingsInForce } from "../../model/cluster-settings.ts";
import { type NetworkPolicy, networkPolicies } from "../../model/network-policy.ts";
import { sizeOfPolicy } from "../../model/network-policy-size.ts";
import type { Tx } from "../../store/transaction.ts";
import { forbidden, invalid } from "./status.ts";
import { type FieldError, tooMany } from "./validate/field-errors.ts";

const MOST_OF_ONE = 1_000;

const COUNTS = "a policy counts as ten itself, and so does a peer of several namespaces";

/** Refuses more than there was. `before`: what was stored may be changed otherwise. */
export function refuseTooMuchPolicy(tx: Tx, after: NetworkPolicy, before?: NetworkPolicy): void {
  const [size, had] = [sizeOfPolicy(after), before === undefined ? 0 : sizeOfPolicy(before)];
  if (size <= had) return;
  const { name, namespace = "default" } = after.metadata;
  if (size > MOST_OF_ONE) throw invalid("NetworkPolicy", name, [tooLarge(size)]);
  const { policyPeersPerNamespace: most } = settingsInForce(tx.get(clusterSettings, CLUSTER_SETTINGS_NAME));
  const others = tx.list(networkPolicies, namespace).reduce((sum, policy) => sum + sizeOfPolicy(policy), 0) - had;
  if (others + size <= most) return;
  const words = `all NetworkPolicies of namespace ${namespace} may have ${most} peers and ports (styr settings: policy-peers-per-namespace; ${COUNTS}): the others have ${others}, and this one wants ${size}`;
  throw forbidden({ plural: "networkpolicies", kind: networkPolicies }, name, words);
}

function tooLarge(size: number): FieldError {
  const error = tooMany("spec", size, MOST_OF_ONE);
  return { ...error, message: `${error.message}: rules, peers and ports; ${COUNTS}` };
}
