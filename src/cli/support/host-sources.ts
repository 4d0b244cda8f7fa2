/** What is read on this host, whether a server answers or not. */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { arch, cpus, freemem, loadavg, release, totalmem, type, uptime } from "node:os";
import { join } from "node:path";
import { checks } from "../../doctor/checks.ts";
import { readHostFacts } from "../../doctor/host-facts.ts";
import { clientVersion } from "../client-version.ts";
import { json, type Source } from "./source.ts";

const MOST_LOG_BYTES = 2 * 1024 * 1024;
const LOGS = ["logs/styr.log", "logs/styr.log.1", "keeper/keeper.log"];

export function hostSources(stateDir: string, path: string): readonly Source[] {
  return [
    { about: "this program and this host", read: async () => [json("host/facts.json", host())] },
    { about: "checks of this host", read: () => doctor(stateDir, path) },
    { about: `the ends of styr's own logs below ${stateDir}`, read: async () => logs(stateDir) },
    {
      about: "where this host keeps what (place.json) and names of its files, without their contents",
      read: async () => places(stateDir),
    },
  ];
}

function host() {
  return {
    styr: clientVersion(),
    node: process.versions.node,
    system: {
      type: type(),
      release: release(),
      architecture: arch(),
      cpus: cpus().length,
      upSeconds: Math.round(uptime()),
    },
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    load: loadavg(),
    openSystem: readIfThere("/etc/os-release"),
    pressure: Object.fromEntries(["cpu", "memory", "io"].map((name) => [name, readIfThere(`/proc/pressure/${name}`)])),
    mounts: readIfThere("/proc/self/mounts")
      ?.split("\n")
      .filter((line) => /cgroup|overlay| \/ /.test(line))
      .slice(0, 40),
    limits: readIfThere("/proc/self/limits"),
  };
}

async function doctor(stateDir: string, path: string) {
  const facts = await readHostFacts({ stateDir, path });
  return [json("host/checks.json", { facts, results: checks.map((check) => check(facts)) })];
}

function logs(stateDir: string) {
  const there = LOGS.filter((name) => existsSync(join(stateDir, name)));
  if (there.length === 0) throw new Error(`there are none below ${stateDir} (--state DIR, STYR_STATE)`);
  return there.map((name) => ({ path: name, text: endOf(join(stateDir, name)) }));
}

function places(stateDir: string) {
  const place = readIfThere(join(stateDir, "place.json"));
  const names = existsSync(stateDir) ? readdirSync(stateDir).sort() : [];
  return [json("host/state.json", { stateDir, names, place: place === undefined ? undefined : withoutStore(place) })];
}

/** The store's address may have a user in it. */
function withoutStore(text: string): unknown {
  const { store: _, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return rest;
}

/** From the beginning of a line on. */
function endOf(path: string): string {
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, MOST_LOG_BYTES));
    readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const text = bytes.toString("utf8");
    return size > bytes.length ? text.slice(text.indexOf("\n") + 1) : text;
  } finally {
    closeSync(file);
  }
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8").slice(0, 64 * 1024) : undefined;
}
