import { glob } from "node:fs/promises";
import { type Assignment, parseEnvironmentFile } from "../../model/unit/environment.ts";
import type { ServiceSettings } from "../../model/unit/service-settings.ts";
import { readBoundedFile } from "./bounded-file.ts";

/** What is in it is handed to every command; the kernel takes no more than this for all arguments and variables (execve(2)). */
const MOST_BYTES = 1024 * 1024;

/** An EnvironmentFile= that is not there and was not marked with `-`: the process is not started (systemd: "resources"). */
export class EnvironmentFileError extends Error {
  override readonly name = "EnvironmentFileError";
}

/** Read just before each process, because a command before it may have written them. */
export async function readEnvironmentFiles(files: ServiceSettings["environmentFiles"]): Promise<readonly Assignment[]> {
  const assignments: Assignment[] = [];
  for (const { path, isOptional } of files) {
    const paths = await expand(path);
    if (paths.length === 0 && !isOptional)
      throw new EnvironmentFileError(`EnvironmentFile=${path}: nothing matches it`);
    for (const each of paths) {
      const text = await readText(each, isOptional);
      if (text !== undefined) assignments.push(...parseEnvironmentFile(text));
    }
  }
  return assignments;
}

async function expand(path: string): Promise<readonly string[]> {
  if (!/[*?[]/.test(path)) return [path];
  const found: string[] = [];
  // To systemd's glob(3), two stars are one; to this one, they are every folder below.
  for await (const each of glob(path.replace(/\*{2,}/g, "*"))) found.push(each);
  return found.toSorted();
}

async function readText(path: string, isOptional: boolean): Promise<string | undefined> {
  try {
    return await readBoundedFile(path, MOST_BYTES);
  } catch (error) {
    if (isOptional) return undefined;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new EnvironmentFileError(`EnvironmentFile=${path}: ${code === "ENOENT" ? "there is no such file" : message}`);
  }
}
