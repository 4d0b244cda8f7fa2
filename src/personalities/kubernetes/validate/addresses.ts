/** Kubernetes' rules for addresses, with its words. Source: k8s.io/apimachinery/pkg/util/validation/ip.go and pkg/apis/core/validation. */
import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { type FieldError, invalidValue } from "./field-errors.ts";

export function validateIp(address: string, path: string): readonly FieldError[] {
  return isIP(address) === 0
    ? [invalidValue(path, address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    : [];
}

/** One where traffic may be sent to: an endpoint on the loopback would be a way into each node's own programs. */
export function validateEndpointIp(address: string, path: string): readonly FieldError[] {
  const errors = validateIp(address, path);
  if (errors.length > 0) return errors;
  return SPECIAL.filter(({ holds }) => holds(address)).map(({ why }) => invalidValue(path, address, why));
}

const SPECIAL: readonly { readonly why: string; holds(address: string): boolean }[] = [
  { why: "may not be unspecified (0.0.0.0 or ::)", holds: within(["0.0.0.0/32", "::/128"]) },
  { why: "may not be in the loopback range (127.0.0.0/8, ::1/128)", holds: within(["127.0.0.0/8", "::1/128"]) },
  {
    why: "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
    holds: within(["169.254.0.0/16", "fe80::/10"]),
  },
  {
    why: "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
    holds: within(["224.0.0.0/24", "ff02::/16"]),
  },
];

function within(ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) addRange(list, range);
  return (address) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}

interface Cidr {
  readonly address: string;
  readonly length: number;
  readonly family: "ipv4" | "ipv6";
}

/** Undefined when it is none. Bits behind the prefix may be set, as Kubernetes allows. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", length = "", ...rest] = text.split("/");
  const family = isIPv4(address) ? "ipv4" : isIPv6(address) ? "ipv6" : undefined;
  if (family === undefined || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  return Number(length) <= (family === "ipv4" ? 32 : 128) ? { address, length: Number(length), family } : undefined;
}

/** Strictly: not the whole of it. */
export function isStrictlyWithin(inner: Cidr, outer: Cidr): boolean {
  if (inner.family !== outer.family || inner.length <= outer.length) return false;
  const list = new BlockList();
  list.addSubnet(outer.address, outer.length, outer.family);
  return list.check(inner.address, inner.family);
}

function addRange(list: BlockList, text: string): void {
  const { address, length, family } = parseCidr(text) as Cidr;
  list.addSubnet(address, length, family);
}
