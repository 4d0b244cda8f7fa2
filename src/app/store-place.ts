/** Which store a control plane keeps its state in, as chosen with `--store` and remembered in place.json. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

export interface StorePlace {
  /** `sqlite`: the file store.db of the state directory. Or `etcd://HOST:PORT,HOST:PORT`. */
  readonly url: string;
  /** PEM files: whom the etcd members must be signed by, and with what this server proves itself to them. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly user?: string;
  /** The password is the file's first line. */
  readonly passwordFile?: string;
  /** Every key of ours begins with it; default `/styrmann/`. */
  readonly prefix?: string;
}

/** The options of the store, as every command that opens one takes them. */
export interface StoreOptionsGiven {
  readonly store?: string;
  readonly storeCa?: string;
  readonly storeCert?: string;
  readonly storeKey?: string;
  readonly storeUser?: string;
  readonly storePasswordFile?: string;
  readonly storePrefix?: string;
}

export const SQLITE: StorePlace = { url: "sqlite" };
export const DEFAULT_PREFIX = "/styrmann/";
const ETCD_PORT = 2379;

export function isEtcd({ url }: StorePlace): boolean {
  return url.startsWith("etcd://");
}

/** `https://HOST:PORT` of each member, or `http://…` where there is no TLS. */
export function endpointsOf(place: StorePlace): readonly string[] {
  const scheme = place.ca === undefined && place.cert === undefined ? "http" : "https";
  return membersOf(place).map((member) => `${scheme}://${member}`);
}

/** What the options say; undefined when they say nothing of the store. Throws an Error that names the option at fault. */
export function storeOf(given: StoreOptionsGiven): StorePlace | undefined {
  const { store, storeCa, storeCert, storeKey, storeUser, storePasswordFile, storePrefix } = given;
  const more = { storeCa, storeCert, storeKey, storeUser, storePasswordFile, storePrefix };
  const [stray] = Object.entries(more).find(([, value]) => value !== undefined) ?? [];
  if (store === undefined) {
    if (stray !== undefined) throw new Error(`${flagOf(stray)} goes with --store etcd://HOST:PORT,…`);
    return undefined;
  }
  if (store === "sqlite" && stray !== undefined) throw new Error(`${flagOf(stray)} is for etcd, and --store is sqlite`);
  if (store === "sqlite") return SQLITE;
  if ((storeCert === undefined) !== (storeKey === undefined))
    throw new Error("--store-cert and --store-key go together");
  if ((storeUser === undefined) !== (storePasswordFile === undefined))
    throw new Error("--store-user and --store-password-file go together");
  return {
    url: `etcd://${parseMembers(store).join(",")}`,
    ...(storeCa === undefined ? {} : { ca: resolve(storeCa) }),
    ...(storeCert === undefined ? {} : { cert: resolve(storeCert) }),
    ...(storeKey === undefined ? {} : { key: resolve(storeKey) }),
    ...(storeUser === undefined ? {} : { user: storeUser }),
    ...(storePasswordFile === undefined ? {} : { passwordFile: resolve(storePasswordFile) }),
    ...(storePrefix === undefined ? {} : { prefix: prefixOf(storePrefix) }),
  };
}

/**
 * What this start opens. The store of a cluster is not changed by another option: what is in the old one would be
 * forgotten. Other members of the same etcd cluster, and other files, are no other store.
 */
export function chooseStore(given: StorePlace | undefined, remembered: StorePlace | undefined): StorePlace {
  if (given === undefined || remembered === undefined) return given ?? remembered ?? SQLITE;
  if (isSameStore(given, remembered)) return given;
  throw new Error(
    `this state directory's store is ${wordsOf(remembered)}, not ${wordsOf(given)}. To move everything there, stop this server ` +
      `and run: styr store migrate --to ${given.url}`,
  );
}

/** The user's password, read anew at each start. */
export async function passwordOf({ passwordFile }: StorePlace): Promise<string | undefined> {
  if (passwordFile === undefined) return undefined;
  const [first = ""] = (await readFile(passwordFile, "utf8")).split("\n");
  return first.trim();
}

export function isSameStore(given: StorePlace, remembered: StorePlace): boolean {
  if (isEtcd(given) !== isEtcd(remembered)) return false;
  if (!isEtcd(given)) return true;
  const known = new Set(membersOf(remembered));
  const isSamePrefix = (given.prefix ?? DEFAULT_PREFIX) === (remembered.prefix ?? DEFAULT_PREFIX);
  return isSamePrefix && membersOf(given).some((member) => known.has(member));
}

function wordsOf(place: StorePlace): string {
  const { url, prefix } = place;
  return isEtcd(place) ? `${url} below ${prefix ?? DEFAULT_PREFIX}` : "sqlite (store.db)";
}

function membersOf({ url }: StorePlace): readonly string[] {
  return url.slice("etcd://".length).split(",");
}

/** `etcd://a:2379,b:2379`; also with the scheme before each, and without ports. */
function parseMembers(text: string): readonly string[] {
  if (!text.startsWith("etcd://")) throw new Error(`--store ${text}: give sqlite, or etcd://HOST:PORT,HOST:PORT,…`);
  const members = text.split(",").map((part) => part.replace(/^etcd:\/\//, "").replace(/\/$/, ""));
  return [...new Set(members.map((member) => withPort(member, text)))];
}

function withPort(member: string, text: string): string {
  const parts = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(member);
  if (!parts || Number(parts[2] ?? ETCD_PORT) > 65535)
    throw new Error(`--store ${text}: "${member}" is not HOST:PORT; give etcd://HOST:PORT,HOST:PORT,…`);
  return `${parts[1]}:${parts[2] ?? ETCD_PORT}`;
}

function prefixOf(text: string): string {
  if (!/^\/[\w./-]{0,100}$/.test(text))
    throw new Error(`--store-prefix ${text}: it begins with "/", such as ${DEFAULT_PREFIX}`);
  return text.endsWith("/") ? text : `${text}/`;
}

function flagOf(option: string): string {
  return `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
