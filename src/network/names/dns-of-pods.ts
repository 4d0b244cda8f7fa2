import { existsSync, readFileSync } from "node:fs";
import type { Pod } from "../../model/pod.ts";
import type { PodDns } from "../plane/network-plane.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { podDns } from "./pod-dns.ts";
import { parseResolvConf, type ResolvConf, withoutOurs } from "./resolv-conf.ts";

/** For the plane: where a pod asks, by what this node knows now. Undefined before it has a pod range. */
export function dnsOfPods(resolvConf = "/etc/resolv.conf"): (pod: Pod, state: NetworkState) => PodDns | undefined {
  return (pod, state) => {
    const [server, domain] = [state.gateway, state.cluster?.domain];
    if (server === undefined || domain === undefined) return undefined;
    return podDns(pod, { server, domain, host: hostsOwn(resolvConf) });
  };
}

/** What the host asks itself, ours among it where it was put there: pods that are given nothing else have it from the engine. */
export function hostsResolvers(path = "/etc/resolv.conf"): ResolvConf {
  return parseResolvConf(existsSync(path) ? readFileSync(path, "utf8") : "");
}

/** Without what we put there ourselves. */
function hostsOwn(path: string): ResolvConf {
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  return parseResolvConf(withoutOurs(text) ?? text);
}
