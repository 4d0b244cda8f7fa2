/** The settings of the cluster as people write them: names, units, and the rules between them. Pure. */
import { parseDurationMs } from "../lib/duration.ts";
import type { ClusterSettingsSpec } from "./cluster-settings.ts";

type Unit = "duration" | "share" | "count" | "rate" | "switch" | "url" | "email";

export type SettingValue = number | boolean | string;

export interface SettingName {
  readonly name: string;
  readonly field: keyof ClusterSettingsSpec;
  readonly unit: Unit;
  readonly words: string;
}

/** One row per field: the compiler asks for it. In the order in which they are listed. */
const ROWS: Readonly<Record<keyof ClusterSettingsSpec, readonly [name: string, unit: Unit, words: string]>> = {
  heartbeatMs: ["heartbeat", "duration", "nodes say that they live this often"],
  suspectAfterMs: ["suspect-after", "duration", "silent for so long, a node is shown as suspect"],
  avoidAfterMs: ["avoid-after", "duration", "silent for so long and not reached: connections go to other nodes"],
  unreachableAfterMs: ["unreachable-after", "duration", "silent for so long, its pods are replaced"],
  exclusiveAfterMs: ["exclusive-after", "duration", "silent for so long, its exclusive pods may start elsewhere"],
  rebootGraceMs: ["reboot-grace", "duration", "a node that said goodbye is waited for"],
  startGraceMs: ["start-grace", "duration", "after its own start the server takes nobody for lost"],
  goneAfterMs: ["gone-after", "duration", "unreachable for so long, what was replaced is forgotten"],
  brakeShare: ["brake-share", "share", "the brake: more than this share of the nodes, or of a zone's"],
  brakeAtLeast: ["brake-at-least", "count", "the brake: and at least so many"],
  brakeWindowMs: ["brake-window", "duration", "the brake: silent within this time"],
  movesBurst: ["moves-burst", "count", "pods replaced at once"],
  movesPerSecond: ["moves-per-second", "rate", "and then per second"],
  workloadMovesBurst: ["workload-moves-burst", "count", "pods of one workload replaced at once"],
  workloadMovesPerSecond: ["workload-moves-per-second", "rate", "and then per second"],
  kubernetesDefaultTolerations: [
    "kubernetes-default-tolerations",
    "switch",
    "add the tolerations of 300 s that Kubernetes adds to every pod",
  ],
  requestsPerSecond: ["requests-per-second", "rate", "requests of one user; more are answered with 429"],
  requestsBurst: ["requests-burst", "count", "and so many at once after a rest"],
  streamsEach: ["streams-each", "count", "watches, followed logs and commands open at once, of one user"],
  streamsInAll: ["streams-in-all", "count", "and of all users"],
  servicePortsPerNamespace: ["service-ports-per-namespace", "count", "ports of all Services of one namespace together"],
  serviceEndpointsPerNamespace: [
    "service-endpoints-per-namespace",
    "count",
    "endpoints times ports of all Services of one namespace; more are not told to nodes",
  ],
  routesPerNamespace: ["routes-per-namespace", "count", "routes of all Ingresses and exposures of one namespace"],
  policyPeersPerNamespace: [
    "policy-peers-per-namespace",
    "count",
    "peers and ports of all NetworkPolicies of one namespace; a policy, or a peer of several namespaces, is ten",
  ],
  auditFiles: ["audit-files", "count", "files that each server keeps of its audit log"],
  auditFileMib: ["audit-file-mib", "count", "and how large each becomes, in MiB"],
  acmeTermsAccepted: ["acme-terms-accepted", "switch", "certificates may be ordered: you accept the authority's terms"],
  acmeDirectory: ["acme-directory", "url", "the authority that certificates are ordered from"],
  acmeEmail: ["acme-email", "email", "where it writes to"],
};

export const SETTING_NAMES: readonly SettingName[] = Object.entries(ROWS).map(([field, [name, unit, words]]) => ({
  ...{ name, unit, words },
  field: field as keyof ClusterSettingsSpec,
}));

/** By its name, or by its field as `styr settings -o json` shows it. */
export function settingNamed(name: string): SettingName | undefined {
  return SETTING_NAMES.find((setting) => setting.name === name || setting.field === name);
}

