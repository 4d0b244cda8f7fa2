/** Encryption between hosts: WireGuard's device, with this node's key. The key never stands on a command line. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError, type Commands } from "../../seams/commands.ts";
import { type HostNet, HostNetError } from "./host-net.ts";
import { type NetNames, tunnelAddressOf } from "./names.ts";
import type { PeerPlan } from "./plan.ts";

/** UDP, as WireGuard's own documentation has it. */
export const WIREGUARD_PORT = 51_820;

export interface WireguardKeys {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Whether the kernel takes such a device, found by asking for one; it stays. In words why not. */
export async function whyNoWireguard(
  host: HostNet,
  commands: Commands,
  { wireguard }: NetNames,
): Promise<string | undefined> {
  try {
    await commands.run("wg", ["--version"]);
    if ((await host.tunnel(wireguard)) === undefined) await host.ip("link", "add", wireguard, "type", "wireguard");
    return undefined;
  } catch (error) {
    if (error instanceof CommandError || error instanceof HostNetError) return error.message;
    throw error;
  }
}

/** Made once, and kept where only the owner reads. */
export async function wireguardKeys(commands: Commands, folder: string): Promise<WireguardKeys> {
  const path = join(folder, "wireguard.key");
  const privateKey = (await readIfThere(path)) ?? (await newKey(commands, path, folder));
  const { stdout } = await commands.run("wg", ["pubkey"], { input: `${privateKey}\n` });
  return { privateKey, publicKey: stdout.trim() };
}

async function newKey(commands: Commands, path: string, folder: string): Promise<string> {
  const { stdout, exitCode, stderr } = await commands.run("wg", ["genkey"]);
  if (exitCode !== 0) throw new HostNetError(`wg genkey: ${stderr.trim()}`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, stdout, { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
  return stdout.trim();
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

export interface WireguardWish {
  readonly podRange: string;
  readonly keys: WireguardKeys;
  readonly mtu: number;
  readonly peers: readonly PeerPlan[];
}

/** Peers that stay keep their sessions: `wg syncconf` changes only what differs. */
export async function ensureWireguard(
  host: HostNet,
  commands: Commands,
  { wireguard }: NetNames,
  wish: WireguardWish,
): Promise<void> {
  await host.ip("link", "set", wireguard, "mtu", String(wish.mtu));
  await host.ip("addr", "replace", `${tunnelAddressOf(wish.podRange)}/32`, "dev", wireguard);
  const { exitCode, stderr } = await commands.run("wg", ["syncconf", wireguard, "/dev/stdin"], {
    input: wireguardText(wish),
  });
  if (exitCode !== 0) throw new HostNetError(`wg syncconf ${wireguard}: ${stderr.trim()}`);
  await host.ip("link", "set", wireguard, "up");
}

/** As wg(8) reads it. Pure. */
export function wireguardText({ keys, peers }: Pick<WireguardWish, "keys" | "peers">): string {
  const own = `[Interface]\nPrivateKey = ${keys.privateKey}\nListenPort = ${WIREGUARD_PORT}\n`;
  const others = peers
    .filter(({ mode }) => mode === "wireguard")
    .map(
      ({ wireguardKey, address, podRange }) =>
        `[Peer]\nPublicKey = ${wireguardKey}\nEndpoint = ${address}:${WIREGUARD_PORT}\nAllowedIPs = ${podRange}\n`,
    );
  return [own, ...others].join("");
}
