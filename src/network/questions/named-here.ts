/** What this node's server says of a name that the host's own does not have: processes and units of the host, and pods that ask as it does, ask there. */
import type { NameAsker } from "../../model/network-questions.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { candidatesOf, isOfCluster, type Named, USUAL_DOTS } from "./asked-names.ts";
import type { HostView } from "./host-view.ts";

export interface AskedElsewhere {
  /** The host's. */
  readonly server: string;
  readonly isSilent: boolean;
  readonly asker?: NameAsker;
  /** By which name it is found does not matter. */
  readonly isService: boolean;
}

const ANSWER_MS = 1_000;

/** Undefined: this node's server does not have it either. */
export async function namedHere(
  state: NetworkState,
  view: HostView,
  name: string,
  { server, isSilent, asker, isService }: AskedElsewhere,
): Promise<Named | undefined> {
  const { gateway = "", nodeName, cluster } = state;
  const domain = cluster?.domain ?? "cluster.local";
  const below = [`default.svc.${domain}`, `svc.${domain}`, domain, "marathon.mesos", "fleet.local"];
  const hop = { at: nodeName, what: "name" };
  for (const whole of candidatesOf(name, below, USUAL_DOTS).filter((one) => isOfCluster(one, domain))) {
    const known = await addressesOf(view, gateway, whole);
    if (known === undefined) return undefined;
    if (known.length === 0) continue;
    const byWhole = isSilent || whole === name ? [] : ((await addressesOf(view, server, whole)) ?? []);
    const said = `${whole} is ${known.slice(0, 4).join(", ")}`;
    if (byWhole.length > 0) {
      const words = `${said}, and is found here by that name only: this host looks below no names of the cluster`;
      const advice = `ask for ${whole}, or start the agent with --host-names`;
      if (isService) return { hop: { ...hop, isOk: true, words }, addresses: byWhole };
      return { hop: { ...hop, isOk: false, words: `nothing is named ${name} here: ${words}`, advice }, addresses: [] };
    }
    const words = `${nodeName}'s /etc/resolv.conf asks ${server}${isSilent ? ", which gives no answer," : ""} and not this node's server (${gateway}), by which ${said}: ${whoAsks(asker)}`;
    return { hop: { ...hop, isOk: false, words, advice: adviceFor(asker, known) }, addresses: [] };
  }
  return undefined;
}

/** Undefined: it is silent, or failed. */
async function addressesOf(view: HostView, server: string, name: string): Promise<readonly string[] | undefined> {
  try {
    return await view.lookUp(server, name, ANSWER_MS);
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function whoAsks(asker: NameAsker | undefined): string {
  if (isOfHost(asker)) return "processes and units of this host know no names of the cluster";
  return 'a pod with dnsPolicy "Default" asks as its host does, and knows no names of the cluster';
}

function adviceFor(asker: NameAsker | undefined, addresses: readonly string[]): string {
  const [first = ""] = addresses;
  const byHost = "start the agent there with --host-names (styr up, agent, join)";
  if (!isOfHost(asker)) return 'dnsPolicy "ClusterFirst" for the pod';
  const isKubernetes = asker !== undefined && asker.metadata.annotations?.[ANNOTATION.dialect] === undefined;
  return `${isKubernetes ? 'dnsPolicy "ClusterFirstWithHostNet" for the pod, or ' : ""}${byHost}, or ask for ${first}`;
}

/** Itself, or with its network. */
function isOfHost(asker: NameAsker | undefined): boolean {
  return asker === undefined || asker.spec.hostNetwork === true;
}
