/** Images of an engine: is it there, pull it with progress, import one made here. */
import type { Readable } from "node:stream";
import type { Container } from "../../model/pod.ts";
import { DriverError, type Progress } from "../driver.ts";
import type { Engine } from "./engine.ts";
import { readJsonLines } from "./json-lines.ts";
import { type PullLine, PullProgress } from "./pull-progress.ts";
import { isRefusal, withReason } from "./refusal.ts";
import { SingleFlight } from "./single-flight.ts";

/** The registry's answer may take long; words about progress come in between, silence this long means it hangs. */
const PULL_SILENCE_MS = 120_000;

interface ImageDetails {
  readonly Id: string;
  readonly Config?: { readonly User?: string } | null;
}

export class Images {
  readonly #engine: Engine;
  /** Images that were seen on the engine, by the user's name for them. A create that is refused with 404 corrects it. */
  readonly #known = new Map<string, string>();
  /** The user that each was built to run as; empty is root. */
  readonly #users = new Map<string, string>();
  readonly #pulls = new SingleFlight<void>();
  readonly #listeners = new Map<string, Set<Progress>>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Makes the container's image be there, as its pull policy says. Pods that want the same image share one pull. */
  async ensure(container: Container, progress: Progress, signal?: AbortSignal): Promise<void> {
    const name = container.image ?? "";
    const policy = container.imagePullPolicy ?? defaultPolicy(name);
    if (policy !== "Always" && (await this.has(name))) return;
    if (policy === "Never")
      throw new DriverError(`Container image "${name}" is not present with pull policy of Never`, {
        temporary: true,
        reason: "ErrImageNeverPull",
      });
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(progress));
    try {
      const pulled = this.#pulls.run(name, () => this.#pull(name, (words) => this.#tell(name, words)));
      await (signal ? raceAbort(pulled, signal) : pulled);
    } finally {
      listeners.delete(progress);
    }
  }

  async has(name: string): Promise<boolean> {
    if (this.#known.has(name)) return true;
    return await withReason("ImageInspectError", async () => {
      try {
        const { Id, Config } = await this.#engine.call<ImageDetails>({
          method: "GET",
          path: `/images/${encodeImage(name)}/json`,
        });
        this.#known.set(name, Id);
        this.#users.set(name, Config?.User ?? "");
        return true;
      } catch (error) {
        if (isRefusal(error, 404)) return false;
        if (isRefusal(error, 400)) throw pullError(error.message, "InvalidImageName");
        throw error;
      }
    });
  }

  idOf(name: string): string | undefined {
    return this.#known.get(name);
  }

  /** `1000:1000`, `nginx`, or nothing for root. */
  async userOf(name: string): Promise<string> {
    await this.has(name);
    return this.#users.get(name) ?? "";
  }

  forget(name: string): void {
    this.#known.delete(name);
  }

  forgetAll(): void {
    this.#known.clear();
  }

  #tell(name: string, words: string): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(words);
  }

  async #pull(name: string, progress: Progress): Promise<void> {
    this.#known.delete(name);
    await pullImage(this.#engine, name, progress);
    await this.has(name);
  }
}

/** Pulls `name` and says how far it is. DriverError ErrImagePull with Docker's own words; InvalidImageName when it is no name. */
export async function pullImage(engine: Engine, name: string, progress: Progress): Promise<void> {
  const { repository, tag } = splitImageName(name);
  const tracker = new PullProgress(name);
  const silence = new AbortController();
  const hush = () => setTimeout(() => silence.abort(new DOMException("silent", "TimeoutError")), PULL_SILENCE_MS);
  let timer = hush();
  try {
    const query = { fromImage: repository, ...(tag === undefined ? {} : { tag }) };
    const body = await engine.stream({
      ...{ method: "POST", path: "/images/create", query },
      ...{ timeoutMs: PULL_SILENCE_MS, signal: silence.signal },
    });
    for await (const line of readJsonLines<PullLine>(body)) {
      clearTimeout(timer);
      timer = hush();
      if (line.error !== undefined) throw pullError(line.error, "ErrImagePull");
      const words = tracker.note(line);
      if (words !== undefined) progress(words);
    }
  } catch (error) {
    if (error instanceof DriverError) throw error;
    if (isRefusal(error, 400)) throw pullError(error.message, "InvalidImageName");
    throw pullError(error instanceof Error ? error.message : String(error), "ErrImagePull");
  } finally {
    clearTimeout(timer);
  }
}

/** Makes an image of one layer from a tar archive; `changes` are Dockerfile lines (`CMD ["httpd"]`, `LABEL a=b`). */
export async function importImage(
  engine: Engine,
  layer: Readable | Uint8Array,
  name: string,
  changes: readonly string[] = [],
): Promise<void> {
  const { repository, tag = "latest" } = splitImageName(name);
  const path = `/images/create?${changes.map((change) => `changes=${encodeURIComponent(change)}&`).join("")}`;
  const query = new URLSearchParams({ fromSrc: "-", repo: repository, tag });
  await withReason("ErrImageImport", async () => {
    const body = await engine.stream({
      method: "POST",
      path: path + query,
      rawBody: layer,
      timeoutMs: PULL_SILENCE_MS,
    });
    for await (const line of readJsonLines<PullLine>(body))
      if (line.error !== undefined) throw pullError(line.error, "ErrImageImport");
  });
}

function pullError(words: string, reason: string): DriverError {
  return new DriverError(words, { temporary: reason !== "InvalidImageName", reason });
}

/** Kubernetes' rule: `Always` for :latest and for no tag at all, else `IfNotPresent`. */
function defaultPolicy(name: string): "Always" | "IfNotPresent" {
  const { tag } = splitImageName(name);
  return tag === undefined || tag === "latest" ? "Always" : "IfNotPresent";
}

/** `a/b:1` → a/b, 1; `host:5000/a` → host:5000/a, latest is meant; `a@sha256:…` keeps its digest as the tag, which the engine takes so. */
export function splitImageName(name: string): { readonly repository: string; readonly tag?: string } {
  const at = name.indexOf("@");
  if (at >= 0) return { repository: name.slice(0, at).replace(/:[^/:]*$/, ""), tag: name.slice(at + 1) };
  const colon = name.lastIndexOf(":");
  if (colon <= name.lastIndexOf("/")) return { repository: name, tag: "latest" };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** A path segment of its own: a name with `?` or `..` in it must not become another request. */
function encodeImage(name: string): string {
  return name.split("/").map(encodeURIComponent).join("/");
}

function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
