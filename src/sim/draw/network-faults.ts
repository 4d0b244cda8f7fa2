/** What happens to the network between hosts, server and users. */
import type { Random } from "../../seams/random.ts";
import type { NetworkQuality, World } from "../contract.ts";
import { between, chance, duration, pick, pickSome } from "./dice.ts";
import type { Step } from "./step.ts";

export interface NetworkSpot {
  readonly hosts: readonly { readonly name: string; readonly zone: string }[];
  readonly atMs: number;
  readonly untilMs: number;
}

const PERFECT: NetworkQuality = { delayMs: [0, 1], loss: 0, duplicate: 0, reorder: 0 };

export function drawNetworkFault(random: Random, spot: NetworkSpot): readonly Step[] {
  return pick(random, [partition, partition, flapping, poorQuality, poorQuality])(random, spot);
}

/** Some hosts, one zone, or everybody, are cut off from the server; at times only one way. */
function partition(random: Random, spot: NetworkSpot): readonly Step[] {
  const { names, words } = drawVictims(random, spot);
  const forMs = Math.min(duration(random, 500, 120_000), spot.untilMs - spot.atMs);
  const way = pick(random, ["both", "both", "to the server", "from the server"] as const);
  const cutWords = way === "both" ? `${words}: cut off` : `${words}: what goes ${way} is lost`;
  return [
    step(spot.atMs, way === "both" ? "partition" : "one-way", cutWords, (world) => cut(world, names, way)),
    step(spot.atMs + forMs, "joined", `${words}: joined again`, (world) => join(world, names)),
  ];
}

function flapping(random: Random, spot: NetworkSpot): readonly Step[] {
  const { names, words } = drawVictims(random, spot);
  const periodMs = duration(random, 200, 12_000);
  const times = Math.min(between(random, 3, 10), Math.floor((spot.untilMs - spot.atMs) / (2 * periodMs)));
  return Array.from({ length: Math.max(0, times) }, (_, i) => spot.atMs + 2 * i * periodMs).flatMap((atMs) => [
    step(atMs, "flapping", `${words}: cut off, flapping`, (world) => cut(world, names, "both")),
    step(atMs + periodMs, "joined", `${words}: joined again`, (world) => join(world, names)),
  ]);
}

function poorQuality(random: Random, spot: NetworkSpot): readonly Step[] {
  const forMs = Math.min(duration(random, 5_000, 120_000), spot.untilMs - spot.atMs);
  const some = (share: number, most: number) => (chance(random, share) ? random.next() * most : 0);
  const slowest = duration(random, 1, 2_000);
  const quality: NetworkQuality = {
    delayMs: [Math.round(slowest / 10), slowest],
    loss: some(0.5, 0.2),
    duplicate: some(0.4, 0.2),
    reorder: some(0.4, 0.3),
  };
  const shares = (["loss", "duplicate", "reorder"] as const).map((name) => `${name} ${quality[name].toFixed(2)}`);
  const words = `the network is poor: up to ${slowest} ms, ${shares.join(", ")}`;
  return [
    step(spot.atMs, "poor-network", words, (world) => world.network.setQuality(quality)),
    step(spot.atMs + forMs, "good-network", "the network is good again", (world) => world.network.setQuality(PERFECT)),
  ];
}

function drawVictims(
  random: Random,
  { hosts }: NetworkSpot,
): { readonly names: readonly string[]; readonly words: string } {
  const names = hosts.map(({ name }) => name);
  const draw = random.next();
  if (draw < 0.5) return several(pickSome(random, names, 1));
  if (draw < 0.75) return several(pickSome(random, names, between(random, 1, names.length)));
  if (draw < 0.85) return { names, words: "every host" };
  const zone = pick(random, hosts).zone;
  return { names: hosts.filter((host) => host.zone === zone).map(({ name }) => name), words: zone };
}

function several(names: readonly string[]) {
  return { names, words: names.length > 4 ? `${names.length} hosts` : names.join(" ") };
}

function cut(world: World, names: readonly string[], way: "both" | "to the server" | "from the server"): void {
  for (const name of names) {
    if (way === "from the server") world.network.cut("server", name, true);
    else world.network.cut(name, "server", way === "to the server");
  }
}

function join(world: World, names: readonly string[]): void {
  for (const name of names) {
    world.network.join(name, "server");
    world.network.join("server", name);
  }
}

function step(atMs: number, kind: string, words: string, perform: (world: World) => void): Step {
  return { atMs, kind: `fault/${kind}`, words, perform };
}
