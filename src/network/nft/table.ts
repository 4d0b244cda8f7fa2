/**
 * The one nftables table of a network on this host, `table ip <network>`. Several parts of the plane live in it, each with chains,
 * sets and maps of its own by prefix: `svc-` services, `pol-` policies, `net-` the pod network. Each has base chains of its own, and
 * touches nobody else's. One nft transaction is all or nothing, and packets see either the rules before or those after it.
 */
import { CommandError, type CommandResult, type Commands, CommandUnfinished } from "../../seams/commands.ts";

export class NftError extends Error {
  override readonly name = "NftError";
}

const LONGEST_MS = 30_000;

/** Nothing but nft shows what is in the kernel's tables: said wherever it is missing, for hosts that had it. */
export const UNSEEN_RULES =
  "rules that nft made here before stay in force, unseen and unchanged, until nft is there again";

/** As nft has names: letters, digits and `_ - .`, beginning with a letter. */
export function tableName(networkName: string): string {
  const name = networkName.replaceAll(/[^A-Za-z0-9_.-]/g, "_");
  return /^[A-Za-z]/.test(name) ? name : `n${name}`;
}

/** The statement that every transaction begins with: makes the table, or nothing when it is there. */
export function addTable(networkName: string): string {
  return `add table ip ${tableName(networkName)}\n`;
}

/** Runs one transaction. `script`: lines as `nft -f` reads them. Rejects with NftError, in nft's first words, and then nothing has changed. */
export async function runNft(commands: Commands, script: string): Promise<void> {
  const { exitCode, stderr } = await nft(commands, ["-f", "-"], script);
  if (exitCode !== 0) throw new NftError(firstWords(stderr) || `nft ended with ${exitCode}`);
}

/** Why nft, or the kernel, would not take this transaction; undefined: it would. Changes nothing. */
export async function whyRefused(commands: Commands, script: string): Promise<string | undefined> {
  const { exitCode, stderr } = await nft(commands, ["-c", "-f", "-"], script);
  return exitCode === 0 ? undefined : firstWords(stderr) || `nft ended with ${exitCode}`;
}

/** What `nft` prints; undefined when there is no such table, chain or set. */
export async function readNft(commands: Commands, args: readonly string[]): Promise<string | undefined> {
  const result = await nft(commands, args);
  if (result.exitCode === 0) return result.stdout;
  if (isNotThere(result)) return undefined;
  throw new NftError(firstWords(result.stderr) || `nft ended with ${result.exitCode}`);
}

/**
 * Whether this host has an nft that this process may use: undefined, or why not. Asked by a transaction that changes nothing: even for the
 * names of tables, nft 1.0.6 reads all that is in them. Rejects when nft does not end: one that is slow is there.
 */
export async function whyNoNft(commands: Commands): Promise<string | undefined> {
  try {
    const input = "add table ip styrmann-look\n";
    const { exitCode, stderr } = await commands.run("nft", ["-c", "-f", "-"], { input, timeoutMs: LONGEST_MS });
    return exitCode === 0 ? undefined : firstWords(stderr) || `nft ended with ${exitCode}`;
  } catch (error) {
    if (error instanceof CommandError && !(error instanceof CommandUnfinished)) return error.message;
    throw error;
  }
}

/** Takes away chains, sets and maps whose names begin with `prefix`, and the table when nothing else is in it. */
export async function removeFromTable(commands: Commands, networkName: string, prefix: string): Promise<void> {
  const table = tableName(networkName);
  const text = await readNft(commands, ["-t", "list", "table", "ip", table]);
  if (text === undefined) return;
  const objects = [...text.matchAll(/^\t(chain|set|map|ct timeout) (\S+) \{/gm)].map(([, kind = "", name = ""]) => ({
    kind,
    name,
  }));
  const ours = objects.filter(({ name }) => name.startsWith(prefix));
  const emptied = ours
    .filter(({ kind }) => kind !== "ct timeout")
    .map(({ kind, name }) => `flush ${kind} ip ${table} ${name}\n`);
  const gone = ours.map(({ kind, name }) => `delete ${kind} ip ${table} ${name}\n`);
  // Chains, then what their rules named; emptied first, because they name each other.
  const order = [
    ...gone.filter((line) => line.startsWith("delete chain")),
    ...gone.filter((line) => !line.startsWith("delete chain")),
  ];
  if (ours.length > 0) await runNft(commands, [...emptied, ...order].join(""));
  // Refused when somebody put something in meanwhile: then it is theirs.
  if (ours.length === objects.length) await commands.run("nft", ["delete", "table", "ip", table]);
}

async function nft(commands: Commands, args: readonly string[], input?: string): Promise<CommandResult> {
  try {
    return await commands.run("nft", args, { timeoutMs: LONGEST_MS, ...(input === undefined ? {} : { input }) });
  } catch (error) {
    if (!(error instanceof CommandError && error.isMissing)) throw error;
    throw new CommandError(`${error.message}; install nftables: ${UNSEEN_RULES}`, true);
  }
}

function isNotThere({ stderr }: CommandResult): boolean {
  return /No such file or directory/.test(stderr);
}

function firstWords(stderr: string): string {
  return stderr.trim().split("\n")[0]?.slice(0, 300) ?? "";
}
