/** What HAProxy takes of what it should do. */
import {
  badCertificates,
  culprits,
  type Generation,
  type GenerationInput,
  generationOf,
  writeGeneration,
} from "./generation.ts";
import type { HaProxy } from "./haproxy.ts";
import type { WayInPlan } from "./plan.ts";
import { without } from "./without.ts";

export interface Checked {
  readonly generation: Generation;
  readonly plan: WayInPlan;
  readonly left: readonly LeftOut[];
}

export interface LeftOut {
  /** Name of a backend, or line of the list of certificates. */
  readonly what: string;
  readonly words: string;
}

/** Each is a run of `haproxy -c` over the whole configuration. */
const MOST_CHECKS = 50;

/** What HAProxy takes: without those backends that it names, if it does. One bad route is no trouble of the others. */
export async function checked(haproxy: HaProxy, wanted: Generation, input: GenerationInput): Promise<Checked> {
  let [generation, { plan, certificates }] = [wanted, input];
  const left: LeftOut[] = [];
  for (let checks = 1; ; checks++) {
    const config = await writeGeneration(generation);
    const problem = await haproxy.problemOf(config);
    if (problem === undefined) break;
    const bad = culprits(problem, generation.config, plan.backends);
    const lines = new Set(badCertificates(problem, certificates));
    const words = firstAlert(problem);
    if (bad.length + lines.size === 0 || checks >= MOST_CHECKS)
      throw new Error(`HAProxy refuses the configuration: ${words}`);
    const say = (what: string, whose: string) =>
      left.push({ what, words: `${whose} is left out: HAProxy says ${words}` });
    for (const { name, source } of bad) say(name, source);
    for (const line of lines) say(line, `the certificate of ${line.split(" ")[1]}`);
    plan = without(plan, new Set(bad.map(({ name }) => name)));
    certificates = linesWithout(certificates, lines);
    generation = generationOf({ ...input, plan, certificates });
  }
  return { generation, plan, left };
}

export function linesWithout(text: string, lines: ReadonlySet<string>): string {
  return text
    .split("\n")
    .filter((line) => !lines.has(line))
    .join("\n");
}

function firstAlert(words: string): string {
  const alert = words.split("\n").find((line) => line.includes("[ALERT]")) ?? words;
  return alert
    .replace(/^\[ALERT\]\s*\(\d+\) : (?:config : )?/, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 400);
}
