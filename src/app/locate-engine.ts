/** Finds a Docker Engine for this node, or installs and starts the distribution's. Without one, everything that needs no Docker still runs. */
import { homedir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { findEngine } from "../doctor/find-engine.ts";
import { hasSystemd, isExecutable, readHostFacts } from "../doctor/host-facts.ts";
import { commandRunner, installEngine } from "../doctor/install-engine.ts";
import { daemonCommand, SYSTEM_ENGINE_HOST, startThroughSystemd } from "../doctor/start-engine.ts";
import type { KeeperClient } from "../drivers/keeper/keeper-client.ts";
import { environment } from "./environment.ts";
import { foldersOf } from "./node-side.ts";
import type { Settings } from "./settings.ts";
import type { UpIo } from "./up-io.ts";

export interface LocatedEngine {
  /** Where the engine is, or where it would be once there is one. */
  readonly dockerHost: string;
  readonly words: string;
}

/** The keeper's name for a daemon that we started. */
const DAEMON_ID = "styrmann/dockerd/0/main";
const DAEMON_STARTS_WITHIN_MS = 60_000;
/** Where one was before, nobody waits long: it is asked again for as long as the agent runs, and the cluster is to hear of this host. */
const KNOWN_MS = 1_000;

/** `known`: where the engine was when this directory was last used; what runs there is ours, so it is looked for first. */
export async function locateEngine(
  settings: Settings,
  keeper: KeeperClient,
  io: UpIo,
  known: string | undefined,
): Promise<LocatedEngine> {
  const remembered =
    settings.dockerHost === undefined && known !== undefined && known !== SYSTEM_ENGINE_HOST ? known : undefined;
  const asked = remembered === undefined ? settings : { ...settings, dockerHost: remembered };
  const found = await look(asked, known === undefined ? undefined : KNOWN_MS);
  if (found.found) return located(found);
  if (remembered !== undefined) return absent(remembered, `${found.message}; DOCKER_HOST chooses another`);
  if (settings.dockerHost !== undefined) return absent(settings.dockerHost, found.message);
  // It stands still, or begins: it is none that could be started.
  if (known !== undefined && found.silent !== undefined) return absent(found.silent, found.message);
  if (!settings.mayInstall)
    return absent(SYSTEM_ENGINE_HOST, `${found.message}; nothing is installed because of --no-install`);
  const path = process.env.PATH ?? "";
  if (!(await isExecutable("dockerd", path))) {
    io.say("There is no Docker Engine on this machine.");
    const facts = await readHostFacts({ stateDir: settings.stateDir, path });
    const outcome = await installEngine(facts, {
      run: commandRunner(environment()),
      progress: (line) => io.say(`  ${line}`),
    });
    io.say(outcome.message);
    if (!outcome.installed) return absent(SYSTEM_ENGINE_HOST, outcome.message);
  }
  return startDaemon(settings, keeper, io);
}

/** Ends the daemon that `startDaemon` gave to the keeper. False when there is none. */
export async function stopOwnDaemon(keeper: KeeperClient): Promise<boolean> {
  const daemon = (await keeper.list()).find(({ id, state }) => id === DAEMON_ID && state === "running");
  if (!daemon) return false;
  await keeper.signal(DAEMON_ID, 15);
  const deadline = performance.now() + DAEMON_STARTS_WITHIN_MS;
  while ((await keeper.list()).some(({ id, state }) => id === DAEMON_ID && state === "running")) {
    if (performance.now() > deadline) throw new Error("the Docker daemon does not end; run styr down again");
    await delay(100);
  }
  await keeper.forget(DAEMON_ID);
  return true;
}

/** Through systemd where that runs; else by the keeper, which outlives styr and starts it again when it crashes. */
async function startDaemon(settings: Settings, keeper: KeeperClient, io: UpIo): Promise<LocatedEngine> {
  io.say("starting the Docker Engine");
  const trouble = (await hasSystemd())
    ? await startThroughSystemd(commandRunner(environment()))
    : await startKept(settings, keeper);
  if (trouble !== undefined) return absent(SYSTEM_ENGINE_HOST, trouble);
  const deadline = performance.now() + DAEMON_STARTS_WITHIN_MS;
  for (;;) {
    const found = await look(settings);
    if (found.found) return located(found);
    if (io.signal.aborted || performance.now() > deadline)
      return absent(SYSTEM_ENGINE_HOST, `the Docker Engine was started and does not answer: ${found.message}`);
    await delay(200);
  }
}

async function startKept(settings: Settings, keeper: KeeperClient): Promise<string | undefined> {
  const { argv, env } = daemonCommand(process.env.PATH ?? "");
  const ended = (await keeper.list()).some(({ id, state }) => id === DAEMON_ID && state === "exited");
  if (ended) await keeper.forget(DAEMON_ID);
  const { error } = await keeper.spawn({
    ...{ id: DAEMON_ID, argv, env, cwd: "/", restart: "always" },
    cgroup: "dockerd",
    logDir: `${foldersOf(settings.stateDir).logs}/dockerd`,
  });
  return error;
}

function look(settings: Pick<Settings, "dockerHost">, timeoutMs?: number) {
  const { XDG_RUNTIME_DIR: runtimeDir } = process.env;
  return findEngine({
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(settings.dockerHost === undefined ? {} : { dockerHost: settings.dockerHost }),
    ...(runtimeDir === undefined ? {} : { runtimeDir }),
    home: homedir(),
  });
}

function located({ host, version }: { readonly host: string; readonly version: string }): LocatedEngine {
  return { dockerHost: host, words: `Docker ${version} at ${host}` };
}

function absent(dockerHost: string, why: string): LocatedEngine {
  return { dockerHost, words: `none (${why}); pods that need Docker wait, everything else runs` };
}
