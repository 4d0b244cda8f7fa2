/** Keys of [Service] that limit what a unit may take. */
import { defaultService, type RlimitSetting } from "./service-settings.ts";
import { type SettingRule, scalar } from "./setting-rule.ts";
import { parseBytes, parseInteger, parsePercent, parseTimeSpanMs } from "./values.ts";

const DEFAULTS = defaultService("");

export const LIMIT_RULES: Readonly<Record<string, SettingRule>> = {
  Nice: scalar("nice", DEFAULTS, within(-20, 19), "a whole number from -20 to 19"),
  OOMScoreAdjust: scalar("oomScoreAdjust", DEFAULTS, within(-1000, 1000), "a whole number from -1000 to 1000"),
  MemoryMax: memory,
  MemoryLimit: memory,
  CPUQuota: cpuQuota,
  CPUShares: scalar("cpuShares", DEFAULTS, within(2, 262_144), "a whole number from 2 to 262144"),
  CPUWeight: scalar("cpuWeight", DEFAULTS, cpuWeight, "a whole number from 1 to 10000"),
  TasksMax: tasksMax,
  LimitCPU: rlimit("cpu", seconds),
  LimitFSIZE: rlimit("fsize", parseBytes),
  LimitDATA: rlimit("data", parseBytes),
  LimitSTACK: rlimit("stack", parseBytes),
  LimitCORE: rlimit("core", parseBytes),
  LimitRSS: rlimit("rss", parseBytes),
  LimitNOFILE: rlimit("nofile", parseInteger),
  LimitAS: rlimit("as", parseBytes),
  LimitNPROC: rlimit("nproc", parseInteger),
  LimitMEMLOCK: rlimit("memlock", parseBytes),
  LimitLOCKS: rlimit("locks", parseInteger),
  LimitSIGPENDING: rlimit("sigpending", parseInteger),
  LimitMSGQUEUE: rlimit("msgqueue", parseBytes),
  LimitNICE: rlimit("nice", niceLimit),
  LimitRTPRIO: rlimit("rtprio", parseInteger),
  LimitRTTIME: rlimit("rttime", microseconds),
};

function within(least: number, most: number): (text: string) => number | undefined {
  return (text) => {
    const number = parseInteger(text);
    return number !== undefined && number >= least && number <= most ? number : undefined;
  };
}

function cpuWeight(text: string): number | undefined {
  return text === "idle" ? 1 : within(1, 10_000)(text);
}

/** Both spellings set one limit, the later line winning, as systemd does where cgroup v2 has no MemoryLimit=. */
function memory(...[draft, value, place]: Parameters<SettingRule>): void {
  const percent = parsePercent(value);
  const bytes = parseBytes(value);
  const isNone = value === "" || value === "infinity";
  const isUsable = isNone || (percent !== undefined && percent <= 100) || (bytes !== undefined && bytes > 0);
  if (!isUsable) {
    place.warn(`${place.key}=${value} is ignored: a size such as 512M, a percentage or infinity is expected`);
    return;
  }
  delete draft.memoryMaxBytes;
  delete draft.memoryMaxPercent;
  if (isNone) return;
  if (percent !== undefined) draft.memoryMaxPercent = percent;
  if (bytes !== undefined) draft.memoryMaxBytes = bytes;
  const ofNode = place.facts.memoryBytes;
  if (percent !== undefined && ofNode !== undefined) draft.memoryMaxBytes = Math.floor((ofNode * percent) / 100);
}

function cpuQuota(...[draft, value, place]: Parameters<SettingRule>): void {
  const percent = parsePercent(value);
  if (value === "") delete draft.cpuQuotaMillis;
  else if (percent !== undefined && percent > 0) draft.cpuQuotaMillis = Math.max(1, Math.round(percent * 10));
  else place.warn(`${place.key}=${value} is ignored: a percentage of one CPU such as 20% or 150% is expected`);
}

function tasksMax(...[draft, value, place]: Parameters<SettingRule>): void {
  const percent = parsePercent(value);
  const count = parseInteger(value);
  if (value === "" || value === "infinity") delete draft.tasksMax;
  else if (count !== undefined && count > 0) draft.tasksMax = count;
  // Of the kernel's default pid_max, which is what systemd measures by on a host that did not change it.
  else if (percent !== undefined && percent > 0) draft.tasksMax = Math.max(1, Math.floor((32_768 * percent) / 100));
  else place.warn(`${place.key}=${value} is ignored: a number of tasks or infinity is expected`);
}

function rlimit(name: string, parse: (text: string) => number | undefined): SettingRule {
  return (draft, value, place) => {
    const limits: Record<string, RlimitSetting> = { ...draft.rlimits };
    delete limits[name];
    const [soft = "", hard = soft] = value.split(":");
    const read = { soft: bound(soft, parse), hard: bound(hard, parse) };
    if (value === "") draft.rlimits = limits;
    else if (read.soft === undefined || read.hard === undefined || isAbove(read.soft, read.hard))
      place.warn(`${place.key}=${value} is ignored: a limit, soft:hard or infinity is expected`);
    else draft.rlimits = { ...limits, [name]: { soft: read.soft, hard: read.hard } };
  };
}

function bound(text: string, parse: (text: string) => number | undefined): number | "unlimited" | undefined {
  if (text.trim() === "infinity") return "unlimited";
  const value = parse(text.trim());
  return value !== undefined && value >= 0 ? value : undefined;
}

function isAbove(soft: number | "unlimited", hard: number | "unlimited"): boolean {
  return hard !== "unlimited" && (soft === "unlimited" || soft > hard);
}

function seconds(text: string): number | undefined {
  const ms = parseTimeSpanMs(text);
  return ms === undefined ? undefined : Math.ceil(ms / 1000);
}

/** A bare number is microseconds here. */
function microseconds(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const ms = parseTimeSpanMs(text);
  return ms === undefined ? undefined : Math.round(ms * 1000);
}

/** `+5` and `-5` are nice levels; a bare number is the kernel's raw value, 20 minus the level. */
function niceLimit(text: string): number | undefined {
  const number = parseInteger(text);
  if (number === undefined) return undefined;
  return /^[+-]/.test(text) ? 20 - number : number;
}
