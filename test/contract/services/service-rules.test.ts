import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { NetworkEntry } from "../../../src/model/network.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import { basePlanOf } from "../../../src/network/services/base-plan.ts";
import type { BasePlan, Firewall } from "../../../src/network/services/firewall.ts";
import { IptablesFirewall } from "../../../src/network/services/iptables/iptables-firewall.ts";
import { NftFirewall } from "../../../src/network/services/nft/nft-firewall.ts";
import type { ServicePlan } from "../../../src/network/services/plan-service.ts";
import type { Chain, Difference, Piece, Programmed } from "../../../src/network/services/ruleset.ts";
import { ServiceRules } from "../../../src/network/services/service-rules.ts";
import { ServicesPart } from "../../../src/network/services/services-part.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import type { CommandResult, Commands } from "../../../src/seams/commands.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { ManualClock } from "../../../src/seams/manual-clock.ts";
import { newsStep } from "./news.ts";

/** A kernel in memory, as strict as a real one: no change of what is not there, no jump to what is not there, nothing made twice. */
class MemoryFirewall implements Firewall {
  readonly name = "nftables";
  readonly forgetsUnanswered = true;
  readonly chains = new Map<string, Chain>();
  readonly sets = new Set<string>();
  readonly elements = new Map<string, string>();
  transactions = 0;
  /** A Service that it does not understand. */
  poison: string | undefined;
  /** Rejects that many times. */
  failures = 0;
  readonly #real: Firewall;

  constructor(real: Firewall) {
    this.#real = real;
  }

  base(plan: BasePlan): Piece {
    return this.#real.base(plan);
  }

  service(plan: ServicePlan, base: BasePlan): Piece {
    return this.#real.service(plan, base);
  }

  async read(): Promise<Programmed> {
    const chains = [...this.chains].map(([name, { mark }]) => [name, mark] as const);
    return { chains: new Map(chains), sets: new Set(this.sets), elements: new Map(this.elements) };
  }

  async apply(difference: Difference): Promise<void> {
    if (this.failures-- > 0) throw new Error("the kernel refuses");
    const isPoisoned = difference.chains.some(
      ({ chain }) => this.poison !== undefined && chain.title.startsWith(this.poison),
    );
    if (isPoisoned) throw new Error("syntax error");
    this.transactions++;
    const { newSets, chains, goneElements, newElements, goneChains, goneSets } = difference;
    for (const [name] of newSets) assert.ok(!this.sets.has(name) && this.sets.add(name));
    for (const { name, chain, isNew } of chains) {
      assert.equal(this.chains.has(name), !isNew, name);
      this.chains.set(name, chain);
    }
    for (const { container, key } of goneElements) assert.ok(this.elements.delete(`${container} ${key}`), key);
    for (const { container, key, value } of newElements) {
      assert.ok(!this.elements.has(`${container} ${key}`), `${container} ${key} is there`);
      this.elements.set(`${container} ${key}`, value);
    }
    for (const name of goneChains) assert.ok(this.chains.delete(name), name);
    for (const name of goneSets) assert.ok(this.sets.delete(name), name);
    this.#check();
  }