const EXPECTED: Readonly<Record<Unit, string>> = {
  duration: "a duration such as 10s, 5m or 1h30m",
  share: "a share such as 0.5 or 50%",
  count: "a whole number",
  rate: "a number above 0",
  switch: "true or false",
  url: "a URL such as https://acme.example.org/directory",
  email: "an address such as web@example.org, or nothing",
};

/** The value of a setting from its text; a sentence when it is none. */
export function parseSetting({ name, unit }: SettingName, text: string): { value: SettingValue } | string {
  const value = parsed(unit, text.trim());
  return value === undefined ? `${name}=${text}: expected ${EXPECTED[unit]}` : { value };
}

function parsed(unit: Unit, text: string): SettingValue | undefined {
  switch (unit) {
    case "duration":
      return parseDurationMs(text);
    case "share":
      return text.endsWith("%") ? decimal(text.slice(0, -1), 100) : decimal(text, 1);
    case "count":
      return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
    case "rate":
      return decimal(text, 1);
    case "switch":
      return text === "true" ? true : text === "false" ? false : undefined;
    case "url":
    case "email":
      return isText(unit, text) ? text : undefined;
  }
}

function isText(unit: "url" | "email", text: string): boolean {
  if (unit === "email") return text === "" || /^[^\s@,<>]{1,64}@[^\s@,<>]{1,253}$/.test(text);
  return text.length <= 1024 && /^https?:\/\/\S+$/.test(text) && URL.canParse(text);
}

function decimal(text: string, divisor: number): number | undefined {
  return /^\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) / divisor : undefined;
}

