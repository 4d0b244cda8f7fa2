import { networkPolicies } from "../model/network-policy.ts";
import type { EntrySource } from "./entry-source.ts";
import { compilePolicy } from "./policy-entry.ts";

/** NetworkPolicies, one entry each. Which pods their peers are is told by peersSource. */
export function policiesSource(): EntrySource {
  return {
    name: "policies",
    kinds: [networkPolicies],
    begin(reader, sink) {
      for (const policy of reader.list(networkPolicies)) sink.put(compilePolicy(policy).entry);
    },
    changed(changes, reader, sink) {
      for (const key of new Set(changes.map((change) => change.key))) {
        const policy = reader.get(networkPolicies, key);
        if (policy) sink.put(compilePolicy(policy).entry);
        else sink.remove("policy", key);
      }
    },
  };
}
