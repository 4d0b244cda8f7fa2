/** Marathon's docker.parameters: options of `docker run` by their long names. Known ones become fields of the engine's API; others are refused. */
import { DriverError } from "../driver.ts";
import type { ContainerBody, HostConfig } from "./create-request.ts";

type Parameter = { readonly key: string; readonly value: string };
type Apply = (body: ContainerBody, value: string, refuse: (why: string) => never) => void;

/** Adds the parameters to `body`, in their order. Throws DriverError (not temporary) on one that is unknown or malformed. */
export function applyParameters(body: ContainerBody, parameters: readonly Parameter[]): void {
  for (const { key, value } of parameters) {
    const refuse = (why: string): never => {
      throw new DriverError(`docker parameter "${key}=${value}": ${why}`, {
        temporary: false,
        reason: "CreateContainerConfigError",
      });
    };
    const name = key.replace(/^--?/, "");
    const long = lookUp(SHORT, name) ?? name;
    const apply = lookUp(KNOWN, long);
    if (apply) apply(body, value, refuse);
    else refuse(lookUp(REFUSED, long) ?? `is not known here; known are ${Object.keys(KNOWN).sort().join(", ")}`);
  }
}

/** Names come from users: `constructor` must not find what every object has. */
function lookUp<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

const SHORT: Readonly<Record<string, string>> = {
  e: "env",
  h: "hostname",
  l: "label",
  m: "memory",
  net: "network",
  u: "user",
  v: "volume",
  w: "workdir",
  c: "cpu-shares",
  i: "interactive",
  t: "tty",
  "dns-opt": "dns-option",
};

const REFUSED: Readonly<Record<string, string>> = {
  name: "names are given by styr",
  publish: "give ports in portMappings, so that they are counted",
  p: "give ports in portMappings, so that they are counted",
  "publish-all": "give ports in portMappings, so that they are counted",
  restart: "restarts are styr's",
  rm: "removal is styr's",
  detach: "containers always run detached",
  d: "containers always run detached",
  "cgroup-parent": "every container is in its pod's cgroup",
  ip: "addresses are given by styr",
};

