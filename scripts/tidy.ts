/**
 * The house rules that no linter knows: which room may import which, no ambient time or chance, no module-level state,
 * no shell, no swallowed errors, no dead links. Pure over a list of files; tidy.test.ts plants an offender for each rule.
 */
import { readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";

export interface SourceFile {
  /** Relative to the project, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  readonly what: string;
}

/** docs/architecture.md, "The house": what is absent is not allowed. An entry with a slash allows that file or folder only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  metrics: ["lib"],
  seams: ["lib"],
  model: ["lib", "seams"],
  store: ["lib", "seams", "model"],
  trust: ["lib", "seams", "model"],
  scheduling: ["lib", "seams", "model", "store"],
  controllers: ["lib", "seams", "model", "store", "scheduling/fit", "trust"],
  directory: ["lib", "seams", "model", "store"],
  acme: ["lib", "seams", "model", "store"],
  drivers: ["lib", "seams", "model"],
  network: ["lib", "seams", "model", "client"],
  client: ["lib", "seams", "model"],
  audit: ["lib", "seams", "model", "http"],
  dispatcher: [
    ...["lib", "seams", "model", "store", "agent/control", "agent/frames"],
    ...["http", "api/errors", "network/link", "directory"],
  ],
  agent: ["lib", "seams", "model", "scheduling/fit", "drivers/driver", "client", "network"],
  http: ["lib", "seams", "model/errors"],
  personalities: ["lib", "seams", "model", "store", "http", "controllers/controller"],
  api: ["lib", "seams", "model", "store", "scheduling", "http", "trust", "metrics"],
  doctor: ["lib", "seams"],
  cli: ["lib", "seams", "model", "client", "doctor"],
};

/** Composition roots: they may import everything, and nobody imports them. */
const ROOTS = ["app", "sim"];
/** The command line starts the whole program, by name and only when asked to. */
const ROOT_IMPORTS_ALLOWED: Readonly<Record<string, string>> = Object.fromEntries(
  [
    "up",
    "down",
    "server",
    "agent",
    "port-forward",
    "join",
    "service",
    "uninstall",
    "store",
    "backup",
    "restore",
    "secrets",
  ].map((name) => [`src/cli/${name}.ts`, "app"]),
);

/** Programs of their own: what is at the top of one is not shared with anything. */
const PROGRAMS = ["src/drivers/keeper/main.ts", "src/network/names/resident/main.ts"];

interface LineRule {
  readonly rule: string;
  readonly pattern: RegExp;
  readonly what: string;
  readonly applies: (path: string) => boolean;
}

const inFolders =
  (...folders: string[]) =>
  (path: string) =>
    folders.some((folder) => path.startsWith(`src/${folder}/`));
const isTest = (path: string) => path.endsWith(".test.ts") || !path.startsWith("src/");
const product = (path: string) => path.startsWith("src/") && !isTest(path);

const LINE_RULES: readonly LineRule[] = [
  {
    rule: "ambient",
    pattern:
      /\bDate\.now\(|\bnew Date\(\)|(?<![.\w])set(?:Timeout|Interval|Immediate)\(|\bMath\.random\(|\brandomUUID\(|\bperformance\.now\(/,
    what: "ambient time or chance; take it from a Clock or a Random",
    applies: (path) => product(path) && !inFolders("seams", "drivers", "app", "sim")(path),
  },
  {
    rule: "module-state",
    pattern:
      /^(?:export )?(?:let|var) |^(?:export )?const \w+(?:: [^=]+)? = new (?:Map|Set|WeakMap|WeakSet)(?:<[^(]*>)?\(\)/,
    what: "module-level state; pass it to what needs it",
    applies: (path) => product(path) && !PROGRAMS.includes(path),
  },
  {
    rule: "environment",
    pattern: /\bprocess\.env\b/,
    what: "process.env belongs to app/ and cli/",
    applies: (path) => product(path) && !inFolders("app", "cli")(path),
  },
  {
    rule: "listen",
    pattern: /\.listen\(/,
    what: "listen belongs to app/ (and to the keeper and the server of names, which are programs of their own)",
    applies: (path) => product(path) && !inFolders("app", "drivers/keeper", "network/names/resident")(path),
  },
  {
    rule: "shell",
    pattern:
      /\bshell: *true|\bexecSync\(|from "node:child_process".*\bexec\b(?!File)|import \{[^}]*\bexec\b[^}]*\} from "node:child_process"/,
    what: "a shell; commands run as argument vectors",
    applies: () => true,
  },
  {
    rule: "swallowed",
    pattern:
      /catch *(?:\([^)]*\))? *\{ *(?:return(?: \[\]| undefined| null)?;?)? *\}|\.catch\(\(\) => (?:\{\}|null|\[\])\)/,
    what: "a swallowed error: an outage that reads as nothing there",
    applies: product,
  },
];

/** Every finding in these files, and how many files were read. */
export function tidy(files: readonly SourceFile[]): { readonly findings: readonly Finding[]; readonly read: number } {
  const findings = files.flatMap((file) =>
    file.path.endsWith(".md") ? deadLinks(file, files) : [...lineFindings(file), ...importFindings(file)],
  );
  return { findings, read: files.length };
}

function lineFindings({ path, text }: SourceFile): readonly Finding[] {
  // The rules spell out what they forbid.
  if (path.startsWith("scripts/tidy")) return [];
  const rules = LINE_RULES.filter(({ applies }) => applies(path));
  return text.split("\n").flatMap((content, at) => {
    if (/^\s*(?:\/\/|\*|\/\*)/.test(content)) return [];
    return rules
      .filter(({ pattern }) => pattern.test(content))
      .map(({ rule, what }) => ({ path, line: at + 1, rule, what }));
  });
}

const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"|new URL\("(\.[^"]+\.ts)"/g;

function importFindings(file: SourceFile): readonly Finding[] {
  if (!product(file.path)) return [];
  const findings: Finding[] = [];
  for (const match of file.text.matchAll(IMPORT)) {
    const target = normalize(join(dirname(file.path), match[1] ?? match[2] ?? ""));
    const objection = objectionTo(file.path, target);
    const line = file.text.slice(0, match.index).split("\n").length;
    if (objection) findings.push({ path: file.path, line, rule: "import", what: objection });
  }
  return findings;
}

function objectionTo(from: string, to: string): string | undefined {
  const [, room = ""] = from.split("/");
  const [, other = ""] = to.split("/");
  if (ROOTS.includes(room)) return undefined;
  if (room === other) return room === "personalities" ? otherPersonality(from, to) : undefined;
  if (ROOT_IMPORTS_ALLOWED[from] === other) return undefined;
  const allowed = MAY_IMPORT[room];
  if (!allowed) return `src/${room}/ is not a room of this house; add it to scripts/tidy.ts with what it may import`;
  const within = to.replace(/^src\//, "").replace(/\.ts$/, "");
  return allowed.some((entry) => within === entry || within.startsWith(`${entry}/`))
    ? undefined
    : `${room} may not import ${within}`;
}

function otherPersonality(from: string, to: string): string | undefined {
  const [mine, theirs] = [from.split("/")[2], to.split("/")[2]];
  const shared = theirs === undefined || theirs.endsWith(".ts");
  return shared || mine === theirs ? undefined : `personality ${mine} may not import personality ${theirs}`;
}

function deadLinks({ path, text }: SourceFile, files: readonly SourceFile[]): readonly Finding[] {
  const known = new Map([...files, { path, text }].map((file) => [file.path, file.text]));
  const folders = new Set([...known.keys()].flatMap((name) => ancestors(name)));
  return [...text.matchAll(/\]\(([^)#\s]*)(?:#([^)\s]*))?\)/g)].flatMap((match) => {
    const [, target = "", anchor] = match;
    if (/^[a-z]+:/.test(target) || (target === "" && anchor === undefined)) return [];
    const to = target === "" ? path : normalize(join(dirname(path), target)).replace(/\/$/, "");
    const line = text.slice(0, match.index).split("\n").length;
    const dead = (what: string) => [{ path, line, rule: "dead-link", what }];
    if (!known.has(to) && !folders.has(to)) return dead(`${target} does not exist`);
    const page = to.endsWith(".md") ? known.get(to) : undefined;
    if (anchor === undefined || page === undefined || anchorsOf(page).has(anchor)) return [];
    return dead(`${to} has no heading #${anchor}`);
  });
}

/** As GitHub makes them of headings: letters, digits, "-" and "_" stay, blanks become "-"; a second one of a name gets a number. */
function anchorsOf(page: string): ReadonlySet<string> {
  const seen = new Map<string, number>();
  const anchors = page.matchAll(/^#{1,6} +(.+?) *$/gm).map(([, heading = ""]) => {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const name = plain.replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    const before = seen.get(name) ?? 0;
    seen.set(name, before + 1);
    return before === 0 ? name : `${name}-${before}`;
  });
  return new Set(anchors);
}

function ancestors(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === "." ? [] : [parent, ...ancestors(parent)];
}

/** The files of the project, as git lists them. */
export function projectFiles(root: string, names: readonly string[]): readonly SourceFile[] {
  return names.map((name) => ({
    path: relative(root, join(root, name)),
    text: readFileSync(join(root, name), "utf8"),
  }));
}
