import { formatAddress, parseSubnet } from "../../lib/subnet.ts";
import type { TraceHop } from "../../model/network-questions.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { HostView } from "./host-view.ts";

export interface Named {
  readonly hop: TraceHop;
  readonly addresses: readonly string[];
}

/** Looks a name up at this node's own server, with the searches that a pod of the namespace has. */
export async function nameHop(state: NetworkState, view: HostView, name: string, namespace: string): Promise<Named> {
  const server = gatewayOf(state);
  const hop = { at: state.nodeName, what: "name" };
  if (server === undefined) {
    const words = "this node has no pod range yet, and answers no names";
    return { hop: { ...hop, isOk: false, words, advice: "styr network status" }, addresses: [] };
  }
  let beyond = "";
  for (const candidate of candidatesOf(name, namespace, state.cluster?.domain ?? "cluster.local")) {
    const answer = await asked(view, server, candidate);
    if (answer === "beyond") beyond = "; it was passed on, and whoever is asked beyond the cluster gives no answer";
    else if (answer instanceof Error) {
      const words = `the name server of this node (${server}) does not answer: ${answer.message}`;
      return { hop: { ...hop, isOk: false, words, advice: "styr network status" }, addresses: [] };
    }
    if (Array.isArray(answer) && answer.length > 0) {
      const differs = differenceOf(state, candidate, answer);
      const words = `${candidate} is ${answer.slice(0, 4).join(", ")}${answer.length > 4 ? ", …" : ""}`;
      return {
        hop: { ...hop, isOk: true, words: differs === undefined ? words : `${words}; ${differs}` },
        addresses: answer,
      };
    }
  }
  const words = `nothing is named ${name} (asked as a pod of namespace ${namespace} asks): ${whyNot(state, name, namespace)}${beyond}`;
  return { hop: { ...hop, isOk: false, words, advice: "styr ps; kubectl get services -A" }, addresses: [] };
}

/** The first address of its pod range is the host's own. */
export function gatewayOf({ self }: NetworkState): string | undefined {
  const range = parseSubnet(self?.podRange ?? "");
  return range && formatAddress(range.first + 1);
}

/** "beyond": this node's server answers, and the one that it asks does not. */
async function asked(view: HostView, server: string, name: string): Promise<string[] | "beyond" | Error> {
  try {
    return [...(await view.lookUp(server, name))];
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === "ESERVFAIL") return "beyond";
    return error as Error;
  }
}

/** As resolv.conf's search and ndots:5 have it. */
function candidatesOf(name: string, namespace: string, domain: string): readonly string[] {
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const searched = [`${name}.${namespace}.svc.${domain}`, `${name}.svc.${domain}`, `${name}.${domain}`];
  return name.split(".").length > 5 ? [name, ...searched] : [...searched, name];
}

function serviceOf({ tables, cluster }: NetworkState, name: string) {
  const [first = "", second = "", ...rest] = name.split(".");
  const isService = rest.join(".") === `svc.${cluster?.domain ?? "cluster.local"}`;
  return isService ? tables.service.get(`${second}/${first}`) : undefined;
}

function differenceOf(state: NetworkState, name: string, answer: readonly string[]): string | undefined {
  const told = serviceOf(state, name)?.addresses ?? [];
  const missing = told.filter((address) => !answer.includes(address));
  return missing.length === 0 ? undefined : `but the control plane says ${told.join(", ")}: the names here are behind`;
}

function whyNot(state: NetworkState, name: string, namespace: string): string {
  const [first = "", second = namespace] = name.split(".");
  const service = state.tables.service.get(`${second}/${first}`);
  if (service === undefined) return "there is no such Service, and no pod of that name is ready";
  if (service.addresses.length === 0 && service.externalName === undefined)
    return `Service ${second}/${first} is headless, and none of its pods is ready`;
  return `Service ${second}/${first} exists: the names here are behind`;
}