const KNOWN: Readonly<Record<string, Apply>> = {
  "add-host": (body, value) => push(body.HostConfig, "ExtraHosts", value),
  "blkio-weight": (body, value, refuse) => set(body, { BlkioWeight: whole(value, refuse) }),
  "cap-add": (body, value) => push(body.HostConfig, "CapAdd", value),
  "cap-drop": (body, value) => push(body.HostConfig, "CapDrop", value),
  "cpu-period": (body, value, refuse) => set(body, { CpuPeriod: whole(value, refuse) }),
  "cpu-quota": (body, value, refuse) => set(body, { CpuQuota: whole(value, refuse) }),
  "cpu-shares": (body, value, refuse) => set(body, { CpuShares: whole(value, refuse) }),
  cpus: (body, value, refuse) =>
    set(body, { CpuPeriod: 100_000, CpuQuota: Math.round(number(value, refuse) * 100_000) }),
  "cpuset-cpus": (body, value) => set(body, { CpusetCpus: value }),
  "cpuset-mems": (body, value) => set(body, { CpusetMems: value }),
  device: (body, value) => {
    const [host = "", inside = host, permissions = "rwm"] = value.split(":");
    push(body.HostConfig, "Devices", { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions });
  },
  dns: (body, value) => push(body.HostConfig, "Dns", value),
  "dns-option": (body, value) => push(body.HostConfig, "DnsOptions", value),
  "dns-search": (body, value) => push(body.HostConfig, "DnsSearch", value),
  entrypoint: (body, value) => {
    body.Entrypoint = [value];
  },
  env: (body, value) => {
    body.Env = [...(body.Env ?? []), value];
  },
  expose: (body, value) => {
    body.ExposedPorts = { ...body.ExposedPorts, [value.includes("/") ? value : `${value}/tcp`]: {} };
  },
  "group-add": (body, value) => push(body.HostConfig, "GroupAdd", value),
  hostname: (body, value) => {
    body.Hostname = value;
  },
  init: (body, value, refuse) => set(body, { Init: flag(value, refuse) }),
  interactive: (body, value, refuse) => {
    body.OpenStdin = flag(value, refuse);
  },
  ipc: (body, value) => set(body, { IpcMode: value }),
  label: (body, value, refuse) => {
    const [name, text] = pair(value);
    if (name.startsWith("dev.styrmann.")) refuse("labels dev.styrmann.* are styr's own");
    body.Labels = { ...body.Labels, [name]: text };
  },
  link: (body, value) => push(body.HostConfig, "Links", value),
  "log-driver": (body, value) => {
    body.HostConfig.LogConfig = { Type: value, Config: {} };
  },
  "log-opt": (body, value) => {
    const [name, text] = pair(value);
    const log = body.HostConfig.LogConfig ?? { Type: "", Config: {} };
    body.HostConfig.LogConfig = { ...log, Config: { ...log.Config, [name]: text } };
  },
  "mac-address": (body, value) => {
    body.MacAddress = value;
  },
  memory: (body, value, refuse) => set(body, { Memory: byteCount(value, refuse) }),
  "memory-reservation": (body, value, refuse) => set(body, { MemoryReservation: byteCount(value, refuse) }),
  "memory-swap": (body, value, refuse) => set(body, { MemorySwap: value === "-1" ? -1 : byteCount(value, refuse) }),
  "memory-swappiness": (body, value, refuse) => set(body, { MemorySwappiness: whole(value, refuse) }),
  network: (body, value) => {
    body.HostConfig.NetworkMode = value;
    delete body.NetworkingConfig;
  },
  "oom-kill-disable": (body, value, refuse) => set(body, { OomKillDisable: flag(value, refuse) }),
  "oom-score-adj": (body, value, refuse) => set(body, { OomScoreAdj: whole(value, refuse) }),
  pid: (body, value) => set(body, { PidMode: value }),
  "pids-limit": (body, value, refuse) => set(body, { PidsLimit: whole(value, refuse) }),
  privileged: (body, value, refuse) => set(body, { Privileged: flag(value, refuse) }),
  "read-only": (body, value, refuse) => set(body, { ReadonlyRootfs: flag(value, refuse) }),
  runtime: (body, value) => set(body, { Runtime: value }),
  "security-opt": (body, value) => push(body.HostConfig, "SecurityOpt", value),
  "shm-size": (body, value, refuse) => set(body, { ShmSize: byteCount(value, refuse) }),
  "stop-signal": (body, value) => {
    body.StopSignal = value;
  },
  sysctl: (body, value) => {
    const [name, text] = pair(value);
    body.HostConfig.Sysctls = { ...(body.HostConfig.Sysctls as Record<string, string> | undefined), [name]: text };
  },
  tmpfs: (body, value) => {
    const [path = "", ...options] = value.split(":");
    body.HostConfig.Tmpfs = {
      ...(body.HostConfig.Tmpfs as Record<string, string> | undefined),
      [path]: options.join(":"),
    };
  },
  tty: (body, value, refuse) => {
    body.Tty = flag(value, refuse);
  },
  ulimit: (body, value, refuse) => {
    const [, name = "", soft = "", hard = soft] =
      /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value) ?? refuse("want NAME=SOFT[:HARD]");
    push(body.HostConfig, "Ulimits", { Name: name, Soft: Number(soft), Hard: Number(hard) });
  },
  user: (body, value) => {
    body.User = value;
  },
  userns: (body, value) => set(body, { UsernsMode: value }),
  uts: (body, value) => set(body, { UTSMode: value }),
  volume: (body, value, refuse) => {
    if (!value.includes(":")) {
      body.Volumes = { ...body.Volumes, [value]: {} };
      return;
    }
    if (!/^[^:]+:\/[^:]*(?::[a-zA-Z,]+)?$/.test(value)) refuse("want HOST:CONTAINER[:OPTIONS] or CONTAINER");
    push(body.HostConfig, "Binds", value);
  },
  "volume-driver": (body, value) => set(body, { VolumeDriver: value }),
  "volumes-from": (body, value) => push(body.HostConfig, "VolumesFrom", value),
  workdir: (body, value) => {
    body.WorkingDir = value;
  },
};

function set(body: ContainerBody, fields: HostConfig): void {
  Object.assign(body.HostConfig, fields);
}

function push(config: HostConfig, field: string, value: unknown): void {
  config[field] = [...((config[field] as unknown[] | undefined) ?? []), value];
}

function pair(value: string): [string, string] {
  const at = value.indexOf("=");
  return at < 0 ? [value, ""] : [value.slice(0, at), value.slice(at + 1)];
}

function flag(value: string, refuse: (why: string) => never): boolean {
  if (["true", "1", "t", ""].includes(value.toLowerCase())) return true;
  if (["false", "0", "f"].includes(value.toLowerCase())) return false;
  return refuse("want true or false");
}

function number(value: string, refuse: (why: string) => never): number {
  return /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : refuse("want a number");
}

function whole(value: string, refuse: (why: string) => never): number {
  return /^-?\d+$/.test(value) ? Number(value) : refuse("want a whole number");
}

/** `512m`, `1g`, `64kb`: Docker's units are powers of 1024 (github.com/docker/go-units RAMInBytes). */
function byteCount(value: string, refuse: (why: string) => never): number {
  const [, digits = "", unit = ""] =
    /^(\d+(?:\.\d+)?)\s?([kmgtp]?)i?b?$/i.exec(value) ?? refuse("want a size such as 512m or 1g");
  return Math.floor(Number(digits) * 1024 ** " kmgtp".indexOf(unit.toLowerCase() || " "));
}
