import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CommandResult, Commands } from "../../seams/commands.ts";
import { silentLog } from "../../seams/log.ts";
import { ManualClock } from "../../seams/manual-clock.ts";
import { BridgeGuard, type BridgePorts } from "./bridge-guard.ts";
import type { PodPort } from "./bridge-script.ts";

const OWN = "10.42.1.0/24";
const KNOWN: PodPort = { index: 7, mac: "02:42:0a:2a:01:05", address: "10.42.1.5" };

/** An nft that takes everything and shows nothing. */
class Host implements Commands {
  script = "";

  async run(_program: string, args: readonly string[], { input = "" } = {}): Promise<CommandResult> {
    if (args.join(" ") === "-f -") this.script = input;
    return { exitCode: 0, stdout: "", stderr: "" };
  }
}

describe("a port of the pods' bridge of which it is not known whose it is:", () => {
  function open(ports: Partial<BridgePorts> = {}) {
    const [host, clock] = [new Host(), new ManualClock()];
    const all: BridgePorts = { indexes: async () => [7, 8], pods: async () => [KNOWN], ...ports };
    const names = { networkName: "styrmann", bridge: "styrmann" };
    const guard = new BridgeGuard({ commands: host, clock, log: silentLog, ...names, ports: all });
    const passes = (seconds: number) => clock.advance(seconds * 1_000);
    const isShut = () => /add element bridge styrmann net-strange \{ 8 \}/.test(host.script);
    return { host, guard, passes, isShut };
  }

  test("it may be anybody free for three seconds, and then nobody", async () => {
    const { guard, passes, isShut } = open();
    await guard.ensure(OWN);
    await passes(2);
    assert.ok(!isShut());
    await passes(2);
    assert.ok(isShut());
    assert.match(guard.words ?? "", /nothing from device 8 of the pods' bridge passes/);
    await guard.stop();
  });

  test("one that becomes known later is believed then, within seconds, without any other change", async () => {
    const known = [KNOWN];
    const { guard, host, passes, isShut } = open({ pods: async () => known });
    await guard.ensure(OWN);
    await passes(4);
    assert.ok(isShut());
    known.push({ ...KNOWN, index: 8, address: "10.42.1.6" });
    await passes(3);
    assert.ok(!isShut());
    assert.match(host.script, /8 \. 02:42:0a:2a:01:05 \. 10\.42\.1\.6/);
    assert.equal(guard.words, undefined);
    await guard.stop();
  });

  test("while a pod is about to start it may be that one's, for half a minute; what is shut stays so", async () => {
    const state = { isComing: true };
    const { guard, passes, isShut } = open({ isComing: () => state.isComing });
    await guard.ensure(OWN);
    await passes(10);
    assert.ok(!isShut());
    await passes(25);
    assert.ok(isShut());
    await guard.stop();
    const other = open({ isComing: () => state.isComing });
    state.isComing = false;
    await other.guard.ensure(OWN);
    await other.passes(4);
    state.isComing = true;
    await other.passes(4);
    assert.ok(other.isShut());
    await other.guard.stop();
  });

  test("an answer that never comes ends nothing: it is said, and asked for again", async () => {
    const answers = [new Promise<never>(() => undefined), Promise.resolve([KNOWN])];
    const { guard, host, passes } = open({
      indexes: async () => [7],
      pods: () => answers.shift() ?? Promise.resolve([KNOWN]),
    });
    const begun = guard.ensure(OWN);
    await passes(10.1);
    await begun;
    assert.match(guard.words ?? "", /was not said within 10 s/);
    await passes(1);
    assert.match(host.script, /net-known \{ 7 \}/);
    assert.equal(guard.words, undefined);
    await guard.stop();
  });
});