/** As it can be given again: exact, in the largest unit that divides it. */
export function formatSetting({ unit }: SettingName, value: SettingValue): string {
  if (unit !== "duration" || typeof value !== "number") return String(value);
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
const RISING = ["heartbeatMs", "suspectAfterMs", "unreachableAfterMs", "exclusiveAfterMs", "goneAfterMs"] as const;
/** None may be less than unreachable-after. */
const GRACES = ["startGraceMs", "rebootGraceMs", "brakeWindowMs"] as const;

const LEAST_HEARTBEAT_MS = 100;
const SUSPECT_HEARTBEATS = 2;
/** A node stops its exclusive pods after half of the lease without an answer. */
const EXCLUSIVE_HEARTBEATS = 10;

/** All reasons why these settings cannot be meant; undefined when they can. */
export function settingsProblem(settings: ClusterSettingsSpec): string | undefined {
  const wrong = rangeProblems(settings);
  const problems = wrong.length > 0 ? wrong : [...orderProblems(settings), ...distanceProblems(settings)];
  return problems.length === 0 ? undefined : problems.join("; ");
}

function rangeProblems(settings: ClusterSettingsSpec): readonly string[] {
  return SETTING_NAMES.flatMap((setting) => rangeProblem(setting, settings) ?? []);
}

function rangeProblem(setting: SettingName, settings: ClusterSettingsSpec): string | undefined {
  const value = settings[setting.field];
  if (setting.unit === "url" || setting.unit === "email") {
    const isFine = typeof value === "string" && isText(setting.unit, value);
    return isFine ? undefined : `${setting.name}: expected ${EXPECTED[setting.unit]}`;
  }
  if (typeof value !== (setting.unit === "switch" ? "boolean" : "number") || Number.isNaN(value))
    return `${setting.name}: expected ${EXPECTED[setting.unit]}`;
  if (typeof value !== "number") return undefined;
  if (value <= 0 || !Number.isFinite(value)) return `${assigned(setting, settings)}: it must be more than 0`;
  if (setting.unit === "share" && value > 1) return `${setting.name}=${value}: a share is at most 1`;
  const isWhole = setting.unit === "rate" || setting.unit === "share" || Number.isInteger(value);
  return isWhole ? undefined : `${setting.name}=${value}: expected ${EXPECTED[setting.unit]}`;
}

function orderProblems(settings: ClusterSettingsSpec): readonly string[] {
  const wrong = RISING.flatMap((field, at) => {
    const next = RISING[at + 1];
    if (next === undefined || settings[field] < settings[next]) return [];
    return [`${nameOf(next)} must be more than ${nameOf(field)}`];
  });
  const all = RISING.map((field) => `${nameOf(field)} (${shown(field, settings)})`).join(" < ");
  return wrong.length === 0 ? [] : [...wrong, `this would be ${all}`];
}

/** The agent asks twice before it takes silence for an answer, and needs half of the exclusive lease for stopping. */
function distanceProblems(settings: ClusterSettingsSpec): readonly string[] {
  const { heartbeatMs, suspectAfterMs, unreachableAfterMs, exclusiveAfterMs } = settings;
  const short = GRACES.filter((field) => settings[field] < unreachableAfterMs);
  return [
    ...(heartbeatMs < LEAST_HEARTBEAT_MS ? ["heartbeat must be at least 100ms"] : []),
    ...(suspectAfterMs < SUSPECT_HEARTBEATS * heartbeatMs
      ? ["suspect-after must be at least two heartbeats: one may be late"]
      : []),
    ...(exclusiveAfterMs < EXCLUSIVE_HEARTBEATS * heartbeatMs
      ? [
          "exclusive-after must be at least ten heartbeats: a node stops its exclusive pods after half of it without an answer",
        ]
      : []),
    ...short.map((field) => `${nameOf(field)} must not be less than unreachable-after`),
  ];
}

function nameOf(field: keyof ClusterSettingsSpec): string {
  return ROWS[field][0];
}

function shown(field: keyof ClusterSettingsSpec, settings: ClusterSettingsSpec): string {
  const [name, unit, words] = ROWS[field];
  return formatSetting({ field, name, unit, words }, settings[field]);
}

function assigned({ name, field }: SettingName, settings: ClusterSettingsSpec): string {
  return `${name}=${shown(field, settings)}`;
}

/**
 * What else has to be chosen so that these settings can be meant, as `NAME=VALUE`: smaller times make room below, larger
 * ones above, and what was wished stays. Undefined when the wish contradicts itself.
 */
export function settingsRepair(
  settings: ClusterSettingsSpec,
  wished: readonly string[],
): readonly string[] | undefined {
  if (rangeProblems(settings).length > 0) return undefined;
  const repaired: Times = { ...settings };
  const free = (field: keyof Times) => !wished.includes(field);
  lower(repaired, free);
  raise(repaired, free);
  if (settingsProblem(repaired) !== undefined) return undefined;
  return SETTING_NAMES.filter(({ field }) => repaired[field] !== settings[field]).map((one) => assigned(one, repaired));
}

type Times = { -readonly [Field in keyof ClusterSettingsSpec]: ClusterSettingsSpec[Field] };

function lower(times: Times, free: (field: keyof Times) => boolean): void {
  const set = (field: (typeof RISING)[number], bound: number, most: number) => {
    if (free(field) && times[field] > most) times[field] = Math.floor(bound);
  };
  set("exclusiveAfterMs", times.goneAfterMs / 2, times.goneAfterMs - 1);
  for (const grace of GRACES.filter((field) => !free(field))) set("unreachableAfterMs", times[grace], times[grace]);
  set("unreachableAfterMs", times.exclusiveAfterMs / 2, times.exclusiveAfterMs - 1);
  set("suspectAfterMs", times.unreachableAfterMs / 2, times.unreachableAfterMs - 1);
  const most = Math.min(times.suspectAfterMs / SUSPECT_HEARTBEATS, times.exclusiveAfterMs / EXCLUSIVE_HEARTBEATS);
  set("heartbeatMs", most, most);
}

function raise(times: Times, free: (field: keyof Times) => boolean): void {
  const set = (field: (typeof RISING)[number] | (typeof GRACES)[number], bound: number, least: number) => {
    if (free(field) && times[field] < least) times[field] = bound;
  };
  const { heartbeatMs } = times;
  set("suspectAfterMs", SUSPECT_HEARTBEATS * heartbeatMs, SUSPECT_HEARTBEATS * heartbeatMs);
  set("unreachableAfterMs", 2 * times.suspectAfterMs, times.suspectAfterMs + 1);
  set("exclusiveAfterMs", 2 * times.unreachableAfterMs, times.unreachableAfterMs + 1);
  set("exclusiveAfterMs", EXCLUSIVE_HEARTBEATS * heartbeatMs, EXCLUSIVE_HEARTBEATS * heartbeatMs);
  set("goneAfterMs", 2 * times.exclusiveAfterMs, times.exclusiveAfterMs + 1);
  for (const grace of GRACES) set(grace, times.unreachableAfterMs, times.unreachableAfterMs);
}
