/** IPv4 addresses and subnets as numbers. */

export interface Subnet {
  readonly text: string;
  /** First and last address, both included. */
  readonly first: number;
  readonly last: number;
  readonly prefixLength: number;
}

/** `10.42.0.0/24`, or undefined when it is none or has bits set behind its prefix. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, address = "", length = ""] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const first = parseAddress(address);
  const prefixLength = Number(length);
  if (first === undefined || length === "" || prefixLength > 32) return undefined;
  const size = 2 ** (32 - prefixLength);
  return first % size === 0 ? { text, first, last: first + size - 1, prefixLength } : undefined;
}

export function parseAddress(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** An IPv4 address that others may reach one host at, as kubelet asks of a node's: not "this host", loopback, link-local, multicast or reserved. */
export function isHostAddress(text: string): boolean {
  const value = parseAddress(text);
  return value !== undefined && !NO_HOSTS.some((range) => holds(range, value));
}

export function formatAddress(value: number): string {
  return [2 ** 24, 2 ** 16, 2 ** 8, 1].map((place) => Math.floor(value / place) % 256).join(".");
}

/** No range holds nothing, and what is no address is in none. A number is an address that was parsed before. */
export function holds(range: Pick<Subnet, "first" | "last"> | undefined, address: string | number): boolean {
  const value = typeof address === "number" ? address : parseAddress(address);
  return range !== undefined && value !== undefined && range.first <= value && value <= range.last;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** The host's own address among the pods of a range, where they ask for names: its first, the bridge's. */
export function gatewayOf(podRange: string): string {
  const range = parseSubnet(podRange);
  if (!range) throw new RangeError(`${podRange} is no subnet`);
  return formatAddress(range.first + 1);
}

/** The last sixteenth of a pod subnet: left to containers that ask the engine for any address, never given to pods. */
export function dynamicRangeOf(subnet: string): string {
  const parsed = parseSubnet(subnet);
  if (!parsed || parsed.prefixLength > 26) throw new RangeError(`${subnet} is no subnet of at least 64 addresses`);
  const size = 2 ** (32 - parsed.prefixLength - 4);
  return `${formatAddress(parsed.last - size + 1)}/${parsed.prefixLength + 4}`;
}

/** RFC 6890; from 224.0.0.0 on there is no address of one host. */
const NO_HOSTS: readonly Subnet[] = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"]
  .map(parseSubnet)
  .filter((range) => range !== undefined);
