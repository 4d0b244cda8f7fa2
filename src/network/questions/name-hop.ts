import type { NameAsker } from "../../model/network-questions.ts";
import type { ResolvConf } from "../names/resolv-conf.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { askedNames, isOfCluster, type Named } from "./asked-names.ts";
import type { HostView } from "./host-view.ts";
import { namedHere } from "./named-here.ts";

export interface NameQuestion {
  /** Absent: the host itself. */
  readonly asker?: NameAsker;
  readonly host: ResolvConf;
  readonly isService?: boolean;
}

/** An answer of our own names is there at once; the server gives up on others after 4 s (names/resident/forwarder.ts). */
const OWN_MS = 1_000;
const BEYOND_MS = 4_500;
/** That of the host, of which nobody knows how long it tries; this node's is asked behind it. */
const HOSTS_MS = 3_000;
const SILENT: readonly string[] = ["ETIMEOUT", "ECANCELLED"];

/** Looks a name up as FROM would: at the same server, below the same names, in the same order. */
export async function nameHop(
  state: NetworkState,
  view: HostView,
  name: string,
  { asker, host, isService = false }: NameQuestion,
): Promise<Named> {
  const asked = askedNames(state, host, name, asker);
  const hop = { at: state.nodeName, what: "name" };
  if (asked === undefined) {
    const words = "this node has no pod range yet, and answers no names";
    return { hop: { ...hop, isOk: false, words, advice: "styr network status" }, addresses: [] };
  }
  const { server, isItsOwn, candidates } = asked;
  if (isItsOwn) {
    const words = `the pod asks ${server}, which its dnsConfig names, and not this node`;
    return { hop: { ...hop, isOk: false, words, advice: "styr exec, and look it up there" }, addresses: [] };
  }
  const domain = state.cluster?.domain ?? "cluster.local";
  // That of the host, which may know nothing of the cluster, or ask this node's for its names.
  const isHosts = server !== state.gateway;
  let beyond = "";
  for (const candidate of candidates) {
    const isOurs = isOfCluster(candidate, domain);
    // Whoever does not answer for one name from outside does not for the next.
    if (beyond !== "" && (isHosts || !isOurs)) continue;
    const external = isOurs ? externalOf(state, candidate) : undefined;
    const answer = await ask(
      view,
      server,
      candidate,
      isHosts ? HOSTS_MS : isOurs && external?.ends !== "beyond" ? OWN_MS : BEYOND_MS,
    );
    if (answer instanceof Error && !isHosts && external !== undefined && isOfOthers(answer))
      return { hop: { ...hop, isOk: false, words: external.words, advice: "styr services" }, addresses: [] };
    if (answer instanceof Error && (isHosts || (!isOurs && isOfOthers(answer)))) {
      beyond = `; ${isHosts ? `${server}, which this host asks,` : "it was passed on, and whoever is asked beyond the cluster"} gives no answer`;
      continue;
    }
    if (answer instanceof Error) {
      const how = codeOf(answer) === "ESERVFAIL" ? "answers that it failed" : "does not answer";
      const words = `the name server of this node (${server}) ${how}: ${answer.message}`;
      return { hop: { ...hop, isOk: false, words, advice: "styr network status" }, addresses: [] };
    }
    if (answer.length === 0) continue;
    const differs = differenceOf(state, candidate, answer);
    const words = `${candidate} is ${answer.slice(0, 4).join(", ")}${answer.length > 4 ? ", …" : ""}`;
    return {
      hop: { ...hop, isOk: true, words: differs === undefined ? words : `${words}; ${differs}` },
      addresses: answer,
    };
  }
  const isSilent = beyond !== "";
  const by = asker === undefined ? {} : { asker };
  const here = isHosts ? await namedHere(state, view, name, { server, isSilent, isService, ...by }) : undefined;
  if (here !== undefined) return here;
  const namespace = asker?.metadata.namespace ?? "default";
  const as = isHosts || asker === undefined ? "as this host asks" : `as a pod of namespace ${namespace} asks`;
  const tried = `asked ${as}: ${candidates.slice(0, 3).join(", ")}${candidates.length > 3 ? ", …" : ""}`;
  const words = `nothing is named ${name} (${tried}): ${whyNot(state, name, namespace)}${beyond}`;
  return { hop: { ...hop, isOk: false, words, advice: "styr ps; styr services" }, addresses: [] };
}

/** This node's server gave up on the one that it asked, or had not done so yet. */
function isOfOthers(error: Error): boolean {
  return [...SILENT, "ESERVFAIL"].includes(codeOf(error));
}

function codeOf(error: Error): string {
  return String((error as { readonly code?: unknown }).code);
}

async function ask(view: HostView, server: string, name: string, mostMs: number): Promise<readonly string[] | Error> {
  try {
    return await view.lookUp(server, name, mostMs);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Why no address is found by the name of a Service that only names another: undefined when it is none, or leads to names of the cluster. */
function externalOf(state: NetworkState, name: string) {
  const passed = new Set<string>();
  const domain = state.cluster?.domain ?? "cluster.local";
  const first = serviceOf(state, name);
  let next = plainName(name);
  for (let service = first; service?.externalName !== undefined; service = serviceOf(state, next)) {
    passed.add(next);
    next = plainName(service.externalName);
    if (passed.has(next)) break;
  }
  if (first === undefined || passed.size === 0) return undefined;
  const about = `Service ${first.id} is an ExternalName, ${plainName(first.externalName ?? "")}`;
  if (passed.has(next)) return { ends: "loop", words: `${about}, and that leads back to ${next}: there is no address` };
  if (isOfCluster(next, domain)) return undefined;
  return { ends: "beyond", words: `${about}: ${next} is asked beyond the cluster, and nobody there gives an answer` };
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
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
