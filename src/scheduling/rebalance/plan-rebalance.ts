/**
 * Which copies to move so that workloads lie more evenly over nodes and zones, and nodes are loaded more alike. Pure. Each
 * move is where the scheduler itself would put the successor, in the state that the moves before it leave; only moves are
 * planned whose gain by the scheduler's own rating is worth the disturbance.
 */
import type { CopiesBook, Kept } from "../../model/copies-book.ts";
import { workloadNameOf } from "../../model/copies-book.ts";
import { controllerOf, keyOf } from "../../model/meta.ts";
import type { Node } from "../../model/node.ts";
import { isTerminal, type Pod } from "../../model/pod.ts";
import type { PlannedMove, RebalancePlan } from "../../model/rebalance.ts";
import type { WorkloadReader } from "../../model/workload.ts";
import type { Strategy } from "../scores.ts";
import { Board, type Option, type Piece } from "./board.ts";
import { whyLeft } from "./movable.ts";
import { Spreads } from "./spreads.ts";

/** A quarter of a full node. Another copy too many on a host counts for two full nodes, a zone with too many for one. */
export const WORTH_MOVING = 250_000;
/** Nodes of a workload, fullest first, that are asked to give a copy away before it is left as it is. */
const SOURCES_TRIED = 3;
/** Pods of a crowded node that are tried, largest first. */
const PODS_TRIED = 20;
/** Looked at in one go: a fraction of a millisecond. */
const PODS_PER_LOOK = 25;
const NODES_PER_LOOK = 50;
/** No plan is longer, whatever the budget. */
const MOST_MOVES = 2_000;

export interface RebalanceInput {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
  readonly book: CopiesBook;
  readonly reader: WorkloadReader;
  readonly strategy: Strategy;
  /** Moves at most. */
  readonly budget: number;
}

interface Group {
  readonly uid: string;
  readonly name: string;
  readonly kept: Kept;
  readonly pieces: readonly Piece[];
  /** Why it stays as it is. */
  readonly left: string | undefined;
}

interface Chosen {
  readonly piece: Piece;
  readonly option: Option;
}

/** Yields between looks, so that whoever runs it can let others have their turn. */
export function* planRebalance(input: RebalanceInput): Generator<undefined, RebalancePlan, undefined> {
  const board = yield* setUp(input);
  const groups = yield* groupsOf(input, board);
  const spreads = new Spreads(board);
  const left: { readonly workload: string; readonly reason: string }[] = [];
  const moves: PlannedMove[] = [];
  const budget = Math.min(input.budget, MOST_MOVES);
  let beyondBudget = 0;
  const take = (group: Group, { piece, option }: Chosen) => {
    if (moves.length < budget) {
      moves.push(asMove(group, piece, option));
      spreads.note(group.uid, group.name, piece.nodeName, option.to, piece.pod);
    } else beyondBudget++;
    board.move(piece, option.to);
  };

  for (const group of yield* unevenFirst(spreads, groups)) {
    yield;
    if (group.left !== undefined) {
      left.push({ workload: group.name, reason: group.left });
      continue;
    }
    let made = 0;
    for (; made < group.pieces.length && beyondBudget < MOST_MOVES; made++) {
      const chosen = yield* bestOf(board, sourcesOf(board, group));
      if (!chosen) break;
      take(group, chosen);
      yield;
    }
    if (made === 0)
      left.push({ workload: group.name, reason: "its rules, or the room there is, leave no better place" });
  }

  const byPiece = new Map<Piece, Group>();
  for (const group of groups) {
    yield;
    for (const piece of group.pieces) byPiece.set(piece, group);
  }
  const moved = new Set<Piece>();
  for (let n = 0; n < MOST_MOVES; n++) {
    const chosen = yield* relief(board, byPiece, moved);
    if (!chosen) break;
    moved.add(chosen.piece);
    take(byPiece.get(chosen.piece) as Group, chosen);
  }
  return { workloads: yield* spreads.rows(), moves, beyondBudget, left };
}

function* setUp({ nodes, pods, strategy }: RebalanceInput): Generator<undefined, Board, undefined> {
  const board = new Board(strategy);
  for (const [at, node] of nodes.entries()) {
    board.setNode(node);
    if (at % NODES_PER_LOOK === 0) yield;
  }
  for (const [at, pod] of pods.entries()) {
    board.put(pod);
    if (at % PODS_PER_LOOK === 0) yield;
  }
  return board;
}

