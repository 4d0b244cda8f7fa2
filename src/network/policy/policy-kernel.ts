import type { Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import { addTable, NftError, readNft, runNft, tableName, whyRefused } from "../nft/table.ts";
import { IN_MAP, OUT_MAP } from "./policy-rules.ts";
import type { Place } from "./policy-script.ts";
import { refusedAmong } from "./refused.ts";
import { closed, type ElementThing, PREFIX, type Things } from "./thing.ts";

const BRIDGE_FILE = "/proc/sys/net/bridge/bridge-nf-call-iptables";
const PAST_THE_BRIDGE =
  "pods of this host reach each other past NetworkPolicies: the kernel does not show bridged packets to nftables; modprobe br_netfilter && sysctl net.bridge.bridge-nf-call-iptables=1";

export interface PolicyKernelOptions {
  readonly networkName: string;
  readonly commands: Commands;
  readonly log: Log;
}

/** What this host's kernel has of NetworkPolicies, through nft. */
export class PolicyKernel {
  readonly table: string;
  readonly #options: PolicyKernelOptions;
  /** What nft did not take, by name, and its words: nothing passes by it. */
  readonly #refused = new Map<string, { readonly what: string; readonly why: string }>();

  constructor(options: PolicyKernelOptions) {
    this.#options = options;
    this.table = `ip ${tableName(options.networkName)}`;
  }

  get refused(): readonly string[] {
    return [...this.#refused.keys()];
  }

  get refusal(): string | undefined {
    const [first] = this.#refused.values();
    if (first === undefined) return undefined;
    const others = this.#refused.size > 1 ? `; and ${this.#refused.size - 1} more` : "";
    return `not enforceable here, so nothing passes by it: ${first.what} (${first.why})${others}`;
  }

  forget(names: Iterable<string>): void {
    for (const name of names) this.#refused.delete(name);
  }

  /** Says what is in force then: what nft does not take of it is closed, and holds nothing else up. Rejects in words. */
  async run(wanted: Things, script: (after: Things) => string): Promise<Things> {
    const { commands, networkName } = this.#options;
    const whole = (after: Things) => `${addTable(networkName)}${script(after)}\n`;
    try {
      await runNft(commands, whole(wanted));
      return wanted;
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      const instead = await this.#closedInstead(wanted, whole);
      if (instead === undefined) throw error;
      await runNft(commands, whole(instead));
      return instead;
    }
  }

  async #closedInstead(wanted: Things, script: (after: Things) => string): Promise<Things | undefined> {
    const { commands, log } = this.#options;
    // Of one namespace beside each other: where many are refused, neighbours may be closed with them.
    const names = [...wanted]
      .flatMap(([name, thing]) => (closed(thing) && "comment" in thing ? { name, about: thing.comment } : []))
      .toSorted((a, b) => (a.about < b.about ? -1 : 1))
      .map(({ name }) => name);
    const refused = await refusedAmong(names, (open) =>
      whyRefused(commands, script(withClosed(wanted, (name) => !open.has(name)))),
    );
    if (refused.size === 0) return undefined;
    for (const [name, why] of refused) {
      const thing = wanted.get(name);
      this.#refused.set(name, { what: thing && "comment" in thing ? thing.comment : name, why });
    }
    log.warn("rules of NetworkPolicies that nft refuses let nothing pass", { why: this.refusal });
    return withClosed(wanted, (name) => refused.has(name));
  }

  /** Chains, sets and maps of ours, whoever made them. */
  async places(): Promise<readonly Place[]> {
    const text = await readNft(this.#options.commands, ["-t", "list", "table", ...this.table.split(" ")]);
    return [...(text ?? "").matchAll(/^\t(chain|set|map) (\S+) \{/gm)]
      .map(([, kind, name = ""]) => ({ kind: kind as Place["kind"], name }))
      .filter(({ name }) => name.startsWith(PREFIX));
  }

  /** By `map key`. */
  async elements(places: readonly Place[]): Promise<ReadonlyMap<string, ElementThing>> {
    const maps = places.filter(({ kind }) => kind === "map");
    const texts = await Promise.all(maps.map(({ name }) => this.#list("map", name)));
    const elements = maps.flatMap(({ name: map }, at) =>
      [...(texts[at]?.matchAll(/((?:\w+ \. )?[\d.]+(?: \. \d+)?) : goto ([\w-]+)/g) ?? [])].map(
        ([, key = "", chain = ""]): ElementThing => ({ kind: "element", map, key, chain }),
      ),
    );
    return new Map(elements.map((element) => [`${element.map} ${element.key}`, element]));
  }

  /** Whether packets still come to our chains: by the entrance, and by as many pods as there are to be. */
  async hasEntrance(things: Things): Promise<boolean> {
    const wanted = [...things.values()].flatMap((thing) => (thing.kind === "element" ? thing.map : []));
    const entrance = (await this.#list("chain", "pol-forward")) ?? "";
    if (![IN_MAP, OUT_MAP].every((map) => entrance.includes(`vmap @${map}`))) return false;
    for (const map of new Set(wanted)) {
      const there = (await this.#list("map", map))?.match(/ : goto pol-/g)?.length ?? 0;
      if (there < wanted.filter((each) => each === map).length) return false;
    }
    return true;
  }

  async bridgeTrouble(): Promise<string | undefined> {
    const { exitCode, stdout } = await this.#options.commands.run("cat", [BRIDGE_FILE]);
    return exitCode === 0 && stdout.trim() === "1" ? undefined : PAST_THE_BRIDGE;
  }

  /** One thing at a time: nft 1.0.6, asked for several in one script, does not find the maps that the later ones name. */
  #list(kind: "chain" | "map", name: string): Promise<string | undefined> {
    return readNft(this.#options.commands, ["list", kind, ...this.table.split(" "), name]);
  }
}

function withClosed(things: Things, isClosed: (name: string) => boolean): Things {
  return new Map([...things].map(([name, thing]) => [name, isClosed(name) ? (closed(thing) ?? thing) : thing]));
}
