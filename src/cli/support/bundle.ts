/** Puts a bundle together: what could be had, without secrets, and a page that says what is in it and what is not. */
import { REDACTED, redactText } from "../../lib/redact.ts";
import type { TarFile } from "../../lib/tar.ts";
import type { Source } from "./source.ts";

export interface Bundle {
  readonly files: readonly TarFile[];
  /** What could not be had, in words. */
  readonly missing: readonly string[];
}

const REMOVED = `What was taken out of it
  values of Secrets and ConfigMaps, of every environment variable, and of the headers of probes (their names are there)
  tokens, passwords, private keys, credentials and signatures in URLs, by their form and by the names and options before them
  kinds that no API shows: users, join tokens, the CA, keys of secrets
  what containers print: no line of it is here
Names of workloads, nodes, images, hosts and addresses, and commands with what else is in them (also a secret that nothing before it tells), are here. Look through it before you give it away.
`;

/** `known`: secrets that this host knows, which are taken out wherever they stand. */
export async function bundleOf(sources: readonly Source[], known: readonly string[]): Promise<Bundle> {
  const files: TarFile[] = [];
  const had: string[] = [];
  const whyNot = new Map<string, string[]>();
  for (const { about, read } of sources) {
    try {
      const found = await read();
      files.push(...found);
      if (found.length > 0) had.push(`${about}: ${found.map(({ path }) => path).join(", ")}`);
    } catch (error) {
      const why = clean((error as Error).message, known);
      whyNot.set(why, [...(whyNot.get(why) ?? []), about]);
    }
  }
  // A server that is away is one reason for many things, and is said once.
  const missing = [...whyNot].map(([why, abouts]) => `${abouts.join("; ")}: ${why}`);
  const cleaned = files.map(({ path, text }) => ({ path, text: clean(text, known) }));
  return { files: [{ path: "README.txt", text: readme(had, missing) }, ...cleaned], missing };
}

function clean(text: string, known: readonly string[]): string {
  return known.reduce((all, secret) => all.replaceAll(secret, REDACTED), redactText(text));
}

function readme(had: readonly string[], missing: readonly string[]): string {
  const list = (rows: readonly string[]) => rows.map((row) => `  ${row}\n`).join("");
  const without = missing.length === 0 ? "" : `\nWhat could not be had\n${list(missing)}`;
  return `A support bundle of Styrmann\n\nWhat is in it\n${list(had)}${without}\n${REMOVED}`;
}