function* groupsOf({ pods, book, reader }: RebalanceInput, board: Board): Generator<undefined, readonly Group[]> {
  const byOwner = new Map<string, Pod[]>();
  for (const [at, pod] of pods.entries()) {
    if (at % PODS_PER_LOOK === 0) yield;
    const uid = controllerOf(pod)?.uid;
    if (uid === undefined || isTerminal(pod)) continue;
    const group = byOwner.get(uid);
    if (group) group.push(pod);
    else byOwner.set(uid, [pod]);
  }
  const groups: Group[] = [];
  for (const [uid, copies] of byOwner) {
    const [first] = copies;
    if (!first) continue;
    const kept = book.keptBy(reader, first);
    const pieces = copies.flatMap((pod) => board.pieces.get(keyOf(pod)) ?? []);
    yield;
    const left = whyLeft(kept, copies) ?? (yield* whyAnchored(board, pieces));
    groups.push({ uid, name: workloadNameOf(first), kept, pieces, left });
    yield;
  }
  return groups.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.uid < b.uid ? -1 : 1));
}

function* whyAnchored(board: Board, pieces: readonly Piece[]): Generator<undefined, string | undefined, undefined> {
  for (const [at, piece] of pieces.entries()) {
    if (at % PODS_PER_LOOK === 0) yield;
    if (board.isAnchor(piece)) return "others have to be where it is";
  }
  return undefined;
}

/** Those with two copies more in one place than in another, the most uneven first. */
function* unevenFirst(spreads: Spreads, groups: readonly Group[]): Generator<undefined, readonly Group[]> {
  const rated: { readonly group: Group; readonly skew: number }[] = [];
  for (const group of groups) {
    rated.push({ group, skew: spreads.skew(group) });
    yield;
  }
  // Sorting keeps the order of equals, which is by name.
  return rated
    .filter(({ skew }) => skew >= 2)
    .sort((a, b) => b.skew - a.skew)
    .map(({ group }) => group);
}

/** One copy per node, from the nodes with most copies; of equals, the fuller node. A node that is not open is left to a drain. */
function sourcesOf(board: Board, { pieces }: Group): readonly Piece[] {
  const open = new Map(board.openNodes.map((node) => [node.name, node]));
  const byNode = new Map<string, Piece[]>();
  for (const piece of pieces) {
    const here = byNode.get(piece.nodeName);
    if (here) here.push(piece);
    else if (open.has(piece.nodeName)) byNode.set(piece.nodeName, [piece]);
  }
  const load = (name: string) => open.get(name)?.load ?? 0;
  return [...byNode]
    .sort(([a, x], [b, y]) => y.length - x.length || load(b) - load(a) || (a < b ? -1 : 1))
    .slice(0, SOURCES_TRIED)
    .flatMap(([, here]) => here[0] ?? []);
}

/** The copy that gains most; of equals, the first. */
function* bestOf(board: Board, pieces: readonly Piece[]): Generator<undefined, Chosen | undefined, undefined> {
  let best: Chosen | undefined;
  for (const piece of pieces) {
    yield;
    const option = board.option(piece);
    if (option && option.gain >= WORTH_MOVING && option.gain > (best?.option.gain ?? 0)) best = { piece, option };
  }
  return best;
}

/** A copy whose going would make a crowded node less so. */
function* relief(
  board: Board,
  groups: ReadonlyMap<Piece, Group>,
  moved: ReadonlySet<Piece>,
): Generator<undefined, Chosen | undefined, undefined> {
  yield;
  const nodes = board.openNodes;
  const least = Math.min(...nodes.map(({ load }) => load));
  const crowded = nodes.filter(({ load }) => load - least >= WORTH_MOVING).toSorted((a, b) => b.load - a.load);
  for (const node of crowded) {
    const here = [...node.pods.keys()].flatMap((key) => board.pieces.get(key) ?? []);
    const free = here.filter(
      (piece) => groups.get(piece)?.left === undefined && groups.has(piece) && !moved.has(piece),
    );
    const largest = free.toSorted((a, b) => weight(b) - weight(a) || (a.key < b.key ? -1 : 1)).slice(0, PODS_TRIED);
    const chosen = yield* bestOf(board, largest);
    if (chosen) return chosen;
  }
  return undefined;
}

function weight({ placed: { demand } }: Piece): number {
  // A core and four gibibytes weigh alike: the usual make of a host.
  return demand.cpuMillis / 1000 + demand.memoryBytes / (4 * 2 ** 30);
}

function asMove({ name }: Group, { key, pod, nodeName }: Piece, { to, gain }: Option): PlannedMove {
  return { pod: key, uid: pod.metadata.uid, workload: name, from: nodeName, to, gain: Math.round(gain / 10_000) };
}
