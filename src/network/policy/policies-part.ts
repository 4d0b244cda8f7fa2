/**
 * NetworkPolicies in the kernel: `pol-` chains and sets of the network's nftables table. What changed is one small transaction; at the start
 * everything of ours is replaced in one, so that no packet ever sees half of it. What this host itself sends to its pods (probes, the way in)
 * is not asked for: it does not pass the forward hook.
 */

import type { Clock, Timer } from "../../seams/clock.ts";
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import { addTable, readNft, removeFromTable, runNft, tableName, whyNoNft } from "../nft/table.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { Touched } from "../plane/touched.ts";
import { PolicyPlan } from "./policy-plan.ts";
import { IN_MAP, OUT_MAP } from "./policy-rules.ts";
import { adoptingScript, changeScript, type Place, wholeScript } from "./policy-script.ts";
import { PREFIX, type Things } from "./thing.ts";

export interface PoliciesPartOptions {
  readonly networkName: string;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  /** Pods that ran before the agent are found one by one: so long their rules stay as they were left. Default 30 s. */
  readonly adoptionMs?: number;
}

const ADOPTION_MS = 30_000;

/** So often it is looked whether the rules are still there, while there are any: somebody may flush them. */
const LOOK_MS = 5_000;
const BRIDGE_FILE = "/proc/sys/net/bridge/bridge-nf-call-iptables";
const PAST_THE_BRIDGE =
  "pods of this host reach each other past NetworkPolicies: the kernel does not show bridged packets to nftables; modprobe br_netfilter && sysctl net.bridge.bridge-nf-call-iptables=1";

export class PoliciesPart implements NetworkPart {
  readonly name = "policies";
  /** A pod is not started before its policies are in force. */
  readonly isGate = true;
  readonly #options: PoliciesPartOptions;
  readonly #table: string;
  readonly #plan = new PolicyPlan();
  /** What the kernel has of ours; undefined: not known. */
  #applied: Things | undefined;
  #policies = 0;
  /** Why nothing is enforced here. */
  #missing: string | undefined;
  #trouble: string | undefined;
  #bridge: string | undefined;
  #timer: Timer | undefined;
  readonly #adoptedAtMs: number;
  #sweep: Timer | undefined;
  /** One transaction at a time, also of those that a look finds needed. */
  #lane: Promise<void> = Promise.resolve();

  constructor(options: PoliciesPartOptions) {
    this.#options = options;
    this.#table = `ip ${tableName(options.networkName)}`;
    this.#adoptedAtMs = options.clock.monotonic() + (options.adoptionMs ?? ADOPTION_MS);
  }

  apply(state: NetworkState, touched: Touched): Promise<void> {
    return this.#inTurn(async () => {
      const changed = this.#plan.update(state, touched);
      this.#policies = state.tables.policy.size;
      if (this.#missing !== undefined && changed.size === 0 && !touched.isAll) return;
      if (touched.isAll || this.#applied === undefined) await this.#programAll();
      else if (changed.size > 0) await this.#program(changed);
      this.#lookLater();
    });
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#sweep?.cancel();
    this.#timer = undefined;
    await this.#lane;
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#applied = undefined;
    const { commands, networkName } = this.#options;
    if ((await whyNoNft(commands)) === undefined) await removeFromTable(commands, networkName, PREFIX);
  }

  report(): PartReport {
    const pods = this.#plan.selectedPods;
    const facts = { policies: this.#policies, pods };
    if (this.#missing !== undefined) {
      const why = `${this.#missing}; install nftables, and be root`;
      if (pods === 0) return { state: "off", words: `NetworkPolicies could not be enforced here: ${why}`, facts };
      return { state: "failing", words: `NetworkPolicies are NOT enforced on this node: ${why}`, facts };
    }
    const words = this.#trouble ?? (pods > 0 ? this.#bridge : undefined);
    return words === undefined ? { state: "working", facts } : { state: "failing", words, facts };
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#lane.then(work);
    this.#lane = done.catch(() => undefined);
    return done;
  }

  async #programAll(): Promise<void> {
    const { commands } = this.#options;
    this.#applied = undefined;
    this.#missing = await whyNoNft(commands);
    // Not asked again and again: the next change, or the next look, tries anew.
    if (this.#missing !== undefined) return;
    const after = this.#plan.things;
    const there = await this.#placesThere();
    const isAdopting = this.#options.clock.monotonic() < this.#adoptedAtMs;
    if (!isAdopting) {
      if (after.size > 0 || there.length > 0) await this.#run(wholeScript(this.#table, there, after));
    } else if (after.size > 0) await this.#run(adoptingScript(this.#table, await this.#elementsThere(there), after));
    if (isAdopting && there.length > 0) this.#sweepLater();
    this.#applied = after;
    await this.#lookAtBridge();
  }

  async #program(changed: ReadonlySet<string>): Promise<void> {
    const after = this.#plan.things;
    const before: Things = this.#applied ?? new Map();
    // After a failure it is not known what the kernel has: somebody else may have been there.
    this.#applied = undefined;
    await this.#run(changeScript(this.#table, before, after, changed));
    this.#applied = after;
    if (before.size === 0) await this.#lookAtBridge();
  }

