import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** What a host that has joined knows of its cluster: `cluster.json` of the state directory. Its keys lie in `pki/`. */
export interface Membership {
  readonly clusterId: string;
  /** Under which this host joined; also the name in its certificate. */
  readonly nodeName: string;
  /** What it joined as. A server runs an agent too, unless it was told not to. */
  readonly role: "agent" | "server";
  /** `https://HOST:PORT` of every server that was heard of last. */
  readonly servers: readonly string[];
}

const FILE = "cluster.json";

/** Undefined on a host that has not joined: one that was started by `styr up`, or never. */
export async function readMembership(stateDir: string): Promise<Membership | undefined> {
  try {
    return checked(JSON.parse(await readFile(join(stateDir, FILE), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Error(`${join(stateDir, FILE)} cannot be read: ${(error as Error).message}`);
  }
}

function checked(value: unknown): Membership {
  const { clusterId, nodeName, role, servers } = (value ?? {}) as Partial<Membership>;
  const isWhole =
    typeof clusterId === "string" && typeof nodeName === "string" && (role === "agent" || role === "server");
  if (!isWhole || !Array.isArray(servers))
    throw new Error("something is missing in it; join the cluster again: styr join");
  return value as Membership;
}

export async function keepMembership(stateDir: string, membership: Membership): Promise<void> {
  await mkdir(stateDir, { recursive: true, mode: 0o711 });
  const file = join(stateDir, FILE);
  await writeFile(`${file}.new`, `${JSON.stringify(membership, undefined, 2)}\n`, { flush: true, mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** PEM files of `pki/`: of the agent to prove which node it is, of a server to prove that it is one to the others. */
export function identityFiles(stateDir: string) {
  const at = (name: string) => join(stateDir, "pki", name);
  return {
    ca: at("ca.crt"),
    caKey: at("ca.key"),
    nodeCert: at("node.crt"),
    nodeKey: at("node.key"),
    serverCert: at("server.crt"),
    serverKey: at("server.key"),
    peerCert: at("peer.crt"),
    peerKey: at("peer.key"),
    /** Opens what is sealed in the store. */
    masterKey: at("master.key"),
  };
}
