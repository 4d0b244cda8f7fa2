/** What an archive would unpack, read from the lists that `tar --list --verbose` and `unzip -l` print. */
export interface ArchiveEntry {
  readonly bytes: number;
  /** As printed, without the type's mark; for links with what they lead to. */
  readonly name: string;
  readonly kind: "file" | "directory" | "link" | "hard-link" | "device" | "other";
}

export const TAR_LIST = ["--list", "--verbose", "--numeric-owner", "--quoting-style=escape", "--file"];
export const ZIP_LIST = ["-l"];

const KINDS: Readonly<Record<string, ArchiveEntry["kind"]>> = {
  "-": "file",
  d: "directory",
  l: "link",
  h: "hard-link",
  b: "device",
  c: "device",
};

/** `-rw-r--r-- 0/0  3 2026-01-31 05:00 d/a b`; a device has its numbers (`1,3`) for a size. Undefined: not such a line. */
export function parseTarLine(line: string): ArchiveEntry | undefined {
  const found = /^(\S)\S{9}\S? +\d+\/\d+ +(\d+)(?:,\d+)? \d+-\d\d-\d\d \d\d:\d\d (.*)$/.exec(line);
  if (!found) return undefined;
  const [, type = "", bytes = "", rest = ""] = found;
  const kind = KINDS[type] ?? "other";
  return { kind, bytes: kind === "device" ? 0 : Number(bytes), name: rest };
}

/** `     1234  2026-01-31 12:00   d/a b`. Undefined for heads, rules and the sum. */
export function parseZipLine(line: string): ArchiveEntry | undefined {
  const found = /^ *(\d+) +\d+-\d\d-\d+ \d\d:\d\d {3}(.*)$/.exec(line);
  if (!found) return undefined;
  const [, bytes = "", name = ""] = found;
  return { kind: name.endsWith("/") ? "directory" : "file", bytes: Number(bytes), name };
}

/** Why an entry must not be unpacked. Absolute names lose their first slash when they are. */
export function entryRefusal({ kind, name }: ArchiveEntry): string | undefined {
  if (kind === "device") return `it has a device in it (${name})`;
  // Where a link leads is looked at when something goes through it; what a hard link names is taken into the folder.
  const path = kind === "link" ? name.split(" -> ", 1)[0] : name;
  const parts = (path ?? "").split(kind === "hard-link" ? /\/| link to / : "/");
  return parts.includes("..") ? `an entry leads out of the folder (${name})` : undefined;
}

/** Folders that the entry goes through. */
export function parentsOf({ kind, name }: ArchiveEntry): readonly string[] {
  const separator = kind === "link" ? " -> " : kind === "hard-link" ? " link to " : undefined;
  const paths =
    separator === undefined ? [name] : kind === "link" ? [name.split(separator, 1)[0] ?? ""] : name.split(separator);
  return paths
    .map((path) =>
      path
        .replace(/^\/+|\/+$/g, "")
        .split("/")
        .slice(0, -1)
        .join("/"),
    )
    .filter((path) => path !== "");
}
