/**
 * The lab's switch: a bridge in a network namespace of its own, with a port for each host and one for the test. A lab may have a second
 * link: hosts there are behind a router that knows both links and nothing of pods.
 */
import { existsSync } from "node:fs";
import type { AddressBlock } from "../../harness/address-block.ts";
import { must } from "./command.ts";
import { netnsPrefix } from "./sweep-lab.ts";

/** The test's own address on the switch, for HTTPS to the servers and for requests to pods; the registry listens there. */
const TEST_HOST = 254;
const ROUTER = 253;

/** Which link a host's cable is in. */
export type LinkNumber = 0 | 1;

export class Fabric {
  readonly testAddress: string;
  readonly #prefix: string;
  readonly #block: AddressBlock;
  readonly #links: readonly LinkNumber[];

  /** `links`: of host 1, 2, … */
  constructor(id: string, block: AddressBlock, links: readonly LinkNumber[]) {
    this.#prefix = netnsPrefix(id);
    this.#block = block;
    this.#links = links;
    this.testAddress = block.address(0, TEST_HOST);
  }

  lay(): void {
    const sw = this.#switch;
    must("ip", "netns", "add", sw);
    must("ip", "-n", sw, "link", "set", "lo", "up");
    must("ip", "-n", sw, "link", "add", "br0", "type", "bridge");
    must("ip", "-n", sw, "link", "set", "br0", "up");
    must("ip", "link", "add", this.#prefix, "type", "veth", "peer", "name", "test", "netns", sw);
    must("ip", "-n", sw, "link", "set", "test", "master", "br0", "up");
    must("ip", "addr", "add", `${this.testAddress}/24`, "dev", this.#prefix);
    must("ip", "link", "set", this.#prefix, "up");
    if (this.#isRouted) this.#layRouter();
  }

  get #isRouted(): boolean {
    return this.#links.includes(1);
  }

  /** The switch's own namespace forwards between its bridges. */
  #layRouter(): void {
    const sw = this.#switch;
    must("ip", "-n", sw, "link", "add", "br1", "type", "bridge");
    must("ip", "-n", sw, "link", "set", "br1", "up");
    for (const link of [0, 1] as const)
      must("ip", "-n", sw, "addr", "add", `${this.#block.address(link, ROUTER)}/24`, "dev", `br${link}`);
    must("ip", "netns", "exec", sw, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    must("ip", "route", "add", this.#block.subnet(1), "via", this.#block.address(0, ROUTER));
  }

  #linkOf(n: number): LinkNumber {
    return this.#links[n - 1] ?? 0;
  }

  get #switch(): string {
    return `${this.#prefix}sw`;
  }

  netnsOf(n: number): string {
    return `${this.#prefix}h${n}`;
  }

  addressOf(n: number): string {
    return this.#block.address(this.#linkOf(n), n);
  }

  /** A fresh network namespace for host `n` with its cable in: no rule or bridge of an earlier life is left in it. */
  plugIn(n: number): void {
    const netns = this.netnsOf(n);
    this.unplug(n);
    must("ip", "netns", "add", netns);
    must("ip", "-n", netns, "link", "set", "lo", "up");
    // Always the same card: the others' address tables outlive a power cut.
    const card = ["name", "eth0", "address", cardOf(n), "netns", netns];
    must("ip", "-n", this.#switch, "link", "add", `p${n}`, "type", "veth", "peer", ...card);
    const link = this.#linkOf(n);
    must("ip", "-n", this.#switch, "link", "set", `p${n}`, "master", `br${link}`, "up");
    must("ip", "-n", netns, "addr", "add", `${this.addressOf(n)}/24`, "dev", "eth0");
    must("ip", "-n", netns, "link", "set", "eth0", "up");
    if (this.#isRouted) must("ip", "-n", netns, "route", "add", "default", "via", this.#block.address(link, ROUTER));
    must("ip", "netns", "exec", netns, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  }

  unplug(n: number): void {
    if (!existsSync(`/run/netns/${this.netnsOf(n)}`)) return;
    // The namespace goes when the kernel gets to it; the port must be free at once.
    must("ip", "-n", this.#switch, "link", "del", `p${n}`);
    must("ip", "netns", "del", this.netnsOf(n));
  }

  /** The cable of host `n`, at the switch's end: the host sees that there is no carrier. */
  cable(n: number, plugged: boolean): void {
    must("ip", "-n", this.#switch, "link", "set", `p${n}`, plugged ? "up" : "down");
  }

  /**
   * Host `n` and its pods do not hear these hosts and theirs (`in`), nor do those hear it (`out`); whatever goes the other way passes.
   * By address, for what comes through the router, and by card and next hop, for what pods of one link send as it is.
   */
  drop(n: number, others: readonly number[], directions: readonly ("in" | "out")[]): void {
    const addresses = `{ ${others.map((other) => this.addressOf(other)).join(", ")} }`;
    const cards = `{ ${others.map(cardOf).join(", ")} }`;
    const rules = {
      in: { hook: "prerouting", matches: [`ip saddr ${addresses}`, `ether saddr ${cards}`] },
      out: { hook: "postrouting", matches: [`ip daddr ${addresses}`, `rt nexthop ${addresses}`] },
    } as const;
    this.#nft(n, "add", "table", "ip", "labcut");
    for (const direction of directions) {
      const { hook, matches } = rules[direction];
      this.#nft(n, "add", "chain", "ip", "labcut", direction, `{ type filter hook ${hook} priority -400; }`);
      for (const match of matches) this.#nft(n, "add", "rule", "ip", "labcut", direction, match, "drop");
    }
  }

  /** Of the packets that host `n` sends, so many of a hundred are lost, by chance. */
  lose(n: number, percent: number): void {
    this.#nft(n, "add", "table", "ip", "labcut");
    this.#nft(n, "add", "chain", "ip", "labcut", "loss", "{ type filter hook postrouting priority -400; }");
    const chance = ["numgen", "random", "mod", "100", "<", String(percent)];
    this.#nft(n, "add", "rule", "ip", "labcut", "loss", "oifname", "eth0", ...chance, "drop");
  }

  /** Undoes every `drop` and `lose` of host `n`. */
  undrop(n: number): void {
    this.#nft(n, "add", "table", "ip", "labcut");
    this.#nft(n, "delete", "table", "ip", "labcut");
  }

  /** What host `n` sends, in Mbit/s; 0 lifts the limit. */
  rate(n: number, mbit: number): void {
    const at = ["-n", this.netnsOf(n), "qdisc"];
    if (mbit === 0) must("tc", ...at, "del", "dev", "eth0", "root");
    else
      must(
        "tc",
        ...at,
        "replace",
        "dev",
        "eth0",
        "root",
        "tbf",
        "rate",
        `${mbit}mbit`,
        "burst",
        "64k",
        "latency",
        "50ms",
      );
  }

  #nft(n: number, ...words: readonly string[]): void {
    must("ip", "netns", "exec", this.netnsOf(n), "nft", ...words);
  }
}

function cardOf(n: number): string {
  return `02:00:00:00:00:${n.toString(16).padStart(2, "0")}`;
}
