import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface User {
  readonly name?: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** A name or a number. A number without an entry is a user all the same, as for systemd. Undefined = unknown. */
export function lookUpUser(wanted: string): User | undefined {
  const entry = findEntry("passwd", wanted);
  if (entry) {
    const [name = "", , uid, gid, , home = "/", shell = "/bin/sh"] = entry;
    return { name, uid: Number(uid), gid: Number(gid), home, shell };
  }
  return isId(wanted) ? { uid: Number(wanted), gid: Number(wanted), home: "/", shell: "/bin/sh" } : undefined;
}

export function lookUpGroup(wanted: string): number | undefined {
  const entry = findEntry("group", wanted);
  if (entry) return Number(entry[2]);
  return isId(wanted) ? Number(wanted) : undefined;
}

/** Ids of every group that lists the user, sorted. */
export function groupsOf(userName: string): readonly number[] {
  return entriesOf(readFileSync("/etc/group", "utf8"))
    .filter(([, , , members = ""]) => members.split(",").includes(userName))
    .map(([, , id]) => Number(id))
    .sort((a, b) => a - b);
}

function findEntry(database: "passwd" | "group", wanted: string): readonly string[] | undefined {
  const local = entriesOf(readFileSync(`/etc/${database}`, "utf8")).find((entry) => matches(entry, wanted));
  if (local || !/^[A-Za-z0-9._@-]+$/.test(wanted)) return local;
  // Directory services (LDAP, sssd) are behind NSS; getent exits with 2 for an unknown name.
  const asked = spawnSync("getent", [database, wanted], { encoding: "utf8", timeout: 3000 });
  return asked.status === 0 ? entriesOf(asked.stdout).find((entry) => matches(entry, wanted)) : undefined;
}

function matches([name, , id]: readonly string[], wanted: string): boolean {
  return name === wanted || id === wanted;
}

function entriesOf(text: string): readonly (readonly string[])[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(":"));
}

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 32 - 1;
}
