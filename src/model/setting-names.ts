/** The settings of the cluster as people write them: names, units, and the rules between them. Pure. */
import { parseDurationMs } from "../lib/duration.ts";
import type { ClusterSettingsSpec } from "./cluster-settings.ts";

type Unit = "duration" | "share" | "count" | "rate" | "switch";

export interface SettingName {
  readonly name: string;
  readonly field: keyof ClusterSettingsSpec;
  readonly unit: Unit;
  readonly words: string;
}

export const SETTING_NAMES: readonly SettingName[] = [
  row("heartbeat", "heartbeatMs", "duration", "nodes say that they live this often"),
  row("suspect-after", "suspectAfterMs", "duration", "silent for so long, a node is shown as suspect"),
  row("unreachable-after", "unreachableAfterMs", "duration", "silent for so long, its pods are replaced"),
  row("exclusive-after", "exclusiveAfterMs", "duration", "silent for so long, its exclusive pods may start elsewhere"),
  row("reboot-grace", "rebootGraceMs", "duration", "a node that said goodbye is waited for"),
  row("start-grace", "startGraceMs", "duration", "after its own start the server takes nobody for lost"),
  row("gone-after", "goneAfterMs", "duration", "unreachable for so long, what was replaced is forgotten"),
  row("brake-share", "brakeShare", "share", "the brake: more than this share of the nodes, or of a zone's"),
  row("brake-at-least", "brakeAtLeast", "count", "the brake: and at least so many"),
  row("brake-window", "brakeWindowMs", "duration", "the brake: silent within this time"),
  row("moves-burst", "movesBurst", "count", "pods replaced at once"),
  row("moves-per-second", "movesPerSecond", "rate", "and then per second"),
  row("workload-moves-burst", "workloadMovesBurst", "count", "pods of one workload replaced at once"),
  row("workload-moves-per-second", "workloadMovesPerSecond", "rate", "and then per second"),
  row(
    "kubernetes-default-tolerations",
    "kubernetesDefaultTolerations",
    "switch",
    "add the tolerations of 300 s that Kubernetes adds to every pod",
  ),
];

function row(name: string, field: keyof ClusterSettingsSpec, unit: Unit, words: string): SettingName {
  return { name, field, unit, words };
}

export function settingNamed(name: string): SettingName | undefined {
  return SETTING_NAMES.find((setting) => setting.name === name);
}

const EXPECTED: Readonly<Record<Unit, string>> = {
  duration: "a duration such as 10s, 5m or 1h30m",
  share: "a share such as 0.5 or 50%",
  count: "a whole number",
  rate: "a number above 0",
  switch: "true or false",
};

/** The value of a setting from its text; a sentence when it is none. */
export function parseSetting({ name, unit }: SettingName, text: string): { value: number | boolean } | string {
  const value = parsed(unit, text.trim());
  return value === undefined ? `${name}=${text}: expected ${EXPECTED[unit]}` : { value };
}

function parsed(unit: Unit, text: string): number | boolean | undefined {
  switch (unit) {
    case "duration":
      return parseDurationMs(text);
    case "share":
      return text.endsWith("%") ? decimal(text.slice(0, -1), 100) : decimal(text, 1);
    case "count":
      return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
    case "rate":
      return decimal(text, 1);
    case "switch":
      return text === "true" ? true : text === "false" ? false : undefined;
  }
}

function decimal(text: string, divisor: number): number | undefined {
  return /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) / divisor : undefined;
}

/** As it can be given again: exact, in the largest unit that divides it. */
export function formatSetting({ unit }: SettingName, value: number | boolean): string {
  if (unit !== "duration" || typeof value === "boolean") return String(value);
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["m", 60_000],
    ["s", 1000],
  ] as const;
  const whole = units.find(([, ms]) => value > 0 && value % ms === 0);
  return whole ? `${value / whole[1]}${whole[0]}` : `${value}ms`;
}

/** Each has to be less than the next. */
const RISING = ["heartbeat", "suspect-after", "unreachable-after", "exclusive-after", "gone-after"] as const;

/** Why these settings cannot be meant, one sentence; undefined when they can. */
export function settingsProblem(settings: ClusterSettingsSpec): string | undefined {
  return rangeProblem(settings) ?? orderProblem(settings) ?? distanceProblem(settings);
}

function rangeProblem(settings: ClusterSettingsSpec): string | undefined {
  for (const setting of SETTING_NAMES) {
    const value = settings[setting.field];
    if (typeof value !== (setting.unit === "switch" ? "boolean" : "number") || Number.isNaN(value))
      return `${setting.name}: expected ${EXPECTED[setting.unit]}`;
    if (typeof value === "number" && (value <= 0 || !Number.isFinite(value)))
      return `${setting.name}=${shown(setting, settings)}: it must be more than 0`;
    if (setting.unit === "share" && typeof value === "number" && value > 1)
      return `${setting.name}=${value}: a share is at most 1`;
    const isWhole = setting.unit === "rate" || setting.unit === "share" || Number.isInteger(value);
    if (typeof value === "number" && !isWhole) return `${setting.name}=${value}: expected ${EXPECTED[setting.unit]}`;
  }
  return undefined;
}

function orderProblem(settings: ClusterSettingsSpec): string | undefined {
  const chain = RISING.flatMap((name) => settingNamed(name) ?? []);
  for (const [at, setting] of chain.entries()) {
    const next = chain[at + 1];
    if (next === undefined || settings[setting.field] < settings[next.field]) continue;
    const all = chain.map((one) => `${one.name} (${shown(one, settings)})`).join(" < ");
    return `${next.name} must be more than ${setting.name}; this would be ${all}`;
  }
  return undefined;
}

/** The agent asks twice before it takes silence for an answer, and needs half of the exclusive lease for stopping. */
function distanceProblem(settings: ClusterSettingsSpec): string | undefined {
  const { heartbeatMs, suspectAfterMs, unreachableAfterMs, exclusiveAfterMs } = settings;
  const { startGraceMs, rebootGraceMs, brakeWindowMs } = settings;
  if (heartbeatMs < 100) return "heartbeat must be at least 100ms";
  if (suspectAfterMs < 2 * heartbeatMs) return "suspect-after must be at least two heartbeats: one may be late";
  if (exclusiveAfterMs < 10 * heartbeatMs)
    return "exclusive-after must be at least ten heartbeats: a node stops its exclusive pods after half of it without an answer";
  const grace = { "start-grace": startGraceMs, "reboot-grace": rebootGraceMs, "brake-window": brakeWindowMs };
  const short = Object.entries(grace).find(([, ms]) => ms < unreachableAfterMs);
  return short && `${short[0]} must not be less than unreachable-after`;
}

function shown(setting: SettingName, settings: ClusterSettingsSpec): string {
  return formatSetting(setting, settings[setting.field]);
}
