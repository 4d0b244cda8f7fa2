/** The bridge network of the pods of this node: a Docker network with our subnet, made once and checked when it is there already. */
import { dynamicRangeOf } from "../../lib/subnet.ts";
import { DriverError } from "../driver.ts";
import type { Engine } from "./engine.ts";
import { LABEL } from "./labels.ts";
import { isRefusal, withReason } from "./refusal.ts";

export interface PodNetworkSettings {
  /** Default `styrmann`; also the name of the bridge when it has at most 15 characters. */
  readonly name: string;
  /** Default 10.42.0.0/24. Its first address is the host's, its last sixteenth is left to containers that ask Docker for any. */
  readonly subnet: string;
  readonly instance: string;
  /** What on the host the subnet would clash with, in words; asked once, before the network is made. */
  readonly clash?: (subnet: string) => Promise<string | undefined>;
}

interface NetworkDetails {
  readonly Id: string;
  readonly Name: string;
  readonly IPAM?: { readonly Config?: readonly { readonly Subnet?: string }[] | null };
}

/** Idempotent. DriverError (temporary: a person may repair it) with words when the subnet is taken or the network is another's. */
export async function ensurePodNetwork(engine: Engine, settings: PodNetworkSettings): Promise<void> {
  await withReason("NetworkNotReady", async () => {
    const found = await findNetwork(engine, settings.name);
    if (found) return checkSubnet(found, settings);
    const clash = await settings.clash?.(settings.subnet);
    if (clash !== undefined) throw networkError(`the pod network ${settings.subnet} cannot be made: ${clash}`);
    try {
      await engine.call({ method: "POST", path: "/networks/create", body: networkBody(settings) });
    } catch (error) {
      // Another start made it meanwhile.
      if (!isRefusal(error, 409)) throw error;
    }
  });
}

export async function removePodNetwork(engine: Engine, name: string, instance: string): Promise<boolean> {
  const found = await findNetwork(engine, name);
  const labels = (found as { Labels?: Record<string, string> } | undefined)?.Labels;
  if (!found || labels?.[LABEL.instance] !== instance) return false;
  await engine.call({ method: "DELETE", path: `/networks/${found.Id}` });
  return true;
}

async function findNetwork(engine: Engine, name: string): Promise<NetworkDetails | undefined> {
  try {
    return await engine.call<NetworkDetails>({ method: "GET", path: `/networks/${encodeURIComponent(name)}` });
  } catch (error) {
    if (isRefusal(error, 404)) return undefined;
    throw error;
  }
}

function checkSubnet(found: NetworkDetails, { name, subnet }: PodNetworkSettings): void {
  const subnets = (found.IPAM?.Config ?? []).map(({ Subnet }) => Subnet);
  if (!subnets.includes(subnet))
    throw networkError(
      `the Docker network "${name}" has ${subnets.join(", ") || "no subnet"}, and ${subnet} is asked for: remove it (docker network rm ${name}) or change the setting`,
    );
}

function networkBody({ name, subnet, instance }: PodNetworkSettings): object {
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: "bridge",
    IPAM: { Config: [{ Subnet: subnet, Gateway: gatewayWord(subnet), IPRange: dynamicRangeOf(subnet) }] },
    Options: /^[a-zA-Z0-9_.-]{1,15}$/.test(name) ? { "com.docker.network.bridge.name": name } : {},
    Labels: { [LABEL.instance]: instance },
  };
}

function gatewayWord(subnet: string): string {
  return subnet.replace(/\.(\d+)\/\d+$/, (_, last: string) => `.${Number(last) + 1}`);
}

function networkError(message: string): DriverError {
  return new DriverError(message, { temporary: true, reason: "NetworkNotReady" });
}
