import { createHash } from "node:crypto";

/** The kernel takes no longer names of devices: IFNAMSIZ less its zero. */
const MOST_CHARS = 15;

/** `styrmann-vxlan` for network `styrmann`: the name itself where it fits, else one that is always made the same from it. */
export function deviceName(network: string, suffix = ""): string {
  const plain = suffix === "" ? network : `${network}-${suffix}`;
  if (/^[a-zA-Z0-9_.-]+$/.test(plain) && plain.length <= MOST_CHARS) return plain;
  const short = createHash("sha256")
    .update(network)
    .digest("hex")
    .slice(0, suffix === "" ? 12 : 6);
  return (suffix === "" ? `st-${short}` : `st${short}-${suffix}`).slice(0, MOST_CHARS);
}
