/** A host whose nft goes away while its rules are in the kernel, and comes back. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { ServicesPart } from "../../../src/network/services/services-part.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { CommandError, type Commands } from "../../../src/seams/commands.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { endpoints, NETWORK, names, Stage, service, until } from "./stage.ts";

describe("nft goes away while its rules are in the kernel, and comes back:", { concurrency: false }, () => {
  let stage: Stage;
  let hasNft = true;
  let isBroken = false;
  const commands = (): Commands => {
    const real = stage.space.host(1).commands;
    return {
      run: (program, args, options) =>
        program === "nft" && !hasNft
          ? Promise.reject(new CommandError("there is no nft on this host", true))
          : real.run(program, isBroken && program === "iptables-restore" ? ["--nonsense"] : args, options),
    };
  };
  const web = (nodePort: number) =>
    service("default/web", { ports: [{ name: "http", protocol: "tcp", port: 80, nodePort }] });

  /** As a new agent. */
  async function restart(): Promise<void> {
    await stage.sides[0]?.part.stop();
    const part = new ServicesPart({
      ...{ commands: commands(), clock: new SystemClock(), log: silentLog, networkName: NETWORK, bridge: "pods" },
      lookEveryMs: 300,
    });
    stage.sides[0] = { name: "n1", state: new NetworkState("n1"), part };
  }

  const ask = (port: number) => {
    const host = stage.space.host(1);
    return names(stage.dial(stage.outside, "tcp", host.address, port, 6));
  };
  const tell = (nodePort: number, pod = stage.pods.one) =>
    stage.all(web(nodePort), endpoints(web(nodePort), [stage.endpoint(pod)]));

  before(async () => {
    stage = new Stage();
    await Promise.all([stage.answer(stage.pods.one, "one", 8080), stage.answer(stage.pods.two, "two", 8080)]);
    await restart();
  });
  after(() => stage.close());

  test("with an agent that goes on", async () => {
    await tell(30080);
    assert.deepEqual(ask(30080), ["one"]);
    hasNft = false;
    await assert.rejects(
      tell(30081),
      /no nft on this host; install nftables: rules that nft made here before stay in force/,
    );
    hasNft = true;
    await tell(30082);
    assert.deepEqual(ask(30082), ["one"]);
  });

  test("with one that is started while it is away: iptables has what is new; once nft is back it has all, without another start", async () => {
    await tell(30080);
    hasNft = false;
    await restart();
    await tell(30081, stage.pods.two);
    assert.deepEqual(ask(30081), ["two"]);
    hasNft = true;
    const kind = () => stage.sides[0]?.part.report().facts?.rules;
    await until(
      () => kind() === "nftables",
      () => "nft to be used again",
    );
    await tell(30083, stage.pods.two);
    assert.deepEqual([ask(30083), ask(30080), ask(30081)], [["two"], ["ECONNREFUSED"], ["ECONNREFUSED"]]);
    assert.doesNotMatch(stage.space.host(1).run("iptables-save", []).output, new RegExp(`${NETWORK}|svc-`));
  });

  test("where iptables fails meanwhile, too, nothing but a look is needed until all is well", async () => {
    hasNft = false;
    await restart();
    isBroken = true;
    await assert.rejects(tell(30084), /iptables-restore: /);
    hasNft = true;
    const state = () => stage.sides[0]?.part.report().state;
    await until(
      () => state() === "working",
      () => "the look that finds nft",
    );
    isBroken = false;
    assert.deepEqual(ask(30084), ["one"]);
  });
});
