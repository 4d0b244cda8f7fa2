/** What an HAProxy that runs knows beside its configuration, and how it hears of changes: where servers are, its maps, certificates. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { certificateSteps, parseList } from "./certificate-commands.ts";
import { FILES } from "./files.ts";
import { type Generation, mapText } from "./generation.ts";
import type { HaProxy } from "./haproxy.ts";
import { type MapName, type Maps, mapCommands, parseMap } from "./map-commands.ts";
import { parseServersState, refusedCommand, serverCommands } from "./server-commands.ts";
import type { Slots } from "./slots.ts";

/** A payload is one buffer of HAProxy's at most, with room for its own words. */
const MOST_PEM = 12_000;

export class Told {
  readonly #haproxy: HaProxy;
  readonly #slots = new Map<string, Slots>();
  /** Undefined: it is not known what it reads. */
  #folder: string | undefined;
  #maps: Maps = new Map();
  #lines: readonly string[] = [];
  /** It knows more than is in its files. */
  #isAhead = false;

  constructor(haproxy: HaProxy) {
    this.#haproxy = haproxy;
  }

  /** Where the files are that it has read. */
  get folder(): string | undefined {
    return this.#folder;
  }

  get backends(): readonly string[] {
    return [...this.#slots.keys()];
  }

  get maps(): Maps {
    return this.#maps;
  }

  readonly slots = (backend: string): Slots => this.#slots.get(backend) ?? [];

  has(backend: string): boolean {
    return this.#slots.has(backend);
  }

  /** A new worker has read all of it. */
  begin({ folder, maps, certificates }: Generation, slots: ReadonlyMap<string, Slots>): void {
    this.#folder = folder;
    this.#maps = maps;
    this.#lines = parseList(certificates);
    this.#isAhead = false;
    this.#slots.clear();
    for (const [name, each] of slots) this.#slots.set(name, each);
  }

  /** What a worker that is found running has been told by an agent before this one. */
  async read(): Promise<void> {
    this.#slots.clear();
    const state = await this.#haproxy.tell(["show servers state"]);
    for (const [name, each] of parseServersState(state)) this.#slots.set(name, each);
    this.#folder = /\((\S+)\/exact\.map\)/.exec(await this.#haproxy.tell(["show map"]))?.[1];
    if (this.#folder === undefined) return;
    const names = ["backers", "hosts", "cuts", "exact", "prefix", "challenges"] as const;
    const maps = new Map<MapName, ReadonlyMap<string, string>>();
    for (const name of names) maps.set(name, parseMap(await this.#haproxy.tell([`show map ${this.#path(name)}`])));
    this.#maps = maps;
    this.#lines = (await this.#numberedLines()).map(({ line }) => line);
  }

  async tellSlots(changed: readonly string[], slots: (name: string) => Slots): Promise<void> {
    await this.#ask(changed.flatMap((name) => serverCommands(name, this.slots(name), slots(name))));
    for (const name of changed) this.#slots.set(name, slots(name));
  }

  /** False: a key that no command can say. */
  async tellMaps(wanted: Maps): Promise<boolean> {
    const commands = mapCommands((name) => this.#path(name), this.#maps, wanted);
    if (commands === undefined || this.#folder === undefined) return false;
    await this.#ask(commands);
    this.#isAhead ||= commands.length > 0;
    this.#maps = new Map([...this.#maps, ...wanted]);
    return true;
  }

  /** False: it takes a new configuration, for one that is too long for a command, or that HAProxy does not take. */
  async tellCertificates(list: string): Promise<boolean> {
    const { come, gone, files, left } = certificateSteps(this.#lines, parseList(list));
    if (come.length + gone.length === 0) return true;
    const pems = await Promise.all(files.map((file) => readFile(file, "utf8")));
    if (this.#folder === undefined || pems.some((pem) => pem.length > MOST_PEM)) return false;
    const path = this.#path("certificates");
    for (const [at, file] of files.entries()) {
      const pem = (pems[at] ?? "").replaceAll(/\n\s*\n/g, "\n").trim();
      const commands = [`new ssl cert ${file}`, `set ssl cert ${file} <<\n${pem}\n`, `commit ssl cert ${file}`];
      if (!(await this.#isDone(commands))) {
        await this.#haproxy.tell([`abort ssl cert ${file}`, `del ssl cert ${file}`]);
        return false;
      }
    }
    for (const line of come) {
      if (!(await this.#isDone([`add ssl crt-list ${path} <<\n${line}\n`]))) return false;
      this.#lines = [...this.#lines, line];
    }
    for (const { line, at } of await this.#numberedLines())
      if (gone.includes(line)) await this.#ask([`del ssl crt-list ${path} ${line.split(" ")[0]}:${at}`]);
    await this.#haproxy.tell(left.map((file) => `del ssl cert ${file}`));
    this.#lines = parseList(list);
    this.#isAhead = true;
    return true;
  }

  /** Into the files that it reads when it is started again. */
  async keep(): Promise<void> {
    if (!this.#isAhead || this.#folder === undefined) return;
    const texts = new Map([...this.#maps].map(([name, map]) => [this.#path(name), mapText(map)]));
    texts.set(this.#path("certificates"), `${this.#lines.join("\n")}\n`);
    for (const [path, text] of texts) {
      await writeFile(`${path}.new`, text, { mode: 0o600 });
      await rename(`${path}.new`, path);
    }
    this.#isAhead = false;
  }

  /** Lines of the list of certificates with the numbers by which they are taken out. */
  async #numberedLines(): Promise<readonly { readonly line: string; readonly at: number }[]> {
    const text = await this.#haproxy.tell([`show ssl crt-list -n ${this.#path("certificates")}`]);
    return text.split("\n").flatMap((each) => {
      const [, file, at, host] = /^(\/\S+):(\d+)(?: (\S+))?$/.exec(each.trim()) ?? [];
      return file === undefined ? [] : [{ line: host === undefined ? file : `${file} ${host}`, at: Number(at) }];
    });
  }

  /** What puts something in force ends in "Success!". */
  async #isDone(commands: readonly string[]): Promise<boolean> {
    return (await this.#haproxy.tell(commands)).trim().endsWith("Success!");
  }

  async #ask(commands: readonly string[]): Promise<void> {
    if (commands.length === 0) return;
    const refusal = refusedCommand(await this.#haproxy.tell(commands));
    if (refusal === undefined) return;
    // It is not what we take it for.
    this.#folder = undefined;
    throw new Error(`HAProxy refused what it was told: ${refusal}`);
  }

  #path(name: MapName | "certificates"): string {
    return `${this.#folder}/${FILES[name]}`;
  }
}