  async #run(script: string): Promise<void> {
    const { commands, networkName } = this.#options;
    try {
      await runNft(commands, `${addTable(networkName)}${script}\n`);
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble = `NetworkPolicies are not up to date on this node: ${(error as Error).message}`;
      throw error;
    }
  }

  /** What is left of pods that did not come back goes. */
  #sweepLater(): void {
    const { clock, log } = this.#options;
    this.#sweep ??= clock.setTimer(this.#adoptedAtMs - clock.monotonic(), () => {
      this.#inTurn(() => this.#programAll()).catch((error: Error) => {
        this.#applied = undefined;
        log.warn("what is left of old policies could not be removed", { why: error.message });
      });
    });
  }

  /** `pol-in 10.42.0.5`. */
  async #elementsThere(there: readonly Place[]): Promise<ReadonlySet<string>> {
    const maps = there.filter(({ kind }) => kind === "map");
    const texts = await Promise.all(maps.map(({ name }) => this.#list("map", name)));
    return new Set(
      maps.flatMap(({ name }, at) =>
        (texts[at]?.match(/[\d.]+(?= : goto)/g) ?? []).map((address) => `${name} ${address}`),
      ),
    );
  }

  async #placesThere(): Promise<readonly Place[]> {
    const text = await readNft(this.#options.commands, ["-t", "list", "table", ...this.#table.split(" ")]);
    return [...(text ?? "").matchAll(/^\t(chain|set|map) (\S+) \{/gm)]
      .map(([, kind, name = ""]) => ({ kind: kind as Place["kind"], name }))
      .filter(({ name }) => name.startsWith(PREFIX));
  }

  async #lookAtBridge(): Promise<void> {
    if (this.#plan.selectedPods === 0) return;
    const { exitCode, stdout } = await this.#options.commands.run("cat", [BRIDGE_FILE]);
    this.#bridge = exitCode === 0 && stdout.trim() === "1" ? undefined : PAST_THE_BRIDGE;
  }

  /** Whether packets still come to our chains: by the entrance, and by as many pods as there are to be. */
  async #isThere(things: Things): Promise<boolean> {
    const wanted = [...things.values()].flatMap((thing) => (thing.kind === "element" ? thing.map : []));
    const entrance = (await this.#list("chain", "pol-forward")) ?? "";
    if (![IN_MAP, OUT_MAP].every((map) => entrance.includes(`vmap @${map}`))) return false;
    for (const map of new Set(wanted)) {
      const there = (await this.#list("map", map))?.match(/ : goto pol-/g)?.length ?? 0;
      if (there < wanted.filter((each) => each === map).length) return false;
    }
    return true;
  }

  /** One thing at a time: nft 1.0.6, asked for several in one script, does not find the maps that the later ones name. */
  #list(kind: "chain" | "map", name: string): Promise<string | undefined> {
    return readNft(this.#options.commands, ["list", kind, ...this.#table.split(" "), name]);
  }

  #lookLater(): void {
    if (this.#timer !== undefined || this.#plan.selectedPods === 0) return;
    this.#timer = this.#options.clock.setTimer(LOOK_MS, () => {
      this.#timer = undefined;
      void this.#inTurn(() => this.#look()).then(() => this.#lookLater());
    });
  }

  async #look(): Promise<void> {
    const { log } = this.#options;
    try {
      if (this.#missing !== undefined) return await this.#programAll();
      if (this.#applied !== undefined && (await this.#isThere(this.#applied))) return await this.#lookAtBridge();
      log.warn("rules of NetworkPolicies were gone, and are made again", { table: this.#table });
      await this.#programAll();
    } catch (error) {
      if (!(error instanceof CommandError)) this.#trouble ??= (error as Error).message;
      this.#applied = undefined;
      log.warn("rules of NetworkPolicies could not be looked at", { why: (error as Error).message });
    }
  }
}
