/** `styr uninstall`: everything of styr on this host goes, and the cluster is told, so that what ran here is replaced at once. */
import { existsSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FileRecord } from "../../agent/local-record.ts";
import { silentLog } from "../../seams/log.ts";
import { postJson } from "../../trust/pinned-request.ts";
import { down } from "../down.ts";
import { readPlace } from "../instance.ts";
import { identityFiles, type Membership, readMembership } from "../membership.ts";
import { foldersOf } from "../node-side.ts";
import { removeState } from "../remove-state.ts";
import { removeService, serviceName } from "../service/service.ts";
import type { Settings } from "../settings.ts";
import { type Pair, readIfThere, readPair } from "../trust/pair-files.ts";

/** What will go, in words for whoever has to say yes. */
export async function whatGoes(settings: Settings): Promise<readonly string[]> {
  const { stateDir } = settings;
  const membership = await readMembership(stateDir);
  const pods = await new FileRecord(foldersOf(stateDir).record, silentLog).load();
  const hasStore = existsSync(join(stateDir, "store.db"));
  return [
    ...(membership ? [`this host leaves its cluster, where it is the ${membership.role} ${membership.nodeName}`] : []),
    `${pods.length} ${pods.length === 1 ? "pod" : "pods"} on this host, with all containers, processes, units and volumes of styr`,
    `the network ${settings.networkName}, the cgroup ${settings.cgroupRoot}, the keeper, the service ${serviceName(settings)}`,
    `${stateDir}, with its keys${hasStore ? " and THE STORE: all that this cluster was asked to run" : ""}`,
  ];
}

/** Runs again after a failure: it goes on where it was. */
export async function uninstall(
  settings: Settings,
  say: (line: string) => void,
  options: { readonly force: boolean },
): Promise<void> {
  const { stateDir } = settings;
  const place = await readPlace(stateDir);
  const membership = await readMembership(stateDir);
  await removeService(settings, say);
  // When nothing runs here any more, so that nothing runs twice; and before the files go, whatever becomes of those.
  const stopped = async () => {
    if (membership) await leave(membership, await readProof(stateDir), say);
  };
  await down(settings, place, say, { ...options, stopped });
  if (existsSync(stateDir) && !place) await removeState(stateDir, say);
}

interface Proof {
  readonly caPem: string;
  readonly node: Pair;
  /** Of a server's host: it may remove itself from the list of servers. */
  readonly admin: Pair | undefined;
}

async function readProof(stateDir: string): Promise<Proof | undefined> {
  const { ca, nodeCert, nodeKey } = identityFiles(stateDir);
  const at = (name: string) => join(stateDir, "pki", name);
  const [caPem, node] = [await readIfThere(ca), await readPair(nodeCert, nodeKey)];
  if (caPem === undefined || !node) return undefined;
  return { caPem, node, admin: await readPair(at("admin.crt"), at("admin.key")) };
}

/** Best effort: a host that is gone is gone, whoever hears of it. */
async function leave(membership: Membership, proof: Proof | undefined, say: (line: string) => void): Promise<void> {
  const { nodeName, servers } = membership;
  const problems: string[] = [];
  for (const server of proof ? servers : []) {
    if (!proof) break;
    try {
      const { status, text } = await postJson(new URL("/styr/v1/leave", server), proof.caPem, {}, proof.node);
      if (![204, 401].includes(status)) throw new Error(`${server} answered ${status}: ${text.slice(0, 200)}`);
      if (membership.role === "server" && proof.admin) await forgetServer(server, nodeName, proof.caPem, proof.admin);
      if (status === 401)
        return say(
          `the cluster does not take this host's certificate any more; should styr nodes still show it: styr forget ${nodeName}`,
        );
      return say(`the cluster knows that ${nodeName} has left`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  say(
    `the cluster could not be told (${problems.join("; ") || "this host had no certificate"}); on a server run: styr forget ${nodeName}`,
  );
}

const FORGET_WITHIN_MS = 20_000;

/** The others take a server for running until they have not heard it for some seconds. */
async function forgetServer(server: string, name: string, ca: string, pair: Pair): Promise<void> {
  const deadline = performance.now() + FORGET_WITHIN_MS;
  for (;;) {
    const status = await askToForget(new URL(`/styr/v1/servers/${encodeURIComponent(name)}`, server), ca, pair);
    if (status === 204 || status === 404) return;
    if (status !== 409 || performance.now() > deadline)
      throw new Error(`${server} answered ${status} when server ${name} was to be forgotten`);
    await delay(1000);
  }
}

function askToForget(url: URL, ca: string, { certPem, keyPem }: Pair): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "DELETE", ca, cert: certPem, key: keyPem, agent: false, timeout: 15_000 });
    sent.on("timeout", () => sent.destroy(new Error("no answer within 15 s")));
    sent.on("error", reject);
    sent.on("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.end();
  });
}
