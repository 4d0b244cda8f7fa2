/** The bridge network of the pods of this node: a Docker network with our subnet, made once and checked when it is there already. */
import { deviceName } from "../../lib/device-name.ts";
import { dynamicRangeOf, gatewayOf } from "../../lib/subnet.ts";
import { DriverError } from "../driver.ts";
import { type Engine, EngineRefusal } from "./engine.ts";
import { LABEL } from "./labels.ts";
import { already, isRefusal, withReason } from "./refusal.ts";

export interface PodNetworkSettings {
  /** Default `styrmann`; also the name of the bridge (lib/device-name.ts). */
  readonly name: string;
  /**
   * Its first address is the host's, its last sixteenth is left to containers that ask Docker for any. Undefined: nobody has said
   * yet, and pods wait. Default 10.42.0.0/24.
   */
  readonly subnet: string | (() => string | undefined);
  readonly instance: string;
  /** Docker hides pods' addresses from everybody outside of this host. Default true; false where the cluster's network sees to it. */
  readonly isMasqueraded?: boolean;
  /** What on the host the subnet would clash with, in words; asked once, before the network is made. */
  readonly clash?: (subnet: string) => Promise<string | undefined>;
}

/** The network as the engine has it. */
export interface FoundPodNetwork {
  readonly subnet: string | undefined;
  /** Containers on it that run. */
  readonly attached: number;
  readonly isOurs: boolean;
}

interface NetworkDetails {
  readonly Id: string;
  readonly Name: string;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null };
  readonly Containers?: Readonly<Record<string, unknown>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

interface EngineVersion {
  readonly Version: string;
}

/** A DriverError's reason: the engine answers, and there is no network for pods. */
export const NETWORK_NOT_READY = "NetworkNotReady";
const LOOK_MS = 1_000;
const MASQUERADE = "com.docker.network.bridge.enable_ip_masquerade";

/** Idempotent. DriverError (temporary: a person may repair it) with words when the subnet is taken or the network is another's. */
export async function ensurePodNetwork(engine: Engine, settings: PodNetworkSettings): Promise<void> {
  await withReason(NETWORK_NOT_READY, async () => {
    const subnet = subnetOf(settings);
    if (subnet === undefined) throw networkError("this node has been given no pod range yet");
    const found = await findNetwork(engine, settings.name);
    if (found && isAsAsked(found, settings, subnet)) return;
    if (found && !(await isRemoved(engine, found, settings.instance))) return checkSubnet(found, settings.name, subnet);
    await makeNetwork(engine, settings, subnet);
  });
}

export async function removePodNetwork(engine: Engine, name: string, instance: string): Promise<boolean> {
  const found = await findNetwork(engine, name);
  if (!found || found.Labels?.[LABEL.instance] !== instance) return false;
  await engine.call({ method: "DELETE", path: `/networks/${found.Id}` });
  return true;
}

/** Undefined when there is none. DriverError when the engine does not say so within a second: others wait for it, and it is asked again. */
export async function lookAtPodNetwork(
  engine: Engine,
  { name, instance }: Pick<PodNetworkSettings, "name" | "instance">,
): Promise<FoundPodNetwork | undefined> {
  const found = await withReason(NETWORK_NOT_READY, () => findNetwork(engine, name, LOOK_MS));
  return found && { subnet: subnetsOf(found)[0], attached: attachedTo(found), isOurs: isOf(found, instance) };
}

export function subnetOf({ subnet }: Pick<PodNetworkSettings, "subnet">): string | undefined {
  return typeof subnet === "function" ? subnet() : subnet;
}

async function makeNetwork(engine: Engine, settings: PodNetworkSettings, subnet: string): Promise<void> {
  const clash = await settings.clash?.(subnet);
  if (clash !== undefined) throw networkError(`the pod network ${subnet} cannot be made: ${clash}`);
  const { Version } = await engine.call<EngineVersion>({ method: "GET", path: "/version" });
  try {
    const body = networkBody(settings, subnet, Number.parseInt(Version, 10));
    await engine.call({ method: "POST", path: "/networks/create", body });
  } catch (error) {
    // Another start made it meanwhile.
    if (isRefusal(error, 409)) return;
    if (!(error instanceof EngineRefusal)) throw error;
    throw networkError(
      `Docker does not make the pod network ${subnet}: ${error.message}; docker network ls shows which ones there are: remove the one in ` +
        "its way (docker network rm NAME), or choose another range",
    );
  }
}

/** Ours, and nothing runs on it: it may be made anew, with other addresses. */
async function isRemoved(engine: Engine, found: NetworkDetails, instance: string): Promise<boolean> {
  if (!isOf(found, instance) || attachedTo(found) > 0) return false;
  try {
    await already([404], () => engine.call({ method: "DELETE", path: `/networks/${found.Id}` }));
    return true;
  } catch (error) {
    // Something was attached meanwhile.
    if (isRefusal(error, 403) || isRefusal(error, 409)) return false;
    throw error;
  }
}

async function findNetwork(engine: Engine, name: string, timeoutMs?: number): Promise<NetworkDetails | undefined> {
  const path = `/networks/${encodeURIComponent(name)}`;
  try {
    return await engine.call({ method: "GET", path, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
}

function isAsAsked(found: NetworkDetails, { isMasqueraded = true }: PodNetworkSettings, subnet: string): boolean {
  const is = found.Options?.[MASQUERADE] !== "false";
  return subnetsOf(found).includes(subnet) && is === isMasqueraded;
}

function checkSubnet(found: NetworkDetails, name: string, subnet: string): void {
  // Whether Docker translates, rules of our own decide first.
  if (subnetsOf(found).includes(subnet)) return;
  throw networkError(
    `the Docker network "${name}" has ${subnetsOf(found).join(", ") || "no subnet"}, and ${subnet} is asked for: remove it (docker network rm ${name}) or change the setting`,
  );
}

function subnetsOf({ IPAM }: NetworkDetails): readonly string[] {
  return (IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []);
}

function attachedTo({ Containers }: NetworkDetails): number {
  return Object.keys(Containers ?? {}).length;
}

function isOf({ Labels }: NetworkDetails, instance: string): boolean {
  return Labels?.[LABEL.instance] === instance;
}

function networkBody(settings: PodNetworkSettings, subnet: string, major: number): object {
  const { name, instance, isMasqueraded = true } = settings;
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: "bridge",
    IPAM: { Config: [{ Subnet: subnet, Gateway: gatewayOf(subnet), IPRange: dynamicRangeOf(subnet) }] },
    Options: {
      "com.docker.network.bridge.name": deviceName(name),
      ...(isMasqueraded ? {} : { [MASQUERADE]: "false", ...direct(major) }),
    },
    Labels: { [LABEL.instance]: instance },
  };
}

/** From Docker 28 on, ports that are not published are closed to other hosts unless a network says so: there the pods' addresses count. */
function direct(major: number): Readonly<Record<string, string>> {
  return major >= 28 ? { "com.docker.network.bridge.gateway_mode_ipv4": "nat-unprotected" } : {};
}

function networkError(message: string): DriverError {
  return new DriverError(message, { temporary: true, reason: NETWORK_NOT_READY });
}
