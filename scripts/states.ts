/**
 * Writes docs/states.md from the tables of moves in the code, so that the page cannot say anything else than the program does.
 * `node scripts/states.ts` prints it, `--write` replaces the file; states.test.ts fails while the two differ.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PHASE_MOVES, STAGE_MOVES } from "../src/agent/pod-machine.ts";
import { NODE_MEANINGS, NODE_MOVES } from "../src/controllers/node-lifecycle/node-moves.ts";
import { ACTIVE_STATE, SERVICE_MOVES, type SubState } from "../src/drivers/unit/service-state.ts";

export const STATES_FILE = join(import.meta.dirname, "../docs/states.md");

interface Move {
  readonly from: string;
  readonly to: readonly string[];
}

const INTRODUCTION = `# States

Written by \`node scripts/states.ts --write\` from the tables in the code; a test fails while this page differs from them.
Words that mean something else in another dialect are in the [glossary](glossary.md).`;

const STAGES = `## A pod on its node

\`STAGE_MOVES\` in \`src/agent/pod-machine.ts\`. The machine is pure: it looks at what is wanted and what is there, and names one
action with its reason. Within one life of the agent a pod only goes down this table; restarts of a container happen inside \`running\`. A new
agent goes through the stages before \`running\` again, after a reboot through \`running\` too; what has ended stays ended. The stage is the agent's own;
what clients read is the phase, below. In \`stopping\`, names and services stop leading to a pod before anything of it is
stopped, for at most 2 s and half of its grace; not when it has no grace, and not behind the fence. The words of \`styr ps\` are neither: they are derived from both, and have no moves ([own endpoints](api.md#workload)).`;

const PHASES = `## A pod's phase

\`PHASE_MOVES\` in \`src/agent/pod-machine.ts\`: Kubernetes' phases, and the moves an agent may report. A phase is on disk before it is
told. \`Unknown\` is not given by an agent in this version.`;

const NODES = `## A node

\`NODE_MOVES\` in \`src/controllers/node-lifecycle/node-moves.ts\`: what the control plane thinks of a node, by its heartbeats. The times are the defaults of
\`styr settings\`. *Suspect* and *restarting* are known to the control plane's memory only ([decision 11](decisions/0011-leases-in-memory.md)).`;

const SERVICE = `## A unit's service

\`SERVICE_MOVES\` and \`ACTIVE_STATE\` in \`src/drivers/unit/service-state.ts\`: systemd's sub states, with the active state that each
belongs to. A state in which there is nothing to run, or nobody to signal, is passed over; that is why most have several ways out.`;

/** The page as it has to be. */
export function statesPage(): string {
  return `${[
    INTRODUCTION,
    STAGES,
    moveTable(STAGE_MOVES),
    diagram(movesOf(STAGE_MOVES)),
    PHASES,
    table(["Phase", "May become"], phaseRows()),
    NODES,
    table(["State", "Means"], meaningRows()),
    moveTable(NODE_MOVES),
    diagram(movesOf(NODE_MOVES)),
    SERVICE,
    table(["Sub state", "Active state", "May become"], serviceRows()),
  ].join("\n\n")}\n`;
}

function moveTable(all: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const rows = Object.entries(all).flatMap(([from, moves]) =>
    Object.entries(moves).map(([to, why]) => [code(from), code(to), why]),
  );
  return table(["From", "To", "When"], rows);
}

function meaningRows(): readonly (readonly string[])[] {
  return Object.entries(NODE_MEANINGS).map(([state, words]) => [code(state), words]);
}

function phaseRows(): readonly (readonly string[])[] {
  return Object.entries(PHASE_MOVES).map(([from, to]) => [code(from), words(to)]);
}

function serviceRows(): readonly (readonly string[])[] {
  return Object.entries(SERVICE_MOVES).map(([from, to]) => [
    code(from),
    code(ACTIVE_STATE[from as SubState]),
    words(to),
  ]);
}

function movesOf(moves: Readonly<Record<string, Readonly<Record<string, string>>>>): readonly Move[] {
  return Object.entries(moves).map(([from, to]) => ({ from, to: Object.keys(to) }));
}

function diagram(moves: readonly Move[]): string {
  const lines = moves.flatMap(({ from, to }) => to.map((next) => `  ${from} --> ${next}`));
  return ["```mermaid", "stateDiagram-v2", ...lines, "```"].join("\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function words(states: readonly string[]): string {
  return states.length === 0 ? "nothing: it is final" : states.map(code).join(" ");
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(STATES_FILE, statesPage());
  else process.stdout.write(statesPage());
}
