import { access, constants, readdir, stat } from "node:fs/promises";
import type { Condition, ServiceSettings } from "../../model/unit/service-settings.ts";
import { readStart } from "./bounded-file.ts";

/** Why the unit is not to be started now, in words; undefined when all that it asks for holds. Source: systemd condition_test_list(). */
export async function unmetCondition(
  { conditions }: ServiceSettings,
  host: { readonly hostname: string; readonly machineId: string },
): Promise<string | undefined> {
  let triggers = 0;
  let isTriggered = false;
  for (const condition of conditions) {
    const holds = (await test(condition, host)) !== condition.negated;
    if (condition.isTrigger) {
      triggers++;
      isTriggered ||= holds;
    } else if (!holds) return `${describe(condition)} does not hold, so it was not started`;
  }
  return triggers > 0 && !isTriggered ? "none of its Condition…=| settings holds, so it was not started" : undefined;
}

function describe({ kind, value, negated, isAssertion }: Condition): string {
  return `${isAssertion ? "Assert" : "Condition"}${kind}=${negated ? "!" : ""}${value}`;
}

async function test(
  { kind, value }: Condition,
  { hostname, machineId }: { readonly hostname: string; readonly machineId: string },
): Promise<boolean> {
  switch (kind) {
    case "Host":
      return value === hostname || value === machineId;
    case "PathExists":
      return (await statOf(value)) !== undefined;
    case "PathIsDirectory":
      return (await statOf(value))?.isDirectory() === true;
    case "FileNotEmpty": {
      const found = await statOf(value);
      return found?.isFile() === true && (found.size > 0 || (await readStart(value, 1)).length > 0);
    }
    case "FileIsExecutable":
      return (await statOf(value))?.isFile() === true && (await isExecutable(value));
    case "DirectoryNotEmpty":
      return (await statOf(value))?.isDirectory() === true && (await readdir(value)).length > 0;
  }
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EACCES") return false;
    throw error;
  }
}
