import type { NetworkEntry } from "../../../src/model/network.ts";
import { type LocalPod, NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import { PoliciesPart } from "../../../src/network/policy/policies-part.ts";
import { type Clock, SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import type { NetHost, NetPlace } from "../../harness/net-space.ts";

export interface PodHere {
  readonly name: string;
  readonly place: NetPlace;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: Readonly<Record<string, number>>;
  readonly published?: NonNullable<LocalPod["published"]>;
}

/** The policies part of one host. */
export class PoliciesNode {
  readonly part: PoliciesPart;
  /** Programs that were run. */
  asked = 0;
  readonly #state = new NetworkState("n1");
  readonly #host: NetHost;

  constructor(host: NetHost, { nft = "nft", clock = new SystemClock() as Clock, adoptionMs = 0 } = {}) {
    this.#host = host;
    const commands: NetHost["commands"] = {
      run: (program, args, options) => {
        this.asked++;
        return host.commands.run(program === "nft" ? nft : program, args, options);
      },
    };
    this.part = new PoliciesPart({ networkName: "space", commands, clock, adoptionMs, log: silentLog });
  }

  async has(entries: readonly NetworkEntry[], pods: readonly PodHere[]): Promise<void> {
    const touched = new Touched();
    this.#state.localPods.clear();
    for (const pod of pods) this.#comes(pod);
    this.#state.hear({ type: "all", revision: 1, entries: [this.#self, ...entries] }, touched);
    await this.part.apply(this.#state, touched);
  }

  /** As `has`, from the disk. */
  async remembers(entries: readonly NetworkEntry[], pods: readonly PodHere[]): Promise<void> {
    const touched = new Touched();
    for (const pod of pods) this.#comes(pod);
    this.#state.remember([this.#self, ...entries], touched);
    await this.part.apply(this.#state, touched);
  }

  async comes(pod: PodHere): Promise<void> {
    const touched = new Touched();
    this.#comes(pod);
    touched.localPods.add(pod.name);
    await this.part.apply(this.#state, touched);
  }

  async goes(name: string): Promise<void> {
    const touched = new Touched();
    this.#state.localPods.delete(name);
    touched.localPods.add(name);
    await this.part.apply(this.#state, touched);
  }

  #comes({ name, place, ...more }: PodHere): void {
    this.#state.localPods.set(name, { uid: name, namespace: "shop", name, address: place.address, ...more });
  }

  get #self(): NetworkEntry {
    return { kind: "node", id: "n1", address: this.#host.address, podRange: this.#host.podRange };
  }

  async hears(entries: readonly NetworkEntry[]): Promise<void> {
    const touched = new Touched();
    this.#state.hear({ type: "changed", revision: 2, entries, removed: [] }, touched);
    await this.part.apply(this.#state, touched);
  }

  async loses(kind: "policy", id: string): Promise<void> {
    const touched = new Touched();
    this.#state.hear({ type: "changed", revision: 3, entries: [], removed: [{ kind, id }] }, touched);
    await this.part.apply(this.#state, touched);
  }

  rules(...flags: readonly string[]): string {
    const { exitCode, output } = this.#host.run("nft", [...flags, "list", "table", "ip", "space"]);
    return exitCode === 0 && /(chain|set|map) /.test(output) ? output : "";
  }
}
