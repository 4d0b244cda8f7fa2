/** Whether a pod network would take addresses that the host reaches elsewhere. Source of the facts: /proc/net/route. */
import { readFile } from "node:fs/promises";
import { formatAddress, overlaps, parseSubnet, type Subnet } from "../lib/subnet.ts";

export interface HostRoute {
  readonly device: string;
  readonly destination: Subnet;
  /** Hosts of the range are on this link itself, not behind a gateway. */
  readonly isOnLink: boolean;
}

/** Lines of hexadecimal words in the machine's byte order (little-endian on every architecture that is supported). */
export function parseRoutes(text: string): readonly HostRoute[] {
  return text
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [device, destination, gateway, , , , , mask] = line.trim().split(/\s+/);
      // "*": a range that the kernel refuses leads nowhere.
      if (!device || device === "*" || !destination || !gateway || !mask) return [];
      const length = 32 - Math.log2(2 ** 32 - addressIn(mask));
      const subnet = parseSubnet(`${formatAddress(addressIn(destination))}/${length}`);
      return subnet && length > 0 ? [{ device, destination: subnet, isOnLink: addressIn(gateway) === 0 }] : [];
    });
}

/**
 * What `subnet` would clash with, in words. A wider range behind a gateway (10.0.0.0/8 of a company) is no clash: the pod network only
 * covers its own part of it. `ownDevice`: the bridge of the pod network itself.
 */
export function subnetClash(subnet: string, routes: readonly HostRoute[], ownDevice: string): string | undefined {
  const wanted = parseSubnet(subnet);
  if (!wanted) return `"${subnet}" is no subnet such as 10.42.0.0/24`;
  const clash = routes
    .filter(({ device }) => device !== ownDevice)
    .filter(({ destination }) => overlaps(destination, wanted))
    .find(({ destination, isOnLink }) => isOnLink || destination.prefixLength >= wanted.prefixLength);
  return clash && `${clash.destination.text} is already in use on ${clash.device}; choose another range`;
}

/** The same for this host, now. */
export async function hostClash(subnet: string, ownDevice: string): Promise<string | undefined> {
  return subnetClash(subnet, parseRoutes(await readFile("/proc/net/route", "utf8")), ownDevice);
}

function addressIn(hex: string): number {
  return Buffer.from(hex, "hex").readUInt32LE(0);
}
