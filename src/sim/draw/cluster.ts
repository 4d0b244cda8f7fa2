/** The machines of a drawn cluster. */
import type { Random } from "../../seams/random.ts";
import type { WorldSize } from "../contract.ts";
import { between, chance, pick } from "./dice.ts";

const GIB = 2 ** 30;
/** Half of the clusters have at most so many nodes. */
const MEDIAN_NODES = 6;
const MOST_NODES = 200;
/** So many are large ones, which cost a hundred times what a small one does. */
const SHARE_OF_LARGE = 0.015;
const SHARE_OF_TIGHT = 0.4;

/** 1 to 200 nodes in 1 to 4 zones, of different sizes. */
export function drawCluster(random: Random): WorldSize {
  const count = drawCount(random);
  const zones = Math.min(count, between(random, 1, 4));
  const isUniform = chance(random, 0.5);
  // Where there is hardly room for everything, pods wait, and whoever miscounts oversells.
  const isTight = chance(random, SHARE_OF_TIGHT);
  const uniform = drawSize(random, isTight);
  return {
    nodes: Array.from({ length: count }, (_, i) => ({
      name: nodeName(i),
      zone: `zone-${"abcd"[i % zones]}`,
      ...(isUniform ? uniform : drawSize(random, isTight)),
    })),
  };
}

/** `count` equal nodes in `zones` zones: for scenarios that need exactly this. */
export function evenCluster(count: number, zones = 1, cpuMillis = 4_000, memoryBytes = 8 * GIB): WorldSize {
  return {
    nodes: Array.from({ length: count }, (_, i) => ({
      name: nodeName(i),
      zone: `zone-${"abcd"[i % zones]}`,
      cpuMillis,
      memoryBytes,
    })),
  };
}

function drawCount(random: Random): number {
  if (chance(random, SHARE_OF_LARGE)) return between(random, 40, MOST_NODES);
  const mean = (MEDIAN_NODES - 1) / Math.LN2;
  return Math.min(40, 1 + Math.floor(-Math.log(1 - random.next()) * mean));
}

function drawSize(random: Random, isTight = false): { readonly cpuMillis: number; readonly memoryBytes: number } {
  if (isTight) return { cpuMillis: pick(random, [300, 500, 800]), memoryBytes: pick(random, [0.25, 0.5, 1]) * GIB };
  return { cpuMillis: pick(random, [1_000, 2_000, 4_000, 8_000]), memoryBytes: pick(random, [1, 2, 4, 8, 16]) * GIB };
}

/** Names sort as numbers do. */
function nodeName(index: number): string {
  return `n${String(index + 1).padStart(3, "0")}`;
}
