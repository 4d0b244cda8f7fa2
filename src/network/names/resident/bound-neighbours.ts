import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

/**
 * Two small packets. The kernel's usual bound is as much as one socket may have under way (net.core.wmem_default): one pod that asks in
 * the name of an address that nobody has would stop all answers, as long as ARP looks for it. With this, all 254 addresses of a pod
 * range together hold less than our socket may send. A pod that asks is a known neighbour: it had to ask by ARP for us.
 */
const MOST_BYTES = 1536;

/** Of the device with this address, as far as this process may. */
export function boundNeighbours(address: string, report: (message: string) => void): void {
  const all = Object.entries(networkInterfaces());
  const [name] = all.find(([, addresses = []]) => addresses.some((each) => each.address === address)) ?? [];
  if (name === undefined) return;
  try {
    writeFileSync(`/proc/sys/net/ipv4/neigh/${name}/unres_qlen_bytes`, `${MOST_BYTES}\n`);
  } catch (error) {
    report(`packets to unknown neighbours of ${name} are not bounded: ${(error as Error).message}`);
  }
}