  #check(): void {
    const ends = [...this.chains.keys()].map((name) => name.replace(/^\w+\//, ""));
    const there = new Set([...ends, ...[...this.sets].map((name) => name.replace(/^\w+\//, ""))]);
    const jumps = [...this.chains.values()].flatMap(({ rules }) =>
      rules.flatMap((rule) => rule.match(/(?:svc|net)-[\w-]+/g) ?? []),
    );
    for (const to of [...this.elements.values(), ...jumps]) assert.ok(to === "" || there.has(to), `nothing is ${to}`);
  }

  get all(): unknown {
    const chains = [...this.chains].map(([name, { rules }]) => [name, rules]).sort();
    return { chains, sets: [...this.sets].sort(), elements: [...this.elements].sort() };
  }

  async isIntact(): Promise<boolean> {
    return true;
  }

  async remove(): Promise<void> {}
}

const silent: Commands = { run: async (): Promise<CommandResult> => ({ exitCode: 0, stdout: "", stderr: "" }) };
const clock = new SystemClock();

async function bring(rules: ServiceRules, told: NetworkState, touched: Touched, isFiltered = true): Promise<void> {
  await rules.plan(told, touched.isAll ? undefined : touched.services, basePlanOf(told, isFiltered));
  await rules.program();
}

for (const [name, real] of [
  ["nftables", new NftFirewall(silent, "net")],
  ["iptables", new IptablesFirewall(silent, "net")],
] as const)
  describe(`rules of Services as ${name}:`, () => {
    test("whatever was heard in whatever order, refused once or heard by an agent that was restarted, the kernel has what it would have from nothing", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(newsStep, { maxLength: 25 }), async (steps) => {
          const kernel = new MemoryFirewall(real);
          const told = new NetworkState("n1");
          let rules = new ServiceRules(kernel, clock);
          const start = new Touched();
          start.everything();
          await bring(rules, told, start);
          for (const one of steps) {
            const touched = new Touched();
            if ("entry" in one)
              told.hear({ type: "changed", revision: 1, entries: [one.entry as NetworkEntry], removed: [] }, touched);
            else if ("gone" in one)
              told.hear({ type: "changed", revision: 1, entries: [], removed: [one.gone] }, touched);
            else if ("lost" in one) told.setLost(one.lost, one.isLost, touched);
            else if (one.fault === "refused") kernel.failures = 2;
            else rules = new ServiceRules(kernel, clock);
            if ("fault" in one) touched.everything();
            // As the plane does: again, with the same.
            const again = () => bring(rules, told, touched);
            await again().catch(again).catch(again);
            await same(kernel, told, real);
          }
        }),
        { numRuns: 150 },
      );
    });

    test("a Service that the kernel refuses is named, keeps what it had, and holds up nobody else", async () => {
      const kernel = new MemoryFirewall(real);
      const told = new NetworkState("n1");
      const rules = new ServiceRules(kernel, clock);
      const hear = (entries: readonly NetworkEntry[]) => {
        const touched = new Touched();
        told.hear({ type: "changed", revision: 1, entries, removed: [] }, touched);
        return bring(rules, told, touched);
      };
      const ids = ["a", "bad", "c", "d", "e"];
      await hear(ids.flatMap((id, at) => [serviceOf(id, `10.96.0.${at}`), sliceOf(id, 1)]));
      const before = new Map(kernel.chains);
      const chainOf = (id: string) => [...kernel.chains].find(([, { title }]) => title.startsWith(`${id}:`))?.[0] ?? "";
      kernel.poison = "bad:";
      await assert.rejects(hear(ids.map((id) => sliceOf(id, 1, 2))), /^Error: bad cannot be written: syntax error$/);
      for (const id of ids)
        assert.equal(kernel.chains.get(chainOf(id))?.mark === before.get(chainOf(id))?.mark, id === "bad", id);
      kernel.poison = undefined;
      await hear([]);
      await same(kernel, told, real);
    });

    test("a kernel that refuses everything is not asked for each of many Services, and they are there when it does again", async () => {
      const kernel = new MemoryFirewall(real);
      const told = new NetworkState("n1");
      const rules = new ServiceRules(kernel, clock);
      const hear = (entries: readonly NetworkEntry[]) => {
        const touched = new Touched();
        told.hear({ type: "changed", revision: 1, entries, removed: [] }, touched);
        return bring(rules, told, touched);
      };
      await hear([]);
      const many = Array.from({ length: 200 }, (_, n) => [serviceOf(`s${n}`, `10.96.1.${n}`), sliceOf(`s${n}`, 1)]);
      kernel.failures = 1_000;
      await assert.rejects(hear(many.flat()), /cannot be written: the kernel refuses$/);
      const tries = 1_000 - kernel.failures;
      // Ten are found one by one, each behind at most eight halves.
      assert.ok(tries < 100, `${tries} transactions were tried`);
      kernel.failures = 0;
      await hear([]);
      await same(kernel, told, real);
    });

    test("when what pods of a bridge send to each other begins to pass the rules, or ends, all rules are as it is: a look finds it", async () => {
      const kernel = new MemoryFirewall(real);
      const told = new NetworkState("n1");
      let said = "0";
      const commands: Commands = {
        run: async (program) => ({ exitCode: 0, stdout: program === "cat" ? said : "", stderr: "" }),
      };
      const parts = { commands, clock: new ManualClock(), log: silentLog, networkName: "net", firewall: kernel };
      const part = new ServicesPart(parts);
      const touched = new Touched();
      const ranges = { podRange: "10.42.0.0/16", serviceRange: "10.96.0.0/12" };
      const cluster = { kind: "cluster", id: "cluster", ...ranges, domain: "cluster.local", mode: "auto" } as const;
      const self = { kind: "node", id: "n1", address: "192.0.2.1", podRange: "10.42.0.0/24" } as const;
      const entries = [cluster, self, serviceOf("a", "10.96.0.1"), sliceOf("a", 1, 2)];
      told.hear({ type: "all", revision: 1, entries }, touched);
      await part.apply(told, touched);
      for (const isFiltered of [false, true, false]) {
        said = isFiltered ? "1" : "0";
        await part.lookAgain();
        await same(kernel, told, real, isFiltered);
      }
      await part.stop();
    });

    test("what did not change costs no transaction, and one endpoint's change touches its own chains only", async () => {
      const kernel = new MemoryFirewall(real);
      const told = new NetworkState("n1");
      const rules = new ServiceRules(kernel, clock);
      const hear = async (...entries: readonly NetworkEntry[]) => {
        const touched = new Touched();
        told.hear({ type: "changed", revision: 1, entries, removed: [] }, touched);
        await bring(rules, told, touched);
      };
      await hear(serviceOf("a", "10.96.0.1"), serviceOf("b", "10.96.0.2"), sliceOf("a", 1, 2), sliceOf("b", 3));
      const before = new Map(kernel.chains);
      await hear(sliceOf("a", 1, 2));
      assert.equal(kernel.transactions, 1);
      await hear(sliceOf("a", 1, 2, 4));
      assert.equal(kernel.transactions, 2);
      const changed = [...kernel.chains].filter(([chain, now]) => before.get(chain)?.mark !== now.mark);
      assert.equal(changed.length, 1);
    });
  });

async function same(kernel: MemoryFirewall, told: NetworkState, real: Firewall, isFiltered = true): Promise<void> {
  const fresh = new MemoryFirewall(real);
  const everything = new Touched();
  everything.everything();
  await bring(new ServiceRules(fresh, clock), told, everything, isFiltered);
  assert.deepEqual(kernel.all, fresh.all);
}

function serviceOf(id: string, address: string): NetworkEntry {
  const ports = [{ name: "x", protocol: "tcp", port: 80 } as const];
  return { kind: "service", id, addresses: [address], ports, externalTraffic: "cluster", internalTraffic: "cluster" };
}

function sliceOf(of: string, ...last: readonly number[]): NetworkEntry {
  return {
    ...{ kind: "endpoints", id: of, service: of, ports: [{ name: "x", protocol: "tcp", port: 80 }] },
    endpoints: last.map((n) => ({ address: `10.42.0.${n}`, state: "ready" })),
  };
}
