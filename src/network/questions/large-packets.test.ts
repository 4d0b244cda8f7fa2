import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { NetworkEntry } from "../../model/network.ts";
import type { PeerLink } from "../../model/network-report.ts";
import type { CommandResult, Commands } from "../../seams/commands.ts";
import { CommandError } from "../../seams/commands.ts";
import { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { HostView } from "./host-view.ts";
import { largePackets } from "./large-packets.ts";
import { sizeHop } from "./size-hop.ts";
import { SizeLook } from "./size-look.ts";

const LOST: CommandResult = { exitCode: 1, stdout: "1 packets transmitted, 0 received, 100% packet loss", stderr: "" };
const ANSWERED: CommandResult = {
  exitCode: 0,
  stdout: "1 packets transmitted, 1 received, 0% packet loss",
  stderr: "",
};
const TOLD: CommandResult = {
  ...{ exitCode: 1, stderr: "" },
  stdout: "From 192.0.2.9 icmp_seq=1 Frag needed and DF set (mtu = 1400)\n1 packets transmitted, 0 received, +1 errors",
};

/** What a ping of so many bytes finds, and to whom each was. */
function pinging(answer: (bytes: number, nth: number) => CommandResult | Error) {
  const pings: { readonly to: string; readonly bytes: number }[] = [];
  const commands: Commands = {
    run: async (program, args) => {
      assert.equal(program, "ping");
      assert.ok(args.join(" ").includes("-M do"), "nobody may divide it");
      const bytes = Number(args[args.indexOf("-s") + 1]) + 28;
      pings.push({ to: args.at(-1) ?? "", bytes });
      const said = answer(bytes, pings.filter((one) => one.bytes === bytes).length);
      if (said instanceof Error) throw said;
      return said;
    },
  };
  const none = () => Promise.reject(new Error("not asked for"));
  return { pings, view: new HostView({ commands, table: "t", connect: none, lookUp: none }) };
}

const way = { from: "10.42.0.1", to: "10.42.1.1", bytes: 1500 };
const upTo = (most: number) => (bytes: number) => (bytes <= most ? ANSWERED : LOST);

describe("packets as large as the way is said to take", () => {
  test("one that comes through is all that is sent", async () => {
    const { pings, view } = pinging(() => ANSWERED);
    assert.equal(await largePackets(view, way), "pass");
    assert.deepEqual(pings, [{ to: "10.42.1.1", bytes: 1500 }]);
  });

  test("get lost, and smaller ones do not: the largest that comes through is found", async () => {
    assert.deepEqual(await largePackets(pinging(upTo(1400)).view, way), { bytes: 1500, passing: 1400 });
    const jumbo = { ...way, bytes: 9000 };
    assert.deepEqual(await largePackets(pinging(upTo(1500)).view, jumbo), { bytes: 9000, passing: 1500 });
  });

  const nobody: readonly (readonly [what: string, answer: Parameters<typeof pinging>[0]])[] = [
    ["the other host answers no pings", () => LOST],
    ["there is no ping here", () => new CommandError("there is no ping on this host", true)],
    [
      "this one's ping does not know the question",
      () => ({ exitCode: 1, stdout: "", stderr: "invalid option -- 'M'" }),
    ],
    ["some of every size are lost", (bytes) => (bytes % 20 === 0 ? LOST : ANSWERED)],
  ];
  for (const [what, answer] of nobody)
    test(`nobody can say where ${what}`, async () => {
      assert.equal(await largePackets(pinging(answer).view, way), undefined);
    });

  test("one that was lost by chance is sent again; and of who is told that it is too large nothing hangs", async () => {
    assert.equal(await largePackets(pinging((_bytes, nth) => (nth === 1 ? LOST : ANSWERED)).view, way), "pass");
    assert.equal(await largePackets(pinging((bytes) => (bytes > 1400 ? TOLD : ANSWERED)).view, way), "pass");
  });
});

const nameOf = (n: number) => `n${String(n).padStart(2, "0")}`;
const peer = (node: string, more: Partial<PeerLink> = {}): PeerLink => ({
  ...{ node, mode: "routes", mtu: 1500, state: "reachable", rttMs: 0.2 },
  ...more,
});

function stateOf(count: number): NetworkState {
  const state = new NetworkState(nameOf(0));
  const entries = Array.from({ length: count }, (_, n): NetworkEntry => {
    return { kind: "node", id: nameOf(n), address: `192.0.2.${n + 1}`, podRange: `10.42.${n}.0/24` };
  });
  state.hear({ type: "all", revision: 1, entries }, new Touched());
  return state;
}

describe("whoever looks at the network", () => {
  test("is told of a link that loses large packets: what passes, and which MTU the cards need for it", async () => {
    const look = new SizeLook(pinging(upTo(1400)).view);
    const peers = [peer("n01"), peer("n02", { mode: "vxlan", mtu: 1450 }), peer("n03", { state: "unreachable" })];
    const [plain, wrapped, unreached] = await look.look(stateOf(4), peers);
    assert.deepEqual(plain?.tooLarge, { bytes: 1500, passing: 1400 });
    assert.match(plain?.words ?? "", /^packets of 1500 bytes get lost .* those of 1400 come through.* an MTU of 1400 /);
    assert.match(wrapped?.words ?? "", /^packets of 1450 bytes .* an MTU of 1450 \(.*; now 1500\)$/);
    assert.deepEqual(unreached, peers[2]);
    assert.equal((await new SizeLook(pinging(() => ANSWERED).view).look(stateOf(4), peers))[0], peers[0]);
  });

  test("of many nodes some are asked in each look: those first that lost large packets, then those not asked for longest", async () => {
    const state = stateOf(41);
    const peers = Array.from({ length: 40 }, (_, n) => peer(nameOf(n + 1)));
    const { pings, view } = pinging((bytes) => (bytes > 1400 && pings.at(-1)?.to === "10.42.1.1" ? LOST : ANSWERED));
    const look = new SizeLook(view);
    const asked = async () => {
      pings.splice(0);
      await look.look(state, peers);
      return new Set(pings.map(({ to }) => to));
    };
    const rounds = [await asked(), await asked(), await asked()];
    assert.deepEqual(
      rounds.map((round) => round.size),
      [16, 16, 16],
    );
    assert.ok(
      rounds.every((round) => round.has("10.42.1.1")),
      "the one that loses them is asked each time",
    );
    assert.equal(new Set(rounds.flatMap((round) => [...round])).size, 40, "and all are asked in turn");
  });

  test("a trace to a pod stops there; to the other host's own address it does not ask", async () => {
    const [state, { view, pings }] = [stateOf(2), pinging(upTo(1400))];
    const hop = await sizeHop(state, view, "10.42.1.7", [peer("n01")]);
    assert.deepEqual([hop?.what, hop?.isOk], ["size", false]);
    assert.match(hop?.words ?? "", /^packets of 1500 bytes get lost .* those of 1400 come through/);
    pings.splice(0);
    assert.equal(await sizeHop(state, view, "192.0.2.2", [peer("n01")]), undefined);
    assert.deepEqual(pings, []);
    const well = await sizeHop(state, pinging(() => ANSWERED).view, "10.42.1.7", [peer("n01")]);
    assert.equal(well?.words, "packets of 1500 bytes come through to node n01, and back");
  });
});
