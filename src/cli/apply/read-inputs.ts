import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseUnitName } from "../../model/unit/unit-name.ts";
import { InputError, type InputFile, type Item } from "./item.ts";
import { recognise } from "./recognise.ts";
import { UNIT_SUFFIX } from "./recognise-unit.ts";

/** Nothing of this size is a file that a person wrote; reading it would only fill the memory. */
const LARGEST_FILE_BYTES = 256 * 1024 * 1024;
const KNOWN_SUFFIX = /\.(json|ya?ml)$/i;

export interface InputOptions {
  /** Folders within folders too. */
  readonly recursive: boolean;
  /** Name of a unit that comes from standard input. */
  readonly name?: string;
}

/** Everything that the arguments name, recognised. Throws InputError at the first that is not sound. */
export async function readInputs(
  args: readonly string[],
  stdin: NodeJS.ReadableStream,
  options: InputOptions,
): Promise<readonly Item[]> {
  const items: Item[] = [];
  for (const arg of args) items.push(...(await readArgument(arg, stdin, options)));
  return items;
}

async function readArgument(
  arg: string,
  stdin: NodeJS.ReadableStream,
  options: InputOptions,
): Promise<readonly Item[]> {
  if (arg === "-")
    return recognise({ shown: "standard input", text: await readStream(stdin, "standard input") }, options.name);
  if (/^https?:\/\//.test(arg)) return recognise(await fetchFile(arg), options.name);
  const info = await statOrUndefined(arg);
  if (!info) return readInstance(arg);
  if (!info.isDirectory()) return recognise(await readOne(arg, info.size), options.name);
  const items: Item[] = [];
  for (const path of await listFolder(arg, options.recursive)) {
    items.push(...(await recognise(await readOne(path, (await stat(path)).size))));
  }
  if (items.length === 0) throw new InputError({ file: arg }, "no unit, JSON or YAML files in this folder");
  return items;
}

/** `hello@1.service` needs no file: a template beside it, or on the server, is enough (as with fleetctl). */
async function readInstance(arg: string): Promise<readonly Item[]> {
  const given = basename(arg);
  // The end may be left out, as in every other name.
  const name = /@./.test(given) && !UNIT_SUFFIX.test(given) && !KNOWN_SUFFIX.test(given) ? `${given}.service` : given;
  const { prefix, instance, suffix } = parseUnitName(name);
  if (!instance || !UNIT_SUFFIX.test(name)) throw new InputError({ file: arg }, "no such file or folder");
  const template = `${prefix}@.${suffix}`;
  const path = join(dirname(arg), template);
  const info = await statOrUndefined(path);
  if (info) return recognise(await readOne(path, info.size), name);
  return [{ place: { file: arg }, warnings: [], dialect: "fleet-instance", name, template }];
}

async function statOrUndefined(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new InputError({ file: path }, message);
  }
}

async function listFolder(folder: string, recursive: boolean): Promise<readonly string[]> {
  const paths: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (recursive) paths.push(...(await listFolder(path, true)));
    } else if (!entry.isFile() && !entry.isSymbolicLink()) {
      // A FIFO among the files would be waited at for ever. One that is named by itself may be meant: `<(command)`.
    } else if (KNOWN_SUFFIX.test(entry.name) || UNIT_SUFFIX.test(entry.name)) paths.push(path);
  }
  return paths;
}

async function readOne(path: string, size: number): Promise<InputFile> {
  if (size > LARGEST_FILE_BYTES) throw tooLarge(path);
  try {
    return { shown: path, baseName: basename(path), text: await readStream(createReadStream(path), path) };
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError({ file: path }, (error as Error).message);
  }
}

async function fetchFile(url: string): Promise<InputFile> {
  const baseName = decodeURIComponent(basename(new URL(url).pathname));
  try {
    const response = await fetch(url);
    if (!response.ok) throw new InputError({ file: url }, `the server answered ${response.status}`);
    const text = await readStream(response.body ?? [], url);
    return { shown: url, text, ...(baseName === "" ? {} : { baseName }) };
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { cause, message } = error as Error & { cause?: Error };
    throw new InputError({ file: url }, `cannot be fetched: ${cause?.message ?? message}`);
  }
}

/** Counted as it comes: the size of a pipe or a device is not known before. */
async function readStream(
  stream: AsyncIterable<string | Uint8Array> | Iterable<Uint8Array>,
  shown: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    size += chunk.length;
    if (size > LARGEST_FILE_BYTES) throw tooLarge(shown);
  }
  return decode(Buffer.concat(chunks), shown);
}

function tooLarge(file: string): InputError {
  return new InputError({ file }, "it is larger than 256 MiB");
}

function decode(bytes: Uint8Array, shown: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InputError({ file: shown }, "it is not text in UTF-8");
  }
}
