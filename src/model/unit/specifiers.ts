import { parseUnitName, unescapeUnitName } from "./unit-name.ts";

/** What specifiers need to know of the host. Those whose fact is absent stay as they are written. */
export interface HostFacts {
  readonly hostname?: string;
  readonly machineId?: string;
  readonly bootId?: string;
  readonly kernelRelease?: string;
  /** Node's or systemd's name: `x64` and `x86-64` are both taken. */
  readonly architecture?: string;
  /** For MemoryMax= in percent. */
  readonly memoryBytes?: number;
}

/** `%` specifiers of the system manager (systemd.unit(5)), which runs as root whatever User= says. An unknown one stays. */
export function expandSpecifiers(text: string, unitName: string, facts: HostFacts = {}): string {
  if (!text.includes("%")) return text;
  const values = specifierValues(unitName, facts);
  return text.replace(/%(.)/gsu, (written, letter: string) => values[letter]?.() ?? written);
}

function specifierValues(unitName: string, facts: HostFacts): Record<string, () => string | undefined> {
  const { full, prefix, instance = "", suffix } = parseUnitName(unitName);
  const finalPart = prefix.slice(prefix.lastIndexOf("-") + 1);
  return {
    "%": () => "%",
    n: () => full,
    N: () => (suffix === "" ? full : full.slice(0, -suffix.length - 1)),
    p: () => prefix,
    P: () => unescapeUnitName(prefix),
    i: () => instance,
    I: () => unescapeUnitName(instance),
    j: () => finalPart,
    J: () => unescapeUnitName(finalPart),
    f: () => `/${unescapeUnitName(instance === "" ? prefix : instance).replace(/^\/+/, "")}`,
    t: () => "/run",
    S: () => "/var/lib",
    C: () => "/var/cache",
    L: () => "/var/log",
    E: () => "/etc",
    T: () => "/tmp",
    V: () => "/var/tmp",
    u: () => "root",
    U: () => "0",
    g: () => "root",
    G: () => "0",
    h: () => "/root",
    s: () => "/bin/sh",
    H: () => facts.hostname,
    l: () => facts.hostname?.split(".")[0],
    m: () => facts.machineId?.replaceAll("-", ""),
    b: () => facts.bootId?.replaceAll("-", ""),
    v: () => facts.kernelRelease,
    a: () => (facts.architecture === "x64" ? "x86-64" : facts.architecture),
  };
}
