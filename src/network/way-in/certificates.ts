/** The certificates of hosts, as files that HAProxy reads. Those of Secrets are kept, so that a host that boots alone has them. */
import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import type { RouteTls } from "../../model/network.ts";
import type { Clock } from "../../seams/clock.ts";

export type SecretValues = (namespace: string, name: string) => Promise<Readonly<Record<string, string>> | undefined>;

export interface CertificatesOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly secretValues: SecretValues;
}

export interface FoundCertificates {
  /** Lines of HAProxy's crt-list: a file and the name that it is for; the first is for all others. */
  readonly list: string;
  /** Hosts whose certificate is not to be had, and why. */
  readonly problems: ReadonlyMap<string, string>;
}

/** The longest chains with their key are a tenth of this. */
const MOST_BYTES = 1024 * 1024;

export class Certificates {
  readonly #options: CertificatesOptions;
  /** Host → the last good file, which stays when its successor is no good. */
  readonly #last = new Map<string, string>();

  /** Of files of this host: what was in them when they were read last. */
  readonly #seen = new Map<string, string>();

  constructor(options: CertificatesOptions) {
    this.#options = options;
  }

  async find(wanted: ReadonlyMap<string, RouteTls>): Promise<FoundCertificates> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    const lines = [await this.#default()];
    const problems = new Map<string, string>();
    this.#seen.clear();
    for (const [host, tls] of wanted) {
      try {
        const file = await this.#fileOf(host, tls);
        if (file !== undefined) this.#last.set(host, file);
      } catch (error) {
        problems.set(host, (error as Error).message);
      }
      const file = this.#last.get(host);
      if (file !== undefined) lines.push(`${file} ${host}`);
    }
    for (const host of [...this.#last.keys()]) if (!wanted.has(host)) this.#last.delete(host);
    return { list: `${lines.join("\n")}\n`, problems };
  }

  /** Removes what no line of the list in force names. */
  async sweep(list: string): Promise<void> {
    const kept = new Set(list.split("\n").map((line) => line.split(" ")[0]));
    for (const name of await readdir(this.#options.folder)) {
      const path = `${this.#options.folder}/${name}`;
      if (!kept.has(path)) await rm(path, { force: true });
    }
  }

  /** Undefined: it is on its way (ACME), which is no fault. */
  async #fileOf(host: string, tls: RouteTls): Promise<string | undefined> {
    if ("acme" in tls) return undefined;
    if ("file" in tls) return this.#keep(await this.#read(tls.file), host);
    const [namespace = "", name = ""] = tls.secret.split("/");
    const path = this.#path(`${tls.secret}\n${tls.version}`);
    if (await isThere(path)) return path;
    const values = await this.#options.secretValues(namespace, name);
    if (values === undefined) throw new Error(`there is no Secret ${tls.secret}`);
    const { "tls.crt": certificate, "tls.key": key } = values;
    if (!certificate || !key) throw new Error(`Secret ${tls.secret} has no tls.crt and tls.key`);
    return this.#keep(`${certificate.trim()}\n${key.trim()}\n`, host, path);
  }

  /** Whether a certificate's file here has another content than when it was read. */
  async haveChanged(): Promise<boolean> {
    for (const [file, text] of this.#seen) {
      // One that cannot be read now is read again when it can be.
      const now = await readCertificate(file).catch(() => text);
      if (now !== text) return true;
    }
    return false;
  }

  async #read(file: string): Promise<string> {
    const text = await readCertificate(file).catch((error: NodeJS.ErrnoException) => {
      const words = error.code === undefined ? error.message : `cannot be read (${error.code})`;
      throw new Error(`${file} ${error.code === "ENOENT" ? "is not there" : words}`);
    });
    this.#seen.set(file, text);
    return text;
  }

  async #keep(pem: string, host: string, path = this.#path(pem)): Promise<string> {
    const problem = pemProblem(pem);
    if (problem !== undefined) throw new Error(`the certificate of ${host} ${problem}`);
    if (!(await isThere(path))) await writeAtOnce(path, pem);
    return path;
  }

  async #default(): Promise<string> {
    const path = `${this.#options.folder}/default.pem`;
    if (await isThere(path)) return path;
    const { makeDefaultCertificate } = await import("./default-certificate.ts");
    await writeAtOnce(path, await makeDefaultCertificate(this.#options.clock.now()));
    return path;
  }

  #path(what: string): string {
    return `${this.#options.folder}/${createHash("sha256").update(what).digest("hex").slice(0, 40)}.pem`;
  }
}

/** A person wrote the path: devices and pipes have no end. */
async function readCertificate(file: string): Promise<string> {
  const found = await stat(file);
  if (!found.isFile()) throw new Error("is no file");
  if (found.size > MOST_BYTES) throw new Error(`is no certificate: it has ${found.size} bytes`);
  return readFile(file, "utf8");
}

/** Why HAProxy could not use it, in words. One that has run out can be used: better than another one's. */
export function pemProblem(pem: string): string | undefined {
  try {
    const certificate = new X509Certificate(pem);
    if (!certificate.checkPrivateKey(createPrivateKey(pem))) return "does not belong to its key";
  } catch (error) {
    return `cannot be read (a certificate and its key in PEM are needed): ${(error as Error).message}`;
  }
  try {
    // What HAProxy asks of it as well: keys and signatures that are too weak are refused by OpenSSL itself.
    createSecureContext({ cert: pem, key: pem });
    return undefined;
  } catch (error) {
    return `is none that a server may use: ${(error as Error).message}`;
  }
}

async function writeAtOnce(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await chmod(`${path}.new`, 0o600);
  await rename(`${path}.new`, path);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
