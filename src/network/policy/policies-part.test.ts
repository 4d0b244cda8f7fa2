import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
import { type CommandResult, type Commands, CommandUnfinished } from "../../seams/commands.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { PoliciesPart } from "./policies-part.ts";

const OK: CommandResult = { exitCode: 0, stdout: "", stderr: "" };

/** A host whose nft takes everything, and says of each thing that it is there. */
class Host implements Commands {
  isSlow = false;
  readonly written: string[] = [];

  async run(program: string, args: readonly string[], options?: { readonly input?: string }): Promise<CommandResult> {
    if (program !== "nft") return { ...OK, stdout: "1\n" };
    if (this.isSlow) throw new CommandUnfinished("nft did not end within 30000 ms");
    if (args.join(" ") === "-f -") this.written.push(options?.input ?? "");
    if (!args.includes("list")) return OK;
    return { ...OK, stdout: "vmap @pol-in vmap @pol-out 10.42.0.5 : goto pol-in-u" };
  }
}

describe("policies on a host whose nft is asked:", () => {
  const entries: readonly NetworkEntry[] = [
    { kind: "policy", id: "shop/p", namespace: "shop", podSelector: {}, ingress: [{ from: [{ peers: "fronts" }] }] },
    { kind: "peers", id: "fronts on n2", group: "fronts", addresses: ["10.42.1.9"] },
  ];

  function open() {
    const [host, clock, state] = [new Host(), new ManualClock(), new NetworkState("n1")];
    const part = new PoliciesPart({ commands: host, clock, log: silentLog, networkName: "styrmann", adoptionMs: 0 });
    state.localPods.set("u", { uid: "u", namespace: "shop", name: "web", address: "10.42.0.5", labels: {}, ports: {} });
    const hear = (all: readonly NetworkEntry[]) => {
      const touched = new Touched();
      state.hear({ type: "all", revision: 1, entries: all }, touched);
      return part.apply(state, touched);
    };
    return { host, part, hear };
  }

  test("one that is slow is not one that is missing: pods wait, and it is said what it is", async () => {
    const { host, part, hear } = open();
    host.isSlow = true;
    await assert.rejects(hear(entries), /nft did not end/);
    assert.equal(part.report().state, "failing");
    assert.match(part.report().words ?? "", /not up to date on this node: nft did not end within 30000 ms/);
    assert.doesNotMatch(part.report().words ?? "", /install/);
    host.isSlow = false;
    await hear(entries);
    assert.equal(part.report().state, "working");
    await part.stop();
  });

  test("everything told again, of which nothing is new, writes nothing; what is new in it is written alone", async () => {
    const { host, part, hear } = open();
    await hear(entries);
    const before = host.written.length;
    await hear(entries);
    assert.equal(host.written.length, before);
    await hear([...entries, { kind: "peers", id: "fronts on n3", group: "fronts", addresses: ["10.42.2.9"] }]);
    const [news = "", ...more] = host.written.slice(before);
    assert.deepEqual(more, []);
    assert.match(news, /add element .* \{ 10\.42\.2\.9 \}/);
    assert.doesNotMatch(news, /flush|10\.42\.1\.9/);
    await part.stop();
  });
});
