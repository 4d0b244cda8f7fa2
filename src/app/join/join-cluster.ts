import { mkdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { SystemHost } from "../../agent/node-host.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Random } from "../../seams/random.ts";
import type { JoinAnswer, JoinRequest } from "../../trust/join-messages.ts";
import { fetchCa, postJson } from "../../trust/pinned-request.ts";
import { parseJoinToken } from "../../trust/token-text.ts";
import { keepPlace, readPlace } from "../instance.ts";
import { identityFiles, keepMembership, type Membership } from "../membership.ts";
import { foldersOf } from "../node-side.ts";
import type { Settings } from "../settings.ts";
import type { StorePlace } from "../store-place.ts";
import { type Pair, readIfThere, writePair, writeWhole } from "../trust/pair-files.ts";
import { keepServerKit } from "./keep-server-kit.ts";
import { joiningDir, standingOf } from "./standing.ts";

export interface JoinOptions {
  readonly settings: Settings;
  /** As given. */
  readonly url: string;
  readonly token: string;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Throws an Error with words that say what to do. */
export async function joinCluster(options: JoinOptions): Promise<Membership> {
  const { say, clock, settings } = options;
  const { stateDir } = settings;
  const token = parseJoinToken(options.token);
  const url = serverUrl(options.url);
  const before = await standingOf({ stateDir, url, pin: token.pin, nowMs: clock.now(), signal: options.signal });
  if (before) {
    say(`this host is part of the cluster already, as ${before.nodeName}`);
    await rm(joiningDir(stateDir), { recursive: true, force: true });
    return before;
  }
  // From here on nothing is believed but this CA.
  const caPem = await fetchCa(url, token.pin, options.signal);
  const keyPem = await keptKey(stateDir);
  const answer = await ask(url, caPem, await requestOf(options, keyPem), options);
  const membership = await settle(options, answer, keyPem);
  say(`joined the cluster ${answer.clusterId} as ${answer.nodeName} (${answer.role})`);
  return membership;
}

/** `https://HOST:7443`; scheme and port may be left out. */
function serverUrl(text: string): URL {
  const whole = /^[a-z]+:\/\//.test(text) ? text : `https://${text}`;
  if (!URL.canParse(whole)) throw new Error(`"${text}" is no address of a server; give https://HOST:7443`);
  const url = new URL(whole);
  if (url.protocol !== "https:") throw new Error(`hosts join over HTTPS; give https://${url.hostname}:7443`);
  const hasPort = /:\d+\/?$/.test(whole);
  if (!hasPort) url.port = "7443";
  url.pathname = "/";
  return url;
}

async function keptKey(stateDir: string): Promise<string> {
  const file = join(joiningDir(stateDir), "node.key");
  const known = await readIfThere(file);
  if (known !== undefined) return known;
  const { newKeyPem } = await import("../../trust/issue-certificate.ts");
  await mkdir(stateDir, { recursive: true, mode: 0o711 });
  await mkdir(joiningDir(stateDir), { mode: 0o700, recursive: true });
  const fresh = await newKeyPem();
  await writeWhole(file, fresh);
  return fresh;
}

async function requestOf(options: JoinOptions, keyPem: string): Promise<JoinRequest> {
  const { requestFor } = await import("../../trust/issue-certificate.ts");
  const { settings, token, version, clock, random } = options;
  const { agent } = foldersOf(settings.stateDir);
  await mkdir(agent, { recursive: true, mode: 0o711 });
  const { machineId } = await new SystemHost(agent, random).read();
  const csrPem = await requestFor(keyPem);
  const nodeName = settings.nodeName ?? hostname().toLowerCase();
  return { token: token.trim(), nodeName, machineId, csrPem, sentAtMs: clock.now(), version };
}

/** No server leads at the moment, many hosts ask at once, or the answer was lost: the same key may ask again. */
const PASSING: readonly number[] = [429, 503, 504];
const TRY_FOR_MS = 30_000;
const AGAIN_MS = 1000;

async function ask(url: URL, caPem: string, body: JoinRequest, { clock, signal }: JoinOptions): Promise<JoinAnswer> {
  const deadline = clock.monotonic() + TRY_FOR_MS;
  for (;;) {
    const now = { ...body, sentAtMs: clock.now() };
    const { status, text } = await postJson(new URL("/styr/v1/join", url), caPem, now, { signal });
    if (status === 200) return JSON.parse(text) as JoinAnswer;
    if (!PASSING.includes(status) || clock.monotonic() > deadline)
      throw new Error(refusalIn(text) ?? `the server answered ${status}: ${text.slice(0, 200)}`);
    await clock.sleep(AGAIN_MS, signal);
  }
}

function refusalIn(text: string): string | undefined {
  if (!text.startsWith("{")) return undefined;
  const { error } = JSON.parse(text) as { error?: { message?: string } };
  return error?.message;
}

/** Writes everything down; `cluster.json` comes last and makes it so. */
async function settle(options: JoinOptions, answer: JoinAnswer, keyPem: string): Promise<Membership> {
  const { settings, random } = options;
  const { stateDir } = settings;
  const { clusterId, nodeName, role, servers, certPem, caPem, serverKit } = answer;
  const files = identityFiles(stateDir);
  await mkdir(join(stateDir, "pki"), { recursive: true, mode: 0o700 });
  const pair: Pair = { certPem, keyPem };
  if (serverKit) {
    const store = await keepServerKit(stateDir, caPem, serverKit);
    await rememberStore(settings, store, random);
  } else {
    await writeWhole(files.ca, caPem, 0o644);
  }
  await writePair(files.nodeCert, files.nodeKey, pair);
  const membership: Membership = { clusterId, nodeName, role, servers };
  await keepMembership(stateDir, membership);
  await rm(joiningDir(stateDir), { recursive: true, force: true });
  return membership;
}

/** As `styr up` does at its start: later commands find the store without being told. */
async function rememberStore(settings: Settings, store: StorePlace, random: Random): Promise<void> {
  const { stateDir, networkName: network, cgroupRoot: cgroup, podRange, clusterNetwork, wayInGiven } = settings;
  const known = (await readPlace(stateDir))?.dockerHost;
  const dockerHost = settings.dockerHost ?? known ?? "unix:///var/run/docker.sock";
  await keepPlace(stateDir, { network, cgroup, podRange, clusterNetwork, dockerHost, store, ...wayInGiven }, random);
}
